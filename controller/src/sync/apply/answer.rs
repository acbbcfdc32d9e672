//! What the API server's refusals mean: one reason from a closed set, and a text that shows no value of a Secret.
//! It never takes an unreachable API server for an answer: that stays an error.

use kube::core::Status;

use crate::sync::{
    key::ObjectKey,
    outcome::{Failure, FailureReason},
};

/// Turns an error of a request about `key` into a failure.
///
/// # Errors
/// The error itself, when the API server gave no answer that speaks of this object.
pub(crate) fn failure(key: &ObjectKey, error: kube::Error) -> Result<Failure, kube::Error> {
    match error {
        kube::Error::Api(status) if status.code == 401 => Err(kube::Error::Api(status)),
        kube::Error::Api(status) => Ok(Failure {
            reason: reason(&status),
            message: message(key, &status),
        }),
        kube::Error::SerdeError(source) => Ok(Failure {
            reason: FailureReason::Unavailable,
            message: format!("{key}: the API server's answer can't be read: {source}"),
        }),
        error => Err(error),
    }
}

/// True for the answer of a resource behind an admission webhook, or an aggregated API, that takes no dry-run.
pub(crate) fn refuses_dry_run(status: &Status) -> bool {
    status.code == 400 && status.message.contains("dry run")
}

fn reason(status: &Status) -> FailureReason {
    match status.code {
        403 => FailureReason::Forbidden,
        404 => FailureReason::NotFound,
        409 => FailureReason::Conflict,
        422 if speaks_of_immutability(status) => FailureReason::ImmutableField,
        400 | 405 | 413 | 415 | 422 => FailureReason::Invalid,
        500 if is_schema_error(status) => FailureReason::Invalid,
        _ => FailureReason::Unavailable,
    }
}

/// A field that the schema does not know answers 500 with no reason; asking again would not help.
fn is_schema_error(status: &Status) -> bool {
    status.reason.is_empty() && status.message.contains("field not declared in schema")
}

fn speaks_of_immutability(status: &Status) -> bool {
    /// How the built-in kinds say that a field can't be changed in place.
    const TEXTS: [&str; 6] = [
        "immutable",
        "updates to statefulset spec",
        "may not change",
        "may not be changed",
        "cannot be changed",
        "can not be changed",
    ];
    let says = |text: &str| TEXTS.iter().any(|immutable| text.contains(immutable));
    says(&status.message) || causes(status).any(|cause| says(&cause.message))
}

/// The API server repeats the values it refuses; of objects that hold secrets only the fields are named.
fn message(key: &ObjectKey, status: &Status) -> String {
    let secret = key.is("", "Secret")
        || key.is(
            crds::names::sealed_secret::GROUP,
            crds::names::sealed_secret::KIND,
        );
    if !secret || status.code == 404 || status.code == 409 {
        return status.message.clone();
    }
    let fields: Vec<_> = causes(status)
        .map(|cause| format!("{} ({})", cause.field, cause.reason))
        .collect();
    let reason = if status.reason.is_empty() {
        "Refused"
    } else {
        &status.reason
    };
    match fields.as_slice() {
        [] => format!("{key}: {reason}"),
        fields => format!("{key}: {reason}: {}", fields.join(", ")),
    }
}

fn causes(status: &Status) -> impl Iterator<Item = &kube::core::response::StatusCause> {
    status.details.iter().flat_map(|details| &details.causes)
}
