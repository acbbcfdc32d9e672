//! What may be repeated of the API server's refusals: who refused, which fields, and why.
//! It must not pass on a value that the API server quotes. Of an object that holds secrets it passes on no words of admission webhooks and
//! policies either, which write what they like.

use std::fmt::Display;

use kube::core::Status;
use kube::core::response::StatusCause;

/// How texts of others begin, and where what the API server itself says of them ends.
const DENIALS: [(&str, &str); 3] = [
    ("admission webhook \"", "\" denied the request"),
    ("ValidatingAdmissionPolicy '", " denied request"),
    ("Internal error occurred: failed calling webhook \"", "\""),
];

/// Parts of texts about the request as a whole: of quota, namespaces and rights.
const ABOUT_THE_REQUEST: [&str; 3] = [
    "is forbidden: exceeded quota: ",
    "because it is being terminated",
    "is forbidden: User ",
];

/// How the API server says that a field of a Secret can't change. Users and scripts know these texts.
const IMMUTABLE: &str = "field is immutable";

/// The webhook or policy that denied the request, or could not be asked, without its own words.
pub(crate) fn denial(status: &Status) -> Option<&str> {
    let text = after_place(&status.message);
    DENIALS.iter().find_map(|(begin, end)| {
        let rest = text.strip_prefix(begin)?;
        let length = begin.len() + rest.find(end)? + end.len();
        Some(&text[..length])
    })
}

/// A webhook or a policy is against it, whatever code it answers.
pub(crate) fn is_denied(status: &Status) -> bool {
    denial(status).is_some_and(|denial| !denial.starts_with("Internal error"))
}

/// The refusal without anything that could be a value; `object` names what was refused.
pub(crate) fn without_values(object: &dyn Display, status: &Status) -> String {
    if let Some(denial) = denial(status) {
        return denial.to_owned();
    }
    if holds_no_value(status) {
        return status.message.clone();
    }
    if let Some(misfits) = misfits(status) {
        return format!("{object}: {}", misfits.join(", "));
    }
    let fields: Vec<_> = causes(status)
        .map(|cause| format!("{} ({})", cause.field, cause.reason))
        .collect();
    let reason = match status.reason.as_str() {
        "" => "Refused",
        reason => reason,
    };
    match fields.as_slice() {
        [] => format!("{object}: {reason}"),
        fields => format!("{object}: {reason}: {}", fields.join(", ")),
    }
}

/// How the API server begins where it repeats what it found in a field.
const QUOTING: [&str; 3] = [
    "Invalid value: ",
    "Unsupported value: ",
    "Duplicate value: ",
];

/// The refusal of an object that is not there to hold secrets, and may hold passwords all the same: in the words of webhooks and policies, and
/// in those of the API server without the values that it repeats.
pub(crate) fn unquoted(object: &dyn Display, status: &Status) -> String {
    let message = &status.message;
    if denial(status).is_some() {
        return message.clone();
    }
    if let Some(misfits) = misfits(status) {
        return format!("{object}: {}", misfits.join(", "));
    }
    let fields: Vec<_> = causes(status)
        .map(|cause| format!("{}: {}", cause.field, without_value(&cause.message)))
        .collect();
    match (fields.as_slice(), message.split_once(" is invalid: ")) {
        ([], _) if QUOTING.iter().any(|quoting| message.contains(quoting)) => {
            format!("{object}: {}", status.reason)
        }
        (fields @ [_, ..], Some((head, _))) if status.code == 422 => {
            format!("{head} is invalid: {}", fields.join(", "))
        }
        // A reader of JSON shows the surroundings of what it can't read.
        _ => {
            let said = message.split(", error found in #").next();
            said.unwrap_or_default().to_owned()
        }
    }
}

/// What is wrong with a field: `Invalid value: "hunter2": must be shorter` without what it found.
fn without_value(message: &str) -> String {
    let begins = |quoting: &&str| message.starts_with(*quoting);
    let Some(quoting) = QUOTING.into_iter().find(begins) else {
        return message.to_owned();
    };
    let rest = &message[quoting.len()..];
    let wrong = match rest.strip_prefix('"') {
        Some(text) => end_of_text(text).and_then(|end| text[end + 1..].strip_prefix(": ")),
        None if rest.contains(['{', '[']) => {
            let ends = ["}: ", "]: "].iter().filter_map(|end| rest.rfind(end));
            ends.max().map(|end| &rest[end + "}: ".len()..])
        }
        None => rest.split_once(": ").map(|(_, wrong)| wrong),
    };
    match wrong {
        Some(wrong) => format!("{quoting}{wrong}"),
        None => quoting.trim_end_matches(": ").to_owned(),
    }
}

