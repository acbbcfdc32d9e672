//! A JSON value with secrets in it: its text is wiped from memory on drop, and it is never printed.
//! Does not know which field means what.

use std::fmt;

use indexmap::IndexMap;
use serde_json::{Number, Value};
use zeroize::Zeroizing;

/// A value as a document says it, maps in the order written. Text is wiped on drop; keys are public.
#[derive(Clone, Default, PartialEq)]
pub enum SecretValue {
    /// Nothing.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A number. Numbers are not wiped: what must stay secret is text.
    Number(Number),
    /// Text.
    Text(Zeroizing<String>),
    /// A list.
    List(Vec<Self>),
    /// A map; of equal keys the last has won.
    Map(IndexMap<String, Self>),
}

impl SecretValue {
    /// The text, where it is text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What a map holds under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// True for null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// An ordinary JSON value, which is neither wiped nor hidden: for objects without secrets, such as a SealedSecret.
    #[must_use]
    pub fn into_public(mut self) -> Value {
        match &mut self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(std::mem::take(&mut **text)),
            Self::List(elements) => elements.drain(..).map(Self::into_public).collect(),
            Self::Map(map) => Value::Object(
                map.drain(..)
                    .map(|(key, value)| (key, value.into_public()))
                    .collect(),
            ),
        }
    }
}

impl From<Value> for SecretValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(flag),
            Value::Number(number) => Self::Number(number),
            Value::String(text) => Self::Text(Zeroizing::new(text)),
            Value::Array(elements) => Self::List(elements.into_iter().map(Self::from).collect()),
            Value::Object(map) => Self::Map(
                map.into_iter()
                    .map(|(key, value)| (key, Self::from(value)))
                    .collect(),
            ),
        }
    }
}

impl From<&str> for SecretValue {
    fn from(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.to_owned()))
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SecretValue(redacted)")
    }
}
