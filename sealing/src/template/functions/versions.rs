//! Versions: `semver` reads one, `semverCompare` holds one against a constraint.
//! What versions and constraints mean is in `go::semver`.

use std::rc::Rc;

use super::Param::Text as Str;
use super::{Call, CallError, Function, Value, function};
use crate::go::semver::{Constraint, Flaw, Version};

pub(super) const FUNCTIONS: &[Function] = &[
    function("semver", &[Str], |call| {
        version(call, 0).map(|version| Value::Version(Rc::new(version)))
    }),
    function("semverCompare", &[Str, Str], |call| {
        let constraint = Constraint::parse(&call.text(0).lossy()).map_err(refused)?;
        Ok(Value::Bool(constraint.allows(&version(call, 1)?)))
    }),
];

fn refused(flaw: Flaw) -> CallError {
    CallError::Failed(flaw.to_string().into())
}

fn version(call: &Call<'_>, index: usize) -> Result<Version, CallError> {
    Version::parse(&call.text(index).lossy()).map_err(refused)
}
