//! What functions take: the types of their parameters, and which values suit them.
//! Converts nothing: Go's templates don't either.

use super::value::{Element, IntType, Value};

/// Type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Param {
    Any,
    Bool,
    Certificate,
    Dict,
    Duration,
    Float,
    Int,
    List,
    Text,
    Time,
    Uint32,
    Version,
}

impl Param {
    /// The Go type, as messages name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::Bool => "bool",
            Self::Certificate => "sprig.certificate",
            Self::Dict => "map[string]interface {}",
            Self::Duration => "time.Duration",
            Self::Float => "float64",
            Self::Int => "int",
            Self::List => "[]interface {}",
            Self::Text => "string",
            Self::Time => "time.Time",
            Self::Uint32 => "uint32",
            Self::Version => "*semver.Version",
        }
    }

    pub(super) fn can_be_nil(self) -> bool {
        matches!(self, Self::Any | Self::Dict | Self::List)
    }

    pub(super) fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any, _)
            | (Self::Bool, Value::Bool(_))
            | (Self::Certificate, Value::Certificate(_))
            | (Self::Dict, Value::Dict(_))
            | (Self::Float, Value::Float(_))
            | (Self::Text, Value::Text(_))
            | (Self::Time, Value::Time(_))
            | (Self::Version, Value::Version(_)) => true,
            (Self::Int, Value::Int(_, int)) => *int == IntType::Int,
            (Self::Duration, Value::Int(_, int)) => *int == IntType::Duration,
            (Self::List, Value::List(list)) => list.element == Element::Any,
            (_, Value::Nil) => self.can_be_nil(),
            _ => false,
        }
    }
}
