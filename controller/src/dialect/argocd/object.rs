//! Argo CD's annotations on objects.
//! It must not read an object beyond its labels and annotations.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{PREFIX, application, options};
use crate::dialect::hook::{self, HookDeletion, Phase, Role, Word};
use crate::dialect::object::{annotation, annotations, field};
use crate::dialect::refusal::Refusal;
use crate::dialect::sync_options::Consent;
use crate::dialect::tracking::TRACKING_ANNOTATION;
use crate::dialect::verdict::{Row, Verdict::*, refuse, verdict};

/// Order among the objects of a sync.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// How the object is synced: `Prune=false,Delete=false`.
const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// How the object is compared.
pub(super) const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// In which phases of an operation the object runs: `PreSync,PostSync`.
const HOOK: &str = "argocd.argoproj.io/hook";
/// When what a hook made is deleted.
const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Keeps what a hook made until its result was read.
pub const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";
/// `"true"` leaves the object out of its Application's health.
const IGNORE_HEALTHCHECK: &str = "argocd.argoproj.io/ignore-healthcheck";

/// Argo CD's annotations on objects. Those on Applications follow in [`application::ANNOTATIONS`].
pub const ANNOTATIONS: &[Row] = &[
    (SYNC_WAVE, Honoured),
    (SYNC_OPTIONS, Honoured),
    (COMPARE_OPTIONS, Honoured),
    (TRACKING_ANNOTATION, Honoured),
    (HOOK, Honoured),
    (HOOK_DELETE_POLICY, Honoured),
    (IGNORE_HEALTHCHECK, Honoured),
    // The crate `health` reads it.
    ("argocd.argoproj.io/ignore-restart-policy", Honoured),
    (
        "argocd.argoproj.io/installation-id",
        Harmless("objects are told apart by their tracking id"),
    ),
    (
        "argocd.argoproj.io/ignore-resource-updates",
        Harmless("updates that change nothing we applied cost nothing"),
    ),
    (
        "argocd.argoproj.io/ignore-default-links",
        Harmless("it is about links in Argo CD's pages"),
    ),
];

/// Finds what is refused among Argo CD's annotations. An Application that another Application applies
/// carries annotations of its own, which are read when it is its turn.
pub(in crate::dialect) fn check(metadata: &Value, refusals: &mut Vec<Refusal>) {
    for (key, value) in annotations(metadata).filter(|(key, _)| key.starts_with(PREFIX)) {
        match (key, value) {
            (SYNC_OPTIONS, list) => {
                options::check(
                    options::OBJECT_SYNC_OPTIONS,
                    &field(key),
                    options::split(list),
                    refusals,
                );
            }
            (COMPARE_OPTIONS, list) => {
                options::check(
                    options::COMPARE_OPTIONS,
                    &field(key),
                    options::split(list),
                    refusals,
                );
            }
            _ if verdict(application::ANNOTATIONS, key).is_some() => {}
            _ => refusals.extend(refuse(ANNOTATIONS, key, field(key))),
        }
    }
}

/// The object's health is not its Application's.
pub(in crate::dialect) fn ignores_health(metadata: &Value) -> bool {
    annotation(metadata, IGNORE_HEALTHCHECK) == Some("true")
}

/// Whether the object's own compare option `key` asks for what it speaks of; `None` when it has none.
pub(in crate::dialect) fn compares(metadata: &Value, key: &str) -> Option<bool> {
    options::asks(options::split(annotation(metadata, COMPARE_OPTIONS)?), key)
}

/// Whether the object's own sync option `key` allows what it speaks of; `None` when it has none.
pub(in crate::dialect) fn allows(metadata: &Value, key: &str) -> Option<bool> {
    options::allows(options::split(annotation(metadata, SYNC_OPTIONS)?), key)
}

/// What the object's own sync option `key` consents to; `None` when it has none.
pub(in crate::dialect) fn consents(metadata: &Value, key: &str) -> Option<Consent> {
    options::consents(options::split(annotation(metadata, SYNC_OPTIONS)?), key)
}

/// What the object is by its hook annotation; `None` without one.
pub(in crate::dialect) fn role(metadata: &Value) -> Result<Option<Role>, Vec<Refusal>> {
    let Some(types) = annotation(metadata, HOOK) else {
        return Ok(None);
    };
    let word = |word: &str| match word {
        "Skip" => Some(Word::Skips),
        word => Phase::named(word).map(Word::Runs),
    };
    let expected = "PreSync, Sync, PostSync, SyncFail, PreDelete, PostDelete or Skip";
    let role = hook::read((&field(HOOK), types), word, expected, metadata)?;
    Ok(Some(match role {
        // It says so itself, which is no news.
        Role::LeftAlone(_) => Role::LeftAlone(None),
        role => role,
    }))
}

/// When what a hook made is deleted, as far as Argo CD's annotation says.
pub(in crate::dialect) fn deletions(
    metadata: &Value,
) -> Result<BTreeSet<HookDeletion>, Vec<Refusal>> {
    hook::policies(
        &field(HOOK_DELETE_POLICY),
        annotation(metadata, HOOK_DELETE_POLICY),
        [
            ("BeforeHookCreation", HookDeletion::BeforeHookCreation),
            ("HookSucceeded", HookDeletion::HookSucceeded),
            ("HookFailed", HookDeletion::HookFailed),
        ],
    )
}
