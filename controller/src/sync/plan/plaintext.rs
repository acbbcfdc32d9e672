//! Secrets of a revision that are not sealed, where the project minds.
//! It names their keys and never a value; what is rendered counts, wherever its values are from.

use serde_json::Value;

use crate::access::PlaintextSecrets;
use crate::sync::desired::Wanted;
use crate::sync::plan::comparison::{Terms, named};
use crate::sync::plan::{Condition, ConditionKind};

/// What somebody can do about it.
pub(super) const SEAL: &str =
    "seal it: signet seal -f FILE -o FILE, and change the values if others have read them";

/// Those that the project does not permit.
pub(super) fn refused(terms: &Terms<'_>) -> impl Iterator<Item = String> {
    let refuses = terms.project.plaintext_secrets() == PlaintextSecrets::Refuse;
    let found = unsealed(terms).filter(move |_| refuses);
    found.map(|(wanted, keys)| {
        let Wanted { key, origin, .. } = wanted;
        format!("PlaintextSecret: {origin}: {key}: not sealed: {keys}")
    })
}

/// One condition for all of them, also where they are in the cluster already.
pub(super) fn condition(terms: &Terms<'_>) -> Option<Condition> {
    if terms.project.plaintext_secrets() == PlaintextSecrets::Allow {
        return None;
    }
    let secrets = unsealed(terms).map(|(wanted, keys)| {
        let Wanted { key, origin, .. } = wanted;
        format!("{origin}: {key}: {keys}")
    });
    let secrets = named(&Vec::from_iter(secrets))?;
    let message = format!("not sealed: {secrets}; {SEAL}");
    Some(Condition::new(
        ConditionKind::PlaintextSecretWarning,
        message,
    ))
}

/// Secrets that hold something, also where a hook makes them, each with its keys.
fn unsealed<'a>(terms: &'a Terms<'_>) -> impl Iterator<Item = (&'a Wanted, String)> {
    let desired = terms.desired();
    let hooks = desired.hooks.values().map(|hook| &hook.wanted);
    let wanted = desired.objects.values().chain(hooks);
    wanted.filter_map(|wanted| {
        let data = wanted.object.get("data").and_then(Value::as_object);
        let data = data.filter(|data| wanted.key.is("", "Secret") && !data.is_empty())?;
        let keys = Vec::from_iter(data.keys().map(String::as_str)).join(", ");
        Some((wanted, keys))
    })
}
