//! What is sent to write a wanted object over a live one: fields that don't count are left alone.
//! It sends nothing, and must not decide which fields these are.

use std::borrow::Cow;

use kube::api::DynamicObject;
use serde_json::{Map, Value};

use crate::ignore::{self, Problem};
use crate::sync::compare::close::{comparable, managed_fields};
use crate::sync::compare::ownership;
use crate::sync::desired::Wanted;

/// The body of an apply: such a field is in it only where it is ours already, as it is.
///
/// # Errors
/// When a rule was not done within its limits.
pub(super) fn of_apply<'a>(
    wanted: &'a Wanted,
    live: &DynamicObject,
) -> Result<Cow<'a, Value>, Problem> {
    over(wanted, live, ownership::ours(managed_fields(live)))
}

/// The body of a replacement: such a field stays, whoever's it is.
///
/// # Errors
/// When a rule was not done within its limits.
pub(super) fn of_replacement<'a>(
    wanted: &'a Wanted,
    live: &DynamicObject,
) -> Result<Cow<'a, Value>, Problem> {
    let everything = Value::Object(Map::new());
    over(wanted, live, Some(&everything))
}

fn over<'a>(
    wanted: &'a Wanted,
    live: &DynamicObject,
    keeps: Option<&Value>,
) -> Result<Cow<'a, Value>, Problem> {
    let ignored = &wanted.ignored;
    if !ignored.leaves_alone() {
        return Ok(Cow::Borrowed(&wanted.object));
    }
    let (read, managed) = (comparable(live), managed_fields(live));
    ignore::body(ignored, &wanted.object, &read, managed, keeps).map(Cow::Owned)
}