/// Where a text ends that Go has quoted.
fn end_of_text(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// An error of a request that carried secrets, fit for the log.
pub(crate) fn error_without_values(object: &dyn Display, error: kube::Error) -> kube::Error {
    match error {
        kube::Error::Api(status) => kube::Error::Api(Box::new(Status {
            message: without_values(object, &status),
            reason: String::new(),
            details: None,
            ..*status
        })),
        error => error,
    }
}

/// The fields of an apply that do not fit the schema, each with what was expected, and without what was found: as
/// `.data.token: expected string`. `None` where the refusal is about something else.
pub(crate) fn misfits(status: &Status) -> Option<Vec<String>> {
    /// Of what is applied, and of what is there once its kind has another schema.
    const MISFITS: [&str; 4] = [
        "failed to create typed patch object (",
        "failed to create typed live object (",
        "failed to create manager for existing fields: failed to convert new object (",
        "failed to convert new object (",
    ];
    let rest = MISFITS
        .iter()
        .find_map(|text| status.message.strip_prefix(text))?;
    let (_, said) = rest
        .split_once(") to smd typed: ")
        .or_else(|| rest.split_once("): "))?;
    let fields = said.lines().filter_map(|line| {
        let (field, wrong) = line.trim().split_once(": ")?;
        let expected = wrong.split(", got ").next()?;
        let is_plain = field.starts_with('.') && !expected.contains(['"', '`']);
        is_plain.then(|| format!("{field}: {expected}"))
    });
    Some(fields.collect())
}

/// What refused each field.
pub(crate) fn causes(status: &Status) -> impl Iterator<Item = &StatusCause> {
    status.details.iter().flat_map(|details| &details.causes)
}

/// Policies are quoted behind `secrets "name" is forbidden: `.
fn after_place(message: &str) -> &str {
    match message.split_once(" is forbidden: ") {
        Some((place, rest)) if place.split(' ').count() == 2 => rest,
        _ => message,
    }
}

fn holds_no_value(status: &Status) -> bool {
    let known = |text: &&str| status.message.contains(text);
    match status.code {
        404 | 409 => true,
        403 => ABOUT_THE_REQUEST.iter().any(known),
        422 => causes(status).next().is_some() && causes(status).all(is_plain),
        _ => false,
    }
}

/// A type is no secret, and neither is that something is missing or can't change.
fn is_plain(cause: &StatusCause) -> bool {
    let changes = cause.message.contains(IMMUTABLE);
    match cause.field.as_str() {
        "type" => changes,
        "data" | "immutable" => changes && cause.reason == "FieldValueForbidden",
        _ => cause.reason == "FieldValueRequired",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(status: Value) -> String {
        let status: Status = serde_json::from_value(status).unwrap();
        without_values(&"Secret ns/db", &status)
    }

    fn invalid(message: &str, causes: &Value) -> Value {
        json!({ "code": 422, "reason": "Invalid", "message": message, "details": { "causes": causes } })
    }

    #[test]
    fn a_webhook_is_named_and_not_quoted() {
        for code in [400, 401, 403, 404, 409, 422, 429, 500] {
            let status = json!({
                "code": code, "reason": "hunter2", "message": "admission webhook \"guard.example.com\" denied the request: hunter2",
                "details": { "causes": [{ "field": "hunter2", "reason": "hunter2", "message": "hunter2" }] }
            });
            assert_eq!(
                told(status),
                "admission webhook \"guard.example.com\" denied the request"
            );
        }
        let broken = "Internal error occurred: failed calling webhook \"guard.example.com\": an error on the server (\"hunter2\")";
        assert_eq!(
            told(json!({ "code": 500, "message": broken })),
            "Internal error occurred: failed calling webhook \"guard.example.com\""
        );
    }

    #[test]
    fn a_policy_is_named_and_not_quoted() {
        let message = "secrets \"db\" is forbidden: ValidatingAdmissionPolicy 'guard' with binding 'all' denied request: hunter2";
        let causes = json!([{ "message": "hunter2" }]);
        assert_eq!(
            told(invalid(message, &causes)),
            "ValidatingAdmissionPolicy 'guard' with binding 'all' denied request"
        );
    }

    #[test]
    fn a_value_that_the_api_server_repeats_is_left_out() {
        let causes = json!([{ "field": "data[x]", "reason": "FieldValueInvalid", "message": "Invalid value: \"hunter2\"" }]);
        let message =
            "Secret \"db\" is invalid: data[x]: Invalid value: \"hunter2 is forbidden: User \"";
        assert_eq!(
            told(invalid(message, &causes)),
            "Secret ns/db: Invalid: data[x] (FieldValueInvalid)"
        );
        assert_eq!(
            told(json!({ "code": 400, "reason": "BadRequest", "message": "hunter2" })),
            "Secret ns/db: BadRequest"
        );
        assert_eq!(
            told(json!({ "code": 413, "message": "hunter2" })),
            "Secret ns/db: Refused"
        );
    }

    #[test]
    fn texts_that_users_know_stay_word_for_word() {
        let immutable = "field is immutable when `immutable` is set";
        let forbidden = json!([{ "field": "data", "reason": "FieldValueForbidden", "message": format!("Forbidden: {immutable}") }]);
        let typed = json!([{ "field": "type", "reason": "FieldValueInvalid", "message": "Invalid value: \"foo/bar\": field is immutable" }]);
        for status in [
            invalid(
                &format!("Secret \"im\" is invalid: data: Forbidden: {immutable}"),
                &forbidden,
            ),
            invalid(
                "Secret \"ty\" is invalid: type: Invalid value: \"foo/bar\": field is immutable",
                &typed,
            ),
            invalid(
                "Secret \"t\" is invalid: data[tls.crt]: Required value",
                &json!([{ "field": "data[tls.crt]", "reason": "FieldValueRequired", "message": "Required value" }]),
            ),
            json!({ "code": 403, "reason": "Forbidden", "message": "secrets \"db\" is forbidden: exceeded quota: few, requested: secrets=1, used: secrets=2, limited: secrets=2" }),
            json!({ "code": 403, "reason": "Forbidden", "message": "secrets is forbidden: User \"me\" cannot create resource \"secrets\" in API group \"\" in the namespace \"ns\"" }),
            json!({ "code": 404, "reason": "NotFound", "message": "namespaces \"ns\" not found" }),
        ] {
            assert_eq!(told(status.clone()), status["message"]);
        }
    }

    #[test]
    fn of_a_field_that_does_not_fit_only_what_was_expected_is_told() {
        let message = "failed to create typed patch object (ns/db; /v1, Kind=Secret): errors:\n  \
            .data.token: expected string, got &value.valueUnstructured{Value:[]interface {}{\"hunter2\"}}\n  \
            .spec: field not declared in schema";
        assert_eq!(
            told(json!({ "code": 500, "message": message })),
            "Secret ns/db: .data.token: expected string, .spec: field not declared in schema"
        );
    }

    #[test]
    fn of_other_objects_all_is_told_but_the_values_that_it_repeats() {
        let cause = |field: &str, message: &str| json!({"field": field, "reason": "FieldValueInvalid", "message": message});
        for (causes, told) in [
            (
                vec![cause(
                    "spec.replicas",
                    "Invalid value: -1: must be greater than or equal to 0",
                )],
                "spec.replicas: Invalid value: must be greater than or equal to 0",
            ),
            (
                vec![
                    cause(
                        "a",
                        r#"Invalid value: "hun\"ter2": a valid label must be short: \"x\""#,
                    ),
                    cause("b", "Required value"),
                    cause(
                        "c",
                        r#"Unsupported value: "hunter2": supported values: "Always", "Never""#,
                    ),
                    cause("d", r#"Duplicate value: "hunter2""#),
                    cause("e", r#"Not found: "config""#),
                ],
                r#"a: Invalid value: a valid label must be short: \"x\", b: Required value, c: Unsupported value: supported values: "Always", "Never", d: Duplicate value, e: Not found: "config""#,
            ),
            (
                vec![cause(
                    "spec.template",
                    r#"Invalid value: core.PodTemplateSpec{Env:[]core.EnvVar{core.EnvVar{Name:"A", Value:"hunter2"}}}: field is immutable"#,
                )],
                "spec.template: Invalid value: field is immutable",
            ),
            (
                vec![cause(
                    "spec.clusterIPs[0]",
                    r#"Invalid value: ["10.0.0.1"]: may not change once set"#,
                )],
                "spec.clusterIPs[0]: Invalid value: may not change once set",
            ),
        ] {
            let status = invalid("Job.batch \"m\" is invalid: hunter2", &causes.into());
            let status: Status = serde_json::from_value(status).unwrap();
            let told = format!("Job.batch \"m\" is invalid: {told}");
            assert_eq!(unquoted(&"Job ns/m", &status), told);
        }
        for (status, told) in [
            (
                json!({"code": 500, "message": "failed to create typed patch object (ns/web; apps/v1, Kind=Deployment): .spec.template.spec.containers[name=\"web\"].env[name=\"PIN\"].value: expected string, got &value.valueUnstructured{Value:48151623}"}),
                "Job ns/m: .spec.template.spec.containers[name=\"web\"].env[name=\"PIN\"].value: expected string",
            ),
            (
                json!({"code": 422, "reason": "Invalid", "message": "spec.x: Invalid value: \"hunter2\": no"}),
                "Job ns/m: Invalid",
            ),
            (
                json!({"code": 400, "message": "quantities must match x, error found in #10 byte of ...|hunter2|..."}),
                "quantities must match x",
            ),
            (
                json!({"code": 403, "message": "admission webhook \"guard.example.com\" denied the request: no latest tags"}),
                "admission webhook \"guard.example.com\" denied the request: no latest tags",
            ),
        ] {
            let status: Status = serde_json::from_value(status).unwrap();
            assert_eq!(unquoted(&"Job ns/m", &status), told);
        }
    }

    #[test]
    fn an_error_for_the_log_holds_no_value_either() {
        let status = Status::failure("hunter2", "ServiceUnavailable").with_code(503);
        let error = error_without_values(&"Secret ns/db", kube::Error::Api(status.boxed()));
        let text = crate::run::chain(&error);
        assert!(!text.contains("hunter2"), "{text}");
        assert!(matches!(error, kube::Error::Api(status) if status.code == 503));
    }
}
