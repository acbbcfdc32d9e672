//! Helm's annotations on objects.
//! It must not read charts.

use std::collections::BTreeSet;

use serde_json::Value;

use super::hook::{self, HookDeletion, Phase, Role, Word};
use super::object::{annotation, annotations, field};
use super::refusal::Refusal;
use super::verdict::{Row, Verdict::*, refuse};

/// Prefix of Helm's annotations.
const PREFIX: &str = "helm.sh/";
/// When a chart's object is applied.
const HOOK: &str = "helm.sh/hook";
/// Order among a chart's hooks; the object's wave when Argo CD's annotation is absent.
pub(super) const HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// When what a hook made is deleted.
const HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// Whether the object outlives the release.
const RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// Helm's annotations on objects.
pub const ANNOTATIONS: &[Row] = &[
    (HOOK, Honoured),
    (HOOK_WEIGHT, Honoured),
    (HOOK_DELETE_POLICY, Honoured),
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
            (RESOURCE_POLICY, "keep") => {}
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

/// What the object is by its hook annotation. An install and an upgrade can't be told apart: both are a sync.
pub(super) fn role(metadata: &Value) -> Result<Role, Vec<Refusal>> {
    let Some(types) = annotation(metadata, HOOK) else {
        return Ok(Role::Object);
    };
    let word = |word: &str| {
        Some(match word {
            "pre-install" | "pre-upgrade" => Word::Runs(Phase::PreSync),
            "post-install" | "post-upgrade" => Word::Runs(Phase::PostSync),
            "pre-delete" => Word::Runs(Phase::PreDelete),
            "post-delete" => Word::Runs(Phase::PostDelete),
            "pre-rollback" | "post-rollback" | "test" | "test-success" | "test-failure" => {
                Word::Skips
            }
            // Helm 2's way to say that the object is a definition, to be there before the others: it always is.
            "crd-install" => Word::Object,
            _ => return None,
        })
    };
    let expected = "a hook of Helm, such as pre-install or post-upgrade";
    hook::read((&field(HOOK), types), word, expected, metadata)
}

/// When what a hook made is deleted, as far as Helm's annotation says.
pub(super) fn deletions(metadata: &Value) -> Result<BTreeSet<HookDeletion>, Vec<Refusal>> {
    hook::policies(
        &field(HOOK_DELETE_POLICY),
        annotation(metadata, HOOK_DELETE_POLICY),
        [
            ("before-hook-creation", HookDeletion::BeforeHookCreation),
            ("hook-succeeded", HookDeletion::HookSucceeded),
            ("hook-failed", HookDeletion::HookFailed),
        ],
    )
}
