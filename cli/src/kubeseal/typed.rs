//! Reads a value into one of the types in `schema`, as Go's decoder does, and tells in Go's words what does not fit.
//! The result has the fields in Go's order. Must not coerce: what YAML says in another type was coerced before.

use indexmap::IndexMap;
use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::fmt::strtime;
use sealing::SecretValue as Value;

use super::go_text::quote;
use super::schema::{Field, Struct, Type, WhenEmpty};

/// How names of fields are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Exact,
    /// A field in other letters counts where there is none in the right ones.
    AnyCase,
}

/// An object of a known type.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) value: Value,
    /// Nothing at all was said, not even an empty map.
    pub(super) is_blank: bool,
}

/// What does not fit, in Go's words.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Mismatch(String);

/// Reads `value`. Unknown fields are dropped; so are empty ones that Go does not write.
pub(super) fn read(value: Value, type_: &'static Struct, names: Names) -> Result<Typed, Mismatch> {
    let mut reader = Reader {
        names,
        path: Vec::new(),
        inside: None,
        is_blank: true,
    };
    let value = reader.structure(value, type_)?;
    Ok(Typed {
        value,
        is_blank: reader.is_blank,
    })
}

/// The field of `type_` that a key stands for.
pub(super) fn field_of(type_: &Struct, key: &str, names: Names) -> Option<&'static Field> {
    let exact = type_.fields.iter().find(|field| field.name == key);
    let folded = || {
        type_
            .fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(key))
    };
    match names {
        Names::Exact => exact,
        Names::AnyCase => exact.or_else(folded),
    }
}

struct Reader {
    names: Names,
    /// Where the reader stands, as Go tells it: the path from the root, and the innermost struct.
    path: Vec<&'static str>,
    inside: Option<&'static str>,
    is_blank: bool,
}

impl Reader {
    fn mismatch(&self, found: &str, type_: &str) -> Mismatch {
        Mismatch(match self.inside {
            Some(name) => {
                let path = self.path.join(".");
                format!(
                    "json: cannot unmarshal {found} into Go struct field {name}.{path} of type {type_}"
                )
            }
            None => format!("json: cannot unmarshal {found} into Go value of type {type_}"),
        })
    }

    fn structure(&mut self, value: Value, type_: &'static Struct) -> Result<Value, Mismatch> {
        let entries = match value {
            Value::Map(entries) => entries,
            Value::Null => IndexMap::new(),
            other => return Err(self.mismatch(noun(&other), type_.full_name)),
        };
        let (outside, depth) = (self.inside, self.path.len());
        let mut found = IndexMap::new();
        for (key, value) in entries {
            let Some(field) = field_of(type_, &key, self.names) else {
                continue;
            };
            self.inside = Some(type_.name);
            self.path.extend(field.embedded_in);
            self.path.push(field.name);
            if let Some(value) = self.value(value, &field.type_)? {
                put(&mut found, field.name, value);
            }
            self.path.truncate(depth);
        }
        self.inside = outside;
        Ok(in_order(found, type_))
    }

    /// Null leaves a field as it was, which is absent.
    fn value(&mut self, value: Value, type_: &'static Type) -> Result<Option<Value>, Mismatch> {
        if value.is_null() && !matches!(type_, Type::LenientTexts) {
            return Ok(None);
        }
        let value = match type_ {
            Type::Text(name) => self.expect(value, name, |value| value.as_text().is_some())?,
            Type::Bool => self.expect(value, "bool", |value| matches!(value, Value::Bool(_)))?,
            Type::Int => self.integer(value)?,
            Type::Bytes => self.bytes(value)?,
            Type::Time => time(&value)?,
            Type::Map(inner, name) => self.map(value, inner, name)?,
            Type::NullableTexts => self.nullable_texts(value)?,
            Type::LenientTexts => lenient_texts(value),
            Type::List(inner, name) => self.list(value, inner, name)?,
            Type::Struct(inner) | Type::Optional(inner) => self.structure(value, inner)?,
            Type::Any => value,
        };
        // A struct counts by what is in it; everything else by being there, except an empty text and zero.
        let is_said = match type_ {
            Type::Struct(_) => false,
            Type::Text(_) | Type::Int => !is_empty(&value),
            _ => true,
        };
        self.is_blank &= !is_said;
        Ok(Some(value))
    }

    fn expect(
        &self,
        value: Value,
        name: &str,
        fits: fn(&Value) -> bool,
    ) -> Result<Value, Mismatch> {
        match fits(&value) {
            true => Ok(value),
            false => Err(self.mismatch(noun(&value), name)),
        }
    }

