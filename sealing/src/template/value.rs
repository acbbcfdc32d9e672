//! Values of templates, with the types that they have in Go.
//! Calls nothing and prints nothing, see `print` for that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::text::Text;
use super::time::Time;
use crate::go::semver::Version;

/// Deepest nesting of lists. Go has no limit; ours keeps everything that walks a value within its stack.
pub(super) const MAX_DEPTH: usize = 100;

/// Any value.
#[derive(Clone)]
pub(super) enum Value {
    /// Untyped nil, and no value at all.
    Nil,
    Bool(bool),
    Int(i64, IntType),
    Float(f64),
    Text(Text),
    List(List),
    /// `map[string]interface {}`: shared, and changed in place by `set` and its kin.
    Dict(Dict),
    /// `map[string]string`.
    Texts(Rc<BTreeMap<Text, Text>>),
    Time(Time),
    Version(Rc<Version>),
    Certificate(Rc<Certificate>),
}

/// Types of whole numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum IntType {
    Int,
    Int64,
    Uint8,
    Uint64,
    Duration,
    Month,
    Weekday,
}

pub(super) type Dict = Rc<RefCell<BTreeMap<Text, Value>>>;

/// What the functions that make certificates give.
#[derive(PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) cert: Text,
    pub(super) key: Text,
}

/// A slice. It never changes: functions make new ones.
#[derive(Clone)]
pub(super) struct List {
    /// `None` is Go's nil slice, which only JSON and comparison tell from an empty one.
    items: Option<Rc<[Value]>>,
    pub(super) element: Element,
    /// How deep lists are nested in it, itself included.
    depth: usize,
}

/// Type of a list's elements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Any,
    Text,
    Int,
    Lists,
}

impl List {
    /// `None` when it would be nested deeper than [`MAX_DEPTH`].
    pub(super) fn new(element: Element, items: Vec<Value>) -> Option<Self> {
        let inside = items.iter().map(Value::depth).max().unwrap_or(0);
        (inside < MAX_DEPTH).then(|| Self {
            items: Some(items.into()),
            element,
            depth: inside + 1,
        })
    }

    /// Texts, which nest nothing.
    pub(super) fn of_texts(items: impl Iterator<Item = Text>) -> Self {
        Self {
            items: Some(items.map(Value::Text).collect()),
            element: Element::Text,
            depth: 1,
        }
    }

    /// Go's nil slice.
    pub(super) fn nil(element: Element) -> Self {
        Self {
            items: None,
            element,
            depth: 1,
        }
    }

    /// A part of this list, of the same type.
    pub(super) fn part(&self, items: &[Value]) -> Self {
        Self {
            items: Some(items.into()),
            ..self.clone()
        }
    }

    pub(super) fn is_nil(&self) -> bool {
        self.items.is_none()
    }

    pub(super) fn items(&self) -> &[Value] {
        self.items.as_deref().unwrap_or_default()
    }
}

impl Value {
    pub(super) fn text(text: impl Into<Text>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn int(number: i64) -> Self {
        Self::Int(number, IntType::Int)
    }

    pub(super) fn int64(number: i64) -> Self {
        Self::Int(number, IntType::Int64)
    }

    pub(super) fn size(length: usize) -> Self {
        Self::int(i64::try_from(length).unwrap_or(i64::MAX))
    }

    fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            _ => 0,
        }
    }

    /// The Go type, as `%T` prints it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_, int) => int.name(),
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(list) => list.element.list_name(),
            Self::Dict(_) => "map[string]interface {}",
            Self::Texts(_) => "map[string]string",
            Self::Time(_) => "time.Time",
            Self::Version(_) => "*semver.Version",
            Self::Certificate(_) => "sprig.certificate",
        }
    }

    /// What sort of type it is, as Go's reflection has it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_, int) => int.kind(),
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::List(_) => "slice",
            Self::Dict(_) | Self::Texts(_) => "map",
            Self::Time(_) | Self::Certificate(_) => "struct",
            Self::Version(_) => "ptr",
        }
    }

    /// What `if` takes for true: anything but zero, nothing and the empty.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(flag) => *flag,
            Self::Int(number, _) => *number != 0,
            Self::Float(float) => *float != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::List(list) => !list.items().is_empty(),
            Self::Dict(dict) => !dict.borrow().is_empty(),
            Self::Texts(texts) => !texts.is_empty(),
            Self::Time(_) | Self::Version(_) | Self::Certificate(_) => true,
        }
    }

    /// Entries of a map of either type, by key; `None` for what is no map.
    pub(super) fn entries(&self) -> Option<Vec<(Text, Self)>> {
        match self {
            Self::Dict(dict) => Some(
                dict.borrow()
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect(),
            ),
            Self::Texts(texts) => Some(
                texts
                    .iter()
                    .map(|(key, value)| (key.clone(), Self::Text(value.clone())))
                    .collect(),
            ),
            _ => None,
        }
    }
}

impl IntType {
    fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint64 => "uint64",
            Self::Duration => "time.Duration",
            Self::Month => "time.Month",
            Self::Weekday => "time.Weekday",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Int64 | Self::Duration => "int64",
            Self::Uint8 => "uint8",
            Self::Uint64 => "uint64",
            Self::Int | Self::Month | Self::Weekday => "int",
        }
    }

    pub(super) fn is_unsigned(self) -> bool {
        matches!(self, Self::Uint8 | Self::Uint64)
    }
}

impl Element {
    fn list_name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::Text => "[]string",
            Self::Int => "[]int",
            Self::Lists => "[][]interface {}",
        }
    }
}
