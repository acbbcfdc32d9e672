//! What the annotations of one object ask for, in our own words.
//! It must not look at anything but labels and annotations: no spec, no data.

use serde_json::Value;

use super::argocd::object as argocd;
use super::helm;
use super::hook::role;
use super::refusal::Refusal;
use super::sync_options::{ApplyMode, ApplyPolicy, Consent, ObjectDefaults};
use super::{flux, signet};

/// What a wanted object asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectPolicy {
    /// Waves are applied from the lowest to the highest.
    pub wave: i32,
    /// How it is written.
    pub apply: ApplyPolicy,
    /// Fields that only admission webhooks write are compared too.
    pub include_webhooks: bool,
    /// Its Pods are started anew when a Secret that they use has changed.
    pub restarts: bool,
}

/// What may be done to a live object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guards {
    /// Its wave, for the order of deletion; 0 when it can't be read.
    pub wave: i32,
    /// May it be deleted when it left the repository; `None` when nobody says.
    pub prune: Option<Consent>,
    /// May it be deleted with the Application; `None` when nobody says.
    pub delete: Option<Consent>,
    /// Is deleted after everything else is applied and works.
    pub prune_last: bool,
    /// That it left the repository does not make the Application `OutOfSync`.
    pub ignore_extraneous: bool,
}

/// What a wanted object's `metadata` asks for. `defaults` is what its Application says of all objects.
///
/// # Errors
/// Every annotation that is refused.
pub fn object_policy(
    metadata: &Value,
    defaults: ObjectDefaults,
) -> Result<ObjectPolicy, Vec<Refusal>> {
    let mut refusals = Vec::new();
    argocd::check(metadata, &mut refusals);
    helm::check(metadata, &mut refusals);
    flux::check(metadata, &mut refusals);
    refusals.extend(signet::mode(metadata).err());
    refusals.extend(signet::restarts(metadata).err());
    refusals.extend(role(metadata).err().into_iter().flatten());
    let wave = wave(metadata).unwrap_or_else(|refusal| {
        refusals.push(refusal);
        0
    });
    if !refusals.is_empty() {
        return Err(refusals);
    }
    Ok(ObjectPolicy {
        wave,
        apply: apply_policy(metadata, defaults.apply),
        include_webhooks: argocd::compares(metadata, "IncludeMutationWebhook")
            .unwrap_or(defaults.include_webhooks),
        restarts: signet::restarts(metadata).unwrap_or(true),
    })
}

/// What may be done to a live object with this `metadata`. It never fails: what it does not understand
/// protects the object.
pub fn guards(metadata: &Value, defaults: ObjectDefaults) -> Guards {
    let kept = keeps(metadata).then_some(Consent::No);
    Guards {
        wave: wave(metadata).unwrap_or_default(),
        prune: kept
            .or(argocd::consents(metadata, "Prune"))
            .or(defaults.prune),
        delete: kept
            .or(argocd::consents(metadata, "Delete"))
            .or(defaults.delete),
        prune_last: argocd::allows(metadata, "PruneLast").unwrap_or(defaults.prune_last),
        ignore_extraneous: argocd::compares(metadata, "IgnoreExtraneous").unwrap_or(false),
    }
}

fn keeps(metadata: &Value) -> bool {
    helm::keeps(metadata) || flux::keeps(metadata)
}

/// How an object is written: the most careful of what it says, and where it says nothing what is said of all.
fn apply_policy(metadata: &Value, defaults: ApplyPolicy) -> ApplyPolicy {
    let says = |option: &str| argocd::allows(metadata, option);
    let replaces = says("Replace").unwrap_or(defaults.mode == ApplyMode::Replace);
    let takes_over = says("ClientSideApplyMigration").unwrap_or(defaults.mode != ApplyMode::Merge);
    let modes = [
        replaces.then_some(ApplyMode::Replace),
        (!takes_over).then_some(ApplyMode::Merge),
        signet::mode(metadata).ok().flatten(),
        flux::mode(metadata).ok().flatten(),
    ];
    ApplyPolicy {
        mode: modes.into_iter().flatten().max().unwrap_or_default(),
        force: says("Force").unwrap_or(defaults.force) || flux::forces(metadata),
    }
}

/// The object's health is not its Application's.
pub fn ignores_health(metadata: &Value) -> bool {
    argocd::ignores_health(metadata)
}

/// Argo CD's wave, else the weight of a Helm hook, else 0.
fn wave(metadata: &Value) -> Result<i32, Refusal> {
    for key in [argocd::SYNC_WAVE, helm::HOOK_WEIGHT] {
        if let Some(text) = annotation(metadata, key) {
            let invalid = || {
                Refusal::invalid(
                    field(key),
                    format!("found \"{text}\", expected a whole number"),
                )
            };
            return text.trim().parse().map_err(|_| invalid());
        }
    }
    Ok(0)
}

/// The annotation `key` of `metadata`.
pub(super) fn annotation<'a>(metadata: &'a Value, key: &str) -> Option<&'a str> {
    metadata.get("annotations")?.get(key)?.as_str()
}

/// All annotations of `metadata`.
pub(super) fn annotations(metadata: &Value) -> impl Iterator<Item = (&str, &str)> {
    let map = metadata.get("annotations").and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()))
}

/// How a refusal names an annotation.
pub(super) fn field(key: &str) -> String {
    format!("annotation {key}")
}
