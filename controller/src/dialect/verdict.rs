//! The three lists and the walk over them: every path of an object is looked up, none is skipped.
//! It knows no field by name: the tables are the tools'.

use serde_json::Value;

use super::refusal::{Problem, Refusal};

/// What is done with a field, option or annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does what its documentation says.
    Honoured,
    /// It makes no difference to the result; the text says why.
    Harmless(&'static str),
    /// Its effect is not there yet.
    Refused,
    /// Its effect will not be there; the text says why.
    Never(&'static str),
    /// Everything below it is as below this other path.
    Like(&'static str),
}

impl Verdict {
    fn problem(self) -> Option<Problem> {
        match self {
            Self::Honoured | Self::Harmless(_) | Self::Like(_) => None,
            Self::Refused => Some(Problem::NotSupported),
            Self::Never(why) => Some(Problem::Never(why)),
        }
    }
}

/// One line of a table: a path, option or annotation, and what is done with it.
pub type Row = (&'static str, Verdict);

/// The verdict of `name`; `None` when it stands in no list. A name that ends in `/` or `.` stands for
/// everything that begins with it.
pub fn verdict(table: &[Row], name: &str) -> Option<Verdict> {
    let row = table.iter().find(|(row, _)| {
        let open = row.ends_with('/') || row.ends_with('.');
        *row == name || open && name.starts_with(row)
    });
    row.map(|(_, verdict)| *verdict)
}

/// The refusal of `name`, written as `field`; `None` when it is accepted.
pub fn refuse(table: &[Row], name: &str, field: impl Into<String>) -> Option<Refusal> {
    let problem = match verdict(table, name) {
        None => Problem::Unknown,
        Some(verdict) => verdict.problem()?,
    };
    Some(Refusal {
        field: field.into(),
        problem,
    })
}

/// Every refusal in `value`, which stands at `path`. A path that stands in the table decides for all below
/// it; one that is only a beginning of such paths is entered; all others are unknown. An item of a list is
/// written `path[]` in a table and `path[0]` in a refusal.
pub fn walk(table: &[Row], path: &str, value: &Value, refusals: &mut Vec<Refusal>) {
    enter(table, path, path, value, refusals);
}

fn enter(table: &[Row], row: &str, path: &str, value: &Value, refusals: &mut Vec<Refusal>) {
    if let Some((_, Verdict::Like(other))) = table.iter().find(|(name, _)| *name == row) {
        return enter(table, other, path, value, refusals);
    }
    let known = table.iter().any(|(name, _)| *name == row);
    let leads_to = |rest: &str| {
        !known
            && table
                .iter()
                .any(|(name, _)| name.starts_with(&format!("{row}{rest}")))
    };
    match value {
        Value::Object(fields) if leads_to(".") => {
            for (key, value) in fields {
                enter(
                    table,
                    &format!("{row}.{key}"),
                    &format!("{path}.{key}"),
                    value,
                    refusals,
                );
            }
        }
        Value::Array(items) if leads_to("[]") => {
            for (index, value) in items.iter().enumerate() {
                enter(
                    table,
                    &format!("{row}[]"),
                    &format!("{path}[{index}]"),
                    value,
                    refusals,
                );
            }
        }
        _ => refusals.extend(refuse(table, row, path)),
    }
}
