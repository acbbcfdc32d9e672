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

/// The Secret is not sealed, and the project permits none such.
pub(super) fn refused(terms: &Terms<'_>, wanted: &Wanted) -> Option<String> {
    let refuses = terms.project.plaintext_secrets() == PlaintextSecrets::Refuse;
    let keys = keys(wanted).filter(|_| refuses)?;
    Some(format!(
        "PlaintextSecret: {}: {}: not sealed: {keys}",
        wanted.origin, wanted.key
    ))
}

/// One condition for all of them, also where they are in the cluster already.
pub(super) fn condition(terms: &Terms<'_>) -> Option<Condition> {
    if terms.project.plaintext_secrets() == PlaintextSecrets::Allow {
        return None;
    }
    let secret = |wanted: &Wanted| {
        let keys = keys(wanted)?;
        Some(format!("{}: {}: {keys}", wanted.origin, wanted.key))
    };
    let secrets = terms.desired().objects.values().filter_map(secret);
    let secrets = named(&Vec::from_iter(secrets))?;
    let message = format!("not sealed: {secrets}; {SEAL}");
    Some(Condition::new(
        ConditionKind::PlaintextSecretWarning,
        message,
    ))
}

/// Keys of a Secret that holds something.
fn keys(wanted: &Wanted) -> Option<String> {
    let data = wanted.object.get("data").and_then(Value::as_object);
    let data = data.filter(|data| wanted.key.is("", "Secret") && !data.is_empty())?;
    Some(Vec::from_iter(data.keys().map(String::as_str)).join(", "))
}
