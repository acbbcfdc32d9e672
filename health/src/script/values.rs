//! Objects into Lua, and what a script returns out of it. It must not show a script the values of a Secret.

use std::borrow::Cow;

use mlua::{Lua, Table, Value as LuaValue};
use serde_json::Value;

use super::failure::Failure;
use crate::argocd::INVALID_STATUS;
use crate::fields::group_kind;
use crate::verdict::{Health, HealthStatus, unknown};

/// Longest message that is kept, in characters: as much as a status shows.
const LONGEST_MESSAGE: usize = 1024;
/// Where the values of a Secret are: kubectl and others keep copies in annotations.
const SECRET_VALUES: [&str; 3] = ["/data", "/stringData", "/metadata/annotations"];

/// The object as a script may read it: of a Secret's values there are only the names, since a script could put them into its
/// message.
pub(super) fn readable(object: &Value) -> Cow<'_, Value> {
    if group_kind(object) != ("", "Secret") {
        return Cow::Borrowed(object);
    }
    let mut object = object.clone();
    for field in SECRET_VALUES {
        let values = object.pointer_mut(field).and_then(Value::as_object_mut);
        for value in values.into_iter().flat_map(|values| values.values_mut()) {
            *value = Value::String(String::new());
        }
    }
    Cow::Owned(object)
}

/// Null becomes nil, so that `obj.field ~= nil` means that there is something.
pub(super) fn to_lua(lua: &Lua, value: &Value) -> mlua::Result<LuaValue> {
    Ok(match value {
        Value::Null => LuaValue::Nil,
        Value::Bool(flag) => LuaValue::Boolean(*flag),
        Value::Number(number) => LuaValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => LuaValue::String(lua.create_string(text)?),
        Value::Array(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            for (index, item) in items.iter().enumerate() {
                table.raw_set(index + 1, to_lua(lua, item)?)?;
            }
            LuaValue::Table(table)
        }
        Value::Object(fields) => {
            let table = lua.create_table_with_capacity(0, fields.len())?;
            for (name, field) in fields {
                table.raw_set(name.as_str(), to_lua(lua, field)?)?;
            }
            LuaValue::Table(table)
        }
    })
}

/// The health that a script returned: nothing and an empty table are none.
pub(super) fn health(
    returned: Option<&LuaValue>,
    setting: &str,
) -> Result<Option<Health>, Failure> {
    let table = match returned {
        None | Some(LuaValue::Nil) => return Ok(None),
        Some(LuaValue::Table(table)) if table.is_empty() => return Ok(None),
        Some(LuaValue::Table(table)) => table,
        Some(other) => {
            return Err(Failure::said(format!(
                "the script returned a {}, expected a table",
                noun(other)
            )));
        }
    };
    let (status, message) = (field(table, "status")?, field(table, "message")?);
    Ok(Some(match HealthStatus::named(&status) {
        Some(status) => Health { status, message },
        None => unknown(format!("{INVALID_STATUS} {status:?} ({setting})")),
    }))
}

fn field(table: &Table, name: &str) -> Result<String, Failure> {
    match table.raw_get(name) {
        Ok(LuaValue::Nil) => Ok(String::new()),
        Ok(LuaValue::String(text)) => Ok(cut(text.to_string_lossy())),
        Ok(other) => Err(Failure::said(format!(
            "the script returned a {} as {name}, expected a string",
            noun(&other)
        ))),
        Err(error) => Err(Failure::of(&error)),
    }
}

/// Lua 5.1 has one kind of numbers.
fn noun(value: &LuaValue) -> &'static str {
    match value {
        LuaValue::Integer(_) => "number",
        other => other.type_name(),
    }
}

pub(super) fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONGEST_MESSAGE) {
        text.truncate(end);
        text.push('…');
    }
    text
}
