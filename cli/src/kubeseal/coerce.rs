//! YAML scalars in the places of a typed object: where text is expected, a number or a word such as `yes` becomes text.
//! Must not read the object: `typed` does. Notes what is said in another spelling than it was written.

use indexmap::IndexMap;
use sealing::SecretValue;

use super::schema::{Struct, Type};
use super::typed::{Names, field_of};
use crate::node::{Content, MOST_VALUES, Node};
use crate::problem::{Fault, Problem};
use crate::respelled::Respelled;
use crate::scalar::Scalar;

/// The value of a document in the shape of `type_`, and what was respelled on the way, by path and line.
pub(super) fn coerce(
    node: &Node,
    type_: &'static Struct,
) -> Result<(SecretValue, Vec<Respelled>), Problem> {
    let mut coercion = Coercion::default();
    let value = coercion.value(node, Target::Struct(type_))?;
    Ok((value, coercion.respelled))
}

/// The value of a document as it stands, with keys as Go makes them text.
pub(super) fn untyped(node: &Node) -> Result<SecretValue, Problem> {
    Coercion::default().value(node, Target::Unknown)
}

/// What Go would read a value into, as far as coercion asks.
#[derive(Clone, Copy)]
enum Target {
    Text,
    Struct(&'static Struct),
    Map(&'static Type),
    List(&'static Type),
    Unknown,
}

impl Target {
    fn of(type_: &'static Type) -> Self {
        match type_ {
            Type::Text(_) => Self::Text,
            Type::Struct(inner) | Type::Optional(inner) => Self::Struct(inner),
            Type::Map(inner, _) => Self::Map(inner),
            Type::List(inner, _) => Self::List(inner),
            _ => Self::Unknown,
        }
    }

    fn of_key(self, key: &str) -> Self {
        match self {
            Self::Struct(type_) => match field_of(type_, key, Names::AnyCase) {
                Some(field) if field.embedded_in.is_none() => Self::of(&field.type_),
                _ => Self::Unknown,
            },
            Self::Map(inner) => Self::of(inner),
            _ => Self::Unknown,
        }
    }
}

#[derive(Default)]
struct Coercion {
    values: usize,
    path: Vec<String>,
    respelled: Vec<Respelled>,
}

impl Coercion {
    fn value(&mut self, node: &Node, target: Target) -> Result<SecretValue, Problem> {
        self.values += node.weight();
        if self.values > MOST_VALUES {
            return Err(Fault::Aliasing.at(node.line));
        }
        match &node.target().content {
            Content::Mapping(_) => self.map(node, target),
            Content::Sequence(elements) => {
                let inner = match target {
                    Target::List(inner) => Target::of(inner),
                    _ => Target::Unknown,
                };
                let elements = elements.iter().map(|element| self.value(element, inner));
                elements.collect::<Result<_, _>>().map(SecretValue::List)
            }
            _ => self.scalar(node, target),
        }
    }

    /// Entries in the order of their keys, as Go hands them on.
    fn map(&mut self, node: &Node, target: Target) -> Result<SecretValue, Problem> {
        let mut map = IndexMap::new();
        for (key_node, value) in node.pairs()? {
            let key = key(key_node)?;
            self.path.push(key.clone());
            if matches!(target, Target::Map(_)) {
                self.note(key_node, &key);
            }
            let value = self.value(value, target.of_key(&key))?;
            self.path.pop();
            map.insert(key, value);
        }
        map.sort_unstable_keys();
        Ok(SecretValue::Map(map))
    }

    fn scalar(&mut self, node: &Node, target: Target) -> Result<SecretValue, Problem> {
        let scalar = node.scalar()?;
        if !matches!(target, Target::Text) {
            return match scalar {
                Scalar::Float(float) if !float.is_finite() => {
                    let text = Scalar::Float(float).into_text();
                    Err(Fault::Unsupported(text.to_string()).at(node.line))
                }
                scalar => Ok(scalar.into_value()),
            };
        }
        let is_null = scalar == Scalar::Null;
        let text = scalar.into_text();
        self.note(node, &text);
        match is_null {
            true => Ok(SecretValue::Null),
            false => Ok(SecretValue::Text(text)),
        }
    }

    /// Remembers a scalar that became another text than it was written.
    fn note(&mut self, node: &Node, becomes: &str) {
        let respelled = Respelled::of(node, || self.path.join("."), becomes);
        self.respelled.extend(respelled);
    }
}

/// Keys are text in JSON: numbers and words are spelled out.
fn key(node: &Node) -> Result<String, Problem> {
    match node.scalar()? {
        Scalar::Null => Err(Fault::NullKey.at(node.line)),
        Scalar::Float(float) if !float.is_finite() => {
            let text = Scalar::Float(float).into_text();
            let name = text.trim_start_matches('+').to_ascii_lowercase();
            Ok(match name.strip_prefix('-') {
                Some(name) => format!("-.{name}"),
                None => format!(".{name}"),
            })
        }
        scalar => Ok(scalar.into_text().to_string()),
    }
}
