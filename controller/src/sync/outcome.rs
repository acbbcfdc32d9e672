//! What became of a step: a value per step, with a reason from a closed set.
//! The API server being away is not an outcome; the executor returns that as an error.

use crate::sync::items::Items;
use crate::sync::plan::PlannedStep;

/// What became of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The step.
    pub step: PlannedStep,
    /// How it went.
    pub result: Result<Done, Failure>,
}

/// How a step went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The object was not there and is now, with these items.
    Created(Items),
    /// The object was changed, and these items of it.
    Configured(Items),
    /// The write changed nothing.
    Unchanged,
    /// Deletion was accepted or the object was gone already.
    Deleted,
    /// Nothing was written: a wait, a comparison, a status patch.
    Noted,
}

/// How a step went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// From a closed set.
    pub reason: FailureReason,
    /// Names the object and what was expected; never a value.
    pub message: String,
}

/// Why a step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// 422 that names an immutable field.
    ImmutableField,
    /// Another 400 or 422: the API server does not take the object.
    Invalid,
    /// 403.
    Forbidden,
    /// 404: the namespace or the kind is not there.
    NotFound,
    /// 409: the uid or resourceVersion is another one by now; the next World tells.
    Conflict,
    /// The unsealing engine refused.
    NotUnsealed,
    /// Time-out, 429 or 5xx for this one object.
    Unavailable,
}
