//! What the API server's refusals mean: one reason from a closed set, and a text that shows no value.
//! It never takes an unreachable API server for an answer: that stays an error.

use kube::core::Status;

use crate::refusal;
use crate::sync::{
    items::holds_secrets,
    key::ObjectKey,
    outcome::{Failure, FailureReason},
};

/// Turns an error of a request about `key` into a failure.
///
/// # Errors
/// The error itself, when the API server gave no answer that speaks of this object.
pub(crate) fn failure(key: &ObjectKey, error: kube::Error) -> Result<Failure, kube::Error> {
    match error {
        kube::Error::Api(status) if status.code == 401 && refusal::denial(&status).is_none() => {
            Err(kube::Error::Api(status))
        }
        kube::Error::Api(status) => Ok(Failure {
            reason: reason(&status),
            message: message(key, &status),
        }),
        // Why it can't is told with what was found there.
        kube::Error::SerdeError(_) => Ok(Failure {
            reason: FailureReason::Unavailable,
            message: format!("{key}: the API server's answer can't be read"),
        }),
        error => Err(error),
    }
}

/// The same of a write. A server that is too busy, or that lost what it stores, has nothing against the object, and nobody knows
/// whether it was written: the next pass looks, instead of a try that failed.
///
/// # Errors
/// The error itself, when it says nothing of this object.
pub(super) fn write_failure(key: &ObjectKey, error: kube::Error) -> Result<Failure, kube::Error> {
    match error {
        kube::Error::Api(status) if is_trouble_of_the_server(&status) => {
            let error = kube::Error::Api(status);
            Err(refusal::error_without_values(key, error))
        }
        error => failure(key, error),
    }
}

/// What goes wrong inside the API server has no reason.
fn is_trouble_of_the_server(status: &Status) -> bool {
    match status.code {
        _ if refusal::is_denied(status) => false,
        429 | 504 => true,
        500 => status.reason.is_empty() && !is_schema_error(status),
        _ => false,
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
        409 if !refusal::is_denied(status) => FailureReason::Conflict,
        422 if speaks_of_immutability(status) => FailureReason::ImmutableField,
        400 | 405 | 413 | 415 | 422 => FailureReason::Invalid,
        _ if refusal::is_denied(status) => FailureReason::Invalid,
        500 if is_schema_error(status) => FailureReason::Invalid,
        _ => FailureReason::Unavailable,
    }
}

/// What does not fit the schema answers 500 with no reason; asking again would not help.
fn is_schema_error(status: &Status) -> bool {
    status.reason.is_empty() && refusal::misfits(status).is_some()
}

fn speaks_of_immutability(status: &Status) -> bool {
    /// How the built-in kinds say that a field can't be changed in place.
    const TEXTS: [&str; 12] = [
        "immutable",
        "updates to statefulset spec",
        "may not change",
        "may not be changed",
        "cannot be changed",
        "can not be changed",
        "cannot change roleRef",
        "updates to provisioner are forbidden",
        "updates to parameters are forbidden",
        "updates to reclaimPolicy are forbidden",
        "updates to driverName are forbidden",
        "may not add or remove containers",
    ];
    let says = |text: &str| TEXTS.iter().any(|immutable| text.contains(immutable));
    says(&status.message) || refusal::causes(status).any(|cause| says(&cause.message))
}

