//! Variables in rendered manifests become values, in keys and values of every object, however it was rendered.
//! It reads no cluster: which values there are is told to it.

mod expression;
mod place;
mod variables;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Batch, Manifest, RenderError, Rendered, key::KeyHash, limits, manifest, value};
use crate::dialect::flux;
use place::Place;
pub use variables::{Origin, Variables};

/// The manifests with values in place of variables. Its key changes with the values that are used, and with no other.
/// `namespace` is the destination's: what is from a Secret of it goes into Secrets of it.
///
/// # Errors
/// When a variable is not set or may not stand where it does, with file, object and field; there is no value in it.
pub fn substitute(
    rendered: &Rendered,
    variables: &Variables,
    namespace: &str,
) -> Result<Arc<Rendered>, RenderError> {
    let mut substitution = Substitution {
        variables,
        namespace,
        taken: Taken::default(),
    };
    let mut batch = Batch::default();
    for manifest in rendered.manifests() {
        for object in substitution.objects(manifest)? {
            batch.manifests.push(Manifest {
                object,
                ..manifest.clone()
            });
        }
    }
    let mut key = KeyHash::of("substitution");
    key.part(&rendered.key.to_string()).part(namespace);
    for name in &substitution.taken.names {
        key.part(name)
            .part(variables.value(name).unwrap_or_default())
            .part(variables.secret(name).unwrap_or_default());
    }
    Ok(Arc::new(Rendered {
        batches: vec![Arc::new(batch)],
        key: key.key(),
        source_type: rendered.source_type,
    }))
}

struct Substitution<'a> {
    variables: &'a Variables,
    namespace: &'a str,
    taken: Taken,
}

/// What was taken of the variables so far.
#[derive(Default)]
struct Taken {
    names: BTreeSet<String>,
    /// Bytes that values wrote.
    written: usize,
}

const TOO_MUCH: &str = "the values of variables make more of the manifests than 10 MiB";

impl Taken {
    fn write(&mut self, bytes: usize) -> Result<(), String> {
        self.written = self.written.saturating_add(bytes);
        match self.written > limits::TOTAL_BYTES {
            true => Err(TOO_MUCH.to_owned()),
            false => Ok(()),
        }
    }
}

impl Substitution<'_> {
    fn objects(&mut self, manifest: &Manifest) -> Result<Vec<Value>, RenderError> {
        if flux::keeps_variables(&manifest.object) {
            return Ok(vec![manifest.object.clone()]);
        }
        let text = |field: &str| manifest.object[field].as_str().unwrap_or_default();
        let name = manifest.object["metadata"]["name"].as_str();
        let object = format!("{} {}", text("kind"), name.unwrap_or_default());
        let refused = |field: String, problem| RenderError::Variable {
            file: manifest.file.clone(),
            document: manifest.document,
            line: manifest.line,
            object: object.clone(),
            field,
            problem,
        };
        let mut place = Place::of(&manifest.object, self.namespace);
        let substituted = self
            .value(&manifest.object, &mut place)
            .map_err(|problem| refused(place.to_string(), problem))?;
        // A name may have become empty, or the kind another one.
        manifest::objects(substituted).map_err(|problem| RenderError::Manifest {
            file: manifest.file.clone(),
            document: manifest.document,
            line: manifest.line,
            problem,
        })
    }

    /// On an error `place` is where it happened.
    fn value(&mut self, value: &Value, place: &mut Place) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => self.scalar(text, place)?,
            Value::Array(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    place.enter_item(index);
                    values.push(self.value(item, place)?);
                    place.leave();
                }
                Value::Array(values)
            }
            Value::Object(fields) => {
                let mut values = Map::new();
                for (key, value) in fields {
                    place.enter(key);
                    let name = self.key(key)?;
                    let value = self.value(value, place)?;
                    if values.insert(name, value).is_some() {
                        return Err("another field has the same name".to_owned());
                    }
                    place.leave();
                }
                Value::Object(values)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    fn key(&mut self, key: &str) -> Result<String, String> {
        let (name, secret) = self.text(key)?;
        match secret {
            Some(secret) => Err(only_in_secrets(&secret)),
            None => Ok(name),
        }
    }

    /// As in a file without needless quotes: where the whole text is one plain scalar, its value decides whether it is text, a
    /// number, or even a list.
    fn scalar(&mut self, text: &str, place: &Place) -> Result<Value, String> {
        if !text.contains('$') {
            return Ok(text.into());
        }
        let (expanded, secret) = self.text(text)?;
        if let Some(secret) = secret {
            return match place.holds_secrets() {
                true => Ok(expanded.into()),
                false => Err(only_in_secrets(&secret)),
            };
        }
        if expanded == text || !is_plain(text) {
            return Ok(expanded.into());
        }
        Ok(typed(expanded, place.holds_text()))
    }

    /// The text with values in it, and one of the variables from a Secret among them, as `NAME of Secret SECRET`.
    fn text(&mut self, text: &str) -> Result<(String, Option<String>), String> {
        if !text.contains('$') {
            return Ok((text.to_owned(), None));
        }
        let mut taken = Taken {
            names: BTreeSet::new(),
            written: self.taken.written,
        };
        let expanded = expression::expand(text, self.variables, &mut taken)?;
        let secret = taken.names.iter().find_map(|name| {
            let secret = self.variables.secret(name)?;
            Some(format!("{name} of Secret {secret}"))
        });
        self.taken.written = taken.written;
        self.taken.names.append(&mut taken.names);
        Ok((expanded, secret))
    }
}

fn only_in_secrets(variable: &str) -> String {
    format!(
        "variable {variable} stands outside data and stringData of a Secret of the destination's namespace"
    )
}

/// Whether YAML would write the text without quotes, on one line.
fn is_plain(text: &str) -> bool {
    matches!(value::yaml(text), Ok(Value::String(read)) if read == text)
}

/// What YAML reads there. A text stays as it is unless it is in quotes, and so does all else where only `text` may stand.
fn typed(expanded: String, text: bool) -> Value {
    let quoted =
        |quote| expanded.len() > 1 && expanded.starts_with(quote) && expanded.ends_with(quote);
    match value::yaml(&format!("v: {expanded}")).map(|mut read| read["v"].take()) {
        Ok(Value::String(read)) if quoted('"') || quoted('\'') => read.into(),
        Ok(Value::String(_)) | Err(_) => expanded.into(),
        Ok(_) if text || expanded.contains(['#', '\n']) => expanded.into(),
        Ok(read) => read,
    }
}

#[cfg(test)]
pub(super) fn variables(values: &[(&str, &str)], origin: &Origin) -> Variables {
    let mut variables = Variables::default();
    for (name, value) in values {
        variables.set(name, value, origin.clone());
    }
    variables
}

#[cfg(test)]
mod tests;
