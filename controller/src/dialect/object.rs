//! What the annotations of one object ask for, in our own words.
//! It must not look at anything but labels and annotations: no spec, no data.

use serde_json::Value;

use super::argocd::object as argocd;
use super::helm;
use super::intent::ObjectDefaults;
use super::refusal::Refusal;

/// What a wanted object asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectPolicy {
    /// Waves are applied from the lowest to the highest.
    pub wave: i32,
    /// May be deleted when it left the repository.
    pub prune: bool,
    /// May be deleted with the Application.
    pub delete: bool,
}

/// What may be done to a live object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guards {
    /// Its wave, for the order of deletion; 0 when it can't be read.
    pub wave: i32,
    /// May be deleted when it left the repository.
    pub prune: bool,
    /// May be deleted with the Application.
    pub delete: bool,
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
    let wave = wave(metadata).unwrap_or_else(|refusal| {
        refusals.push(refusal);
        0
    });
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let Guards { prune, delete, .. } = guards(metadata, defaults);
    Ok(ObjectPolicy {
        wave,
        prune,
        delete,
    })
}

/// What may be done to a live object with this `metadata`. It never fails: what it does not understand
/// protects the object.
pub fn guards(metadata: &Value, defaults: ObjectDefaults) -> Guards {
    Guards {
        wave: wave(metadata).unwrap_or_default(),
        prune: argocd::allows(metadata, "Prune").unwrap_or(defaults.prune)
            && !helm::keeps(metadata),
        delete: argocd::allows(metadata, "Delete").unwrap_or(defaults.delete)
            && !helm::keeps(metadata),
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
