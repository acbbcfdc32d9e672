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
}

impl Verdict {
    fn problem(self) -> Option<Problem> {
        match self {
            Self::Honoured | Self::Harmless(_) => None,
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
/// it; one that is only a beginning of such paths is entered; all others are unknown.
pub fn walk(table: &[Row], path: &str, value: &Value, refusals: &mut Vec<Refusal>) {
    let below = format!("{path}.");
    let known = table.iter().any(|(row, _)| *row == path);
    match value {
        Value::Object(fields) if !known && table.iter().any(|(row, _)| row.starts_with(&below)) => {
            for (key, value) in fields {
                walk(table, &format!("{path}.{key}"), value, refusals);
            }
        }
        _ => refusals.extend(refuse(table, path, path)),
    }
}
