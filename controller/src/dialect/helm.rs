//! Helm's annotations on objects.
//! It must not read charts.

use serde_json::Value;

use super::object::{annotation, annotations, field};
use super::refusal::Refusal;
use super::verdict::{Row, Verdict::*, refuse};

/// Prefix of Helm's annotations.
const PREFIX: &str = "helm.sh/";
/// When a chart's object is applied.
const HOOK: &str = "helm.sh/hook";
/// Order among a chart's hooks; the object's wave when Argo CD's annotation is absent.
pub(super) const HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// Whether the object outlives the release.
const RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// Helm's annotations on objects.
pub const ANNOTATIONS: &[Row] = &[
    (HOOK, Refused),
    (HOOK_WEIGHT, Honoured),
    (
        "helm.sh/hook-delete-policy",
        Harmless("it says when a hook is deleted, and hooks are refused by themselves"),
    ),
    (
        "helm.sh/hook-output-log-policy",
        Harmless("it says what `helm` prints of a hook"),
    ),
    (RESOURCE_POLICY, Honoured),
];

/// Finds what is refused among Helm's annotations.
pub(super) fn check(metadata: &Value, refusals: &mut Vec<Refusal>) {
    for (key, value) in annotations(metadata).filter(|(key, _)| key.starts_with(PREFIX)) {
        match (key, value.trim()) {
            // Helm 2's way to say that the object is a definition, to be there before the others: it always is.
            (HOOK, "crd-install") | (RESOURCE_POLICY, "keep") => {}
            (RESOURCE_POLICY, other) => {
                refusals.push(Refusal::invalid(
                    field(key),
                    format!("found \"{other}\", expected \"keep\""),
                ));
            }
            _ => refusals.extend(refuse(ANNOTATIONS, key, field(key))),
        }
    }
}

/// Whether the object outlives its Application. A policy that is not understood keeps it too.
pub(super) fn keeps(metadata: &Value) -> bool {
    annotation(metadata, RESOURCE_POLICY).is_some()
}