/// The API server repeats the values it refuses: they are left out, and of objects that hold secrets the words of others, too.
fn message(key: &ObjectKey, status: &Status) -> String {
    match holds_secrets(key) {
        true => refusal::without_values(key, status),
        false => refusal::unquoted(key, status),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::key::GroupKind;

    fn refused(kind: &GroupKind, status: serde_json::Value) -> Failure {
        let status: Status = serde_json::from_value(status).unwrap();
        failure(
            &ObjectKey::new(kind, Some("web"), "a"),
            kube::Error::Api(Box::new(status)),
        )
        .unwrap()
    }

    fn deployment() -> GroupKind {
        GroupKind::new("apps", "Deployment")
    }

    #[test]
    fn reasons_come_from_a_closed_set() {
        for (code, reason, message, expected) in [
            (
                422,
                "Invalid",
                "spec.selector: Invalid value: field is immutable",
                FailureReason::ImmutableField,
            ),
            (
                422,
                "Invalid",
                "spec.replicas: must be greater than or equal to 0",
                FailureReason::Invalid,
            ),
            (
                400,
                "BadRequest",
                "admission webhook denied the request",
                FailureReason::Invalid,
            ),
            (403, "Forbidden", "exceeded quota", FailureReason::Forbidden),
            (
                404,
                "NotFound",
                "namespaces \"web\" not found",
                FailureReason::NotFound,
            ),
            (
                409,
                "Conflict",
                "the UID in the precondition does not match",
                FailureReason::Conflict,
            ),
            (
                409,
                "Conflict",
                "admission webhook \"guard.example.com\" denied the request: no",
                FailureReason::Invalid,
            ),
            (429, "TooManyRequests", "", FailureReason::Unavailable),
            (
                500,
                "InternalError",
                "failed calling webhook",
                FailureReason::Unavailable,
            ),
            (
                500,
                "",
                "failed to create typed patch object (web/a; apps/v1, Kind=Deployment): .spec.x: field not declared in schema",
                FailureReason::Invalid,
            ),
            (504, "Timeout", "", FailureReason::Unavailable),
        ] {
            let found = refused(
                &deployment(),
                json!({"code": code, "reason": reason, "message": message}),
            );
            assert_eq!(found.reason, expected, "{code} {message}");
        }
    }

    #[test]
    fn each_kind_has_its_own_words_for_what_can_not_be_changed_in_place() {
        for message in [
            "roleRef: Invalid value: {\"kind\":\"ClusterRole\",\"name\":\"edit\"}: cannot change roleRef",
            "parameters: Forbidden: updates to parameters are forbidden.",
            "provisioner: Forbidden: updates to provisioner are forbidden.",
            "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.",
            "driverName: Forbidden: updates to driverName are forbidden.",
            "value: Forbidden: may not be changed in an update.",
            "spec.clusterIPs[0]: Invalid value: [\"10.0.0.1\"]: may not change once set",
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden",
            "spec: Forbidden: spec is immutable after creation except resources.requests",
            "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`",
            "spec.containers: Forbidden: pod updates may not add or remove containers",
        ] {
            let status = json!({"code": 422, "reason": "Invalid", "message": message});
            let found = refused(&deployment(), status);
            assert_eq!(found.reason, FailureReason::ImmutableField, "{message}");
        }
    }

    #[test]
    fn the_value_of_a_secret_is_not_repeated() {
        let status = json!({
            "code": 422, "reason": "Invalid", "message": "Secret \"a\" is invalid: data[x]: Invalid value: \"hunter2\"",
            "details": {"causes": [{"field": "data[x]", "reason": "FieldValueInvalid", "message": "Invalid value: \"hunter2\""}]},
        });
        let found = refused(&GroupKind::new("", "Secret"), status);
        assert_eq!(
            found.message,
            "Secret web/a: Invalid: data[x] (FieldValueInvalid)"
        );
    }

    #[test]
    fn trouble_of_the_api_server_is_no_failure_of_what_was_to_be_written() {
        for (code, reason, message, is_failure) in [
            (429, "TooManyRequests", "storage is (re)initializing", false),
            (500, "", "etcdserver: request timed out", false),
            (504, "Timeout", "request did not complete", false),
            (500, "InternalError", "failed calling webhook", true),
            (
                500,
                "",
                "failed to create typed patch object (web/a; apps/v1, Kind=Deployment): .spec.x: expected string, got 1",
                true,
            ),
            (503, "ServiceUnavailable", "of an aggregated API", true),
            (
                429,
                "",
                "admission webhook \"guard.example.com\" denied the request: no",
                true,
            ),
            (
                500,
                "",
                "failed to create typed live object (web/a; apps/v1, Kind=Deployment): .spec.x: expected integer, got \"1\"",
                true,
            ),
            (
                500,
                "",
                "failed to create manager for existing fields: failed to convert new object (web/a; apps/v1, Kind=Deployment) to smd typed: .spec.x: expected integer, got \"1\"",
                true,
            ),
            (403, "Forbidden", "exceeded quota", true),
        ] {
            let status = json!({"code": code, "reason": reason, "message": message});
            let status: Status = serde_json::from_value(status).unwrap();
            let key = ObjectKey::new(&deployment(), Some("web"), "a");
            let answer = write_failure(&key, kube::Error::Api(Box::new(status)));
            assert_eq!(answer.is_ok(), is_failure, "{code} {message}");
        }
    }

    #[test]
    fn a_token_that_is_not_accepted_is_no_answer_about_the_object() {
        let status = Status::failure("Unauthorized", "Unauthorized").with_code(401);
        let key = ObjectKey::new(&deployment(), Some("web"), "a");
        assert!(failure(&key, kube::Error::Api(status.boxed())).is_err());
    }
}
