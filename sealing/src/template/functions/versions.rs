//! Versions: `semver` reads one, `semverCompare` holds one against a constraint.
//! What constraints mean is in `constraint`.

#[path = "constraint.rs"]
mod constraint;

use std::rc::Rc;

use super::Param::Text as Str;
use super::{Call, CallError, Function, Value, failed, function};
use crate::template::semver::{Flaw, Version};

pub(super) const FUNCTIONS: &[Function] = &[
    function("semver", &[Str], |call| {
        version(call, 0).map(|version| Value::Version(Rc::new(version)))
    }),
    function("semverCompare", &[Str, Str], |call| {
        let constraint =
            constraint::Constraint::parse(&call.text(0).lossy()).map_err(|flaw| refused(&flaw))?;
        Ok(Value::Bool(constraint.admits(&version(call, 1)?)))
    }),
];

fn refused(flaw: &Flaw) -> CallError {
    failed(flaw.message())
}

fn version(call: &Call<'_>, index: usize) -> Result<Version, CallError> {
    Version::parse(&call.text(index).lossy()).map_err(|flaw| refused(&flaw))
}