    fn integer(&self, value: Value) -> Result<Value, Mismatch> {
        match &value {
            Value::Number(number) if number.is_i64() => Ok(value),
            Value::Number(number) => Err(self.mismatch(&format!("number {number}"), "int64")),
            other => Err(self.mismatch(noun(other), "int64")),
        }
    }

    fn bytes(&self, value: Value) -> Result<Value, Mismatch> {
        let Some(text) = value.as_text() else {
            return Err(self.mismatch(noun(&value), "[]uint8"));
        };
        match sealing::decode_base64(text.as_bytes()) {
            Ok(_) => Ok(value),
            Err(error) => Err(Mismatch(error.to_string())),
        }
    }

    fn map(&mut self, value: Value, inner: &'static Type, name: &str) -> Result<Value, Mismatch> {
        let Value::Map(entries) = value else {
            return Err(self.mismatch(noun(&value), name));
        };
        let mut map = IndexMap::with_capacity(entries.len());
        for (key, value) in entries {
            let value = self.value(value, inner)?;
            map.insert(key, value.unwrap_or_else(|| zero(inner)));
        }
        map.sort_unstable_keys();
        Ok(Value::Map(map))
    }

    fn nullable_texts(&mut self, value: Value) -> Result<Value, Mismatch> {
        let Value::Map(mut map) = value else {
            return Err(self.mismatch(noun(&value), "map[string]*string"));
        };
        let is_odd = |value: &&Value| value.as_text().is_none() && !value.is_null();
        if let Some(odd) = map.values().find(is_odd) {
            return Err(self.mismatch(noun(odd), "string"));
        }
        map.sort_unstable_keys();
        Ok(Value::Map(map))
    }

    fn list(&mut self, value: Value, inner: &'static Type, name: &str) -> Result<Value, Mismatch> {
        let Value::List(elements) = value else {
            return Err(self.mismatch(noun(&value), name));
        };
        let mut list = Vec::with_capacity(elements.len());
        for element in elements {
            let element = self.value(element, inner)?;
            list.push(element.unwrap_or_else(|| zero(inner)));
        }
        Ok(Value::List(list))
    }
}

/// Go reads a repeated map into the one that is there already.
fn put(found: &mut IndexMap<String, Value>, name: &str, value: Value) {
    match (found.get_mut(name), value) {
        (Some(Value::Map(old)), Value::Map(new)) => old.extend(new),
        (_, value) => {
            found.insert(name.to_owned(), value);
        }
    }
}

fn in_order(mut found: IndexMap<String, Value>, type_: &'static Struct) -> Value {
    let mut ordered = IndexMap::new();
    for field in type_.fields {
        let is_said = field.when_empty == WhenEmpty::Said;
        let value = match found.swap_remove(field.name) {
            Some(value) if is_said || is_pointer(&field.type_) || !is_empty(&value) => value,
            None if is_said => zero(&field.type_),
            _ => continue,
        };
        ordered.insert(field.name.to_owned(), value);
    }
    Value::Map(ordered)
}

/// What is behind a pointer in Go is written whatever it is.
fn is_pointer(type_: &Type) -> bool {
    matches!(type_, Type::Bool | Type::Optional(_) | Type::Any)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) => false,
        Value::Text(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::List(elements) => elements.is_empty(),
        Value::Map(map) => map.is_empty(),
    }
}

fn zero(type_: &'static Type) -> Value {
    match type_ {
        Type::Text(_) | Type::Bytes => Value::from(""),
        Type::Struct(inner) => in_order(IndexMap::new(), inner),
        _ => Value::Null,
    }
}

/// In UTC with whole seconds.
fn time(value: &Value) -> Result<Value, Mismatch> {
    let Some(text) = value.as_text() else {
        let found = noun(value);
        return Err(Mismatch(format!(
            "json: cannot unmarshal {found} into Go value of type string"
        )));
    };
    let unreadable = || {
        let (text, start) = (quote(text), quote(text));
        Mismatch(format!(
            "parsing time {text} as \"2006-01-02T15:04:05Z07:00\": cannot parse {start} as \"2006\""
        ))
    };
    let time: Timestamp = text.parse().map_err(|_| unreadable())?;
    let text = strtime::format("%Y-%m-%dT%H:%M:%SZ", time).map_err(|_| unreadable())?;
    Ok(Value::from(text.as_str()))
}

/// Whatever is no text is the empty text, and whatever is no map is an empty one.
fn lenient_texts(value: Value) -> Value {
    let Value::Map(mut map) = value else {
        return Value::Map(IndexMap::new());
    };
    for value in map.values_mut() {
        if value.as_text().is_none() {
            *value = Value::from("");
        }
    }
    map.sort_unstable_keys();
    Value::Map(map)
}

/// Go's word for a kind of JSON value.
pub(super) fn noun(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::Text(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}
