//! JSON pointers (RFC 6901): one field each.
//! It must not know what the field is for.

use serde_json::Value;

use super::fields::{Path, Step};

/// The unescaped names between its slashes.
pub(super) struct Pointer(Vec<String>);

impl Pointer {
    /// Reads `/spec/replicas`. The empty pointer, which is the whole object, is none of a field.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("found \"{text}\", {what}");
        let Some(names) = text.strip_prefix('/') else {
            return Err(wrong("expected a JSON pointer that begins with /"));
        };
        names
            .split('/')
            .map(unescape)
            .collect::<Option<_>>()
            .map(Pointer)
            .ok_or_else(|| wrong("expected ~0 for ~ and ~1 for / inside of a name"))
    }

    /// Where it points to; nowhere when the object has no such field.
    pub(super) fn path(&self, object: &Value) -> Option<Path> {
        let mut at = object;
        let mut path = Path::new();
        for name in &self.0 {
            let step = match at {
                Value::Array(_) => Step::Index(index(name)?),
                _ => Step::Field(name.clone()),
            };
            at = step.of(at)?;
            path.push(step);
        }
        Some(path)
    }
}

/// A number without leading zeros.
fn index(name: &str) -> Option<usize> {
    let index: usize = name.parse().ok()?;
    (index.to_string() == name).then_some(index)
}

fn unescape(name: &str) -> Option<String> {
    let mut parts = name.split('~');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(1)?;
        plain.push(match code {
            "0" => '~',
            "1" => '/',
            _ => return None,
        });
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn value<'a>(pointer: &str, object: &'a Value) -> Option<&'a Value> {
        let path = Pointer::parse(pointer).unwrap().path(object)?;
        path.iter().try_fold(object, |at, step| step.of(at))
    }

    #[test]
    fn a_pointer_finds_fields_entries_and_escaped_names() {
        let object =
            json!({"metadata": {"labels": {"a/b": 1, "m~n": 2}}, "list": [3, {"x": 4}], "": 5});
        for (pointer, found) in [
            ("/metadata/labels/a~1b", Some(1)),
            ("/metadata/labels/m~0n", Some(2)),
            ("/list/0", Some(3)),
            ("/list/1/x", Some(4)),
            ("/", Some(5)),
            ("/list/2", None),
            ("/list/01", None),
            ("/list/-", None),
            ("/metadata/labels/none", None),
            ("/metadata/labels/a~1b/c", None),
        ] {
            assert_eq!(
                value(pointer, &object),
                found.map(Value::from).as_ref(),
                "{pointer}"
            );
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["", "spec/replicas", ".spec.replicas", "/a~2", "/a~"] {
            let message = Pointer::parse(text).err().unwrap();
            assert!(
                message.starts_with(&format!("found \"{text}\", expected")),
                "{message}"
            );
        }
    }
}
