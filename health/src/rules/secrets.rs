//! Health of what makes Secrets and certificates: SealedSecret, and kinds that say `Ready`.
//! Nothing is opened here; the condition that their controller wrote is all there is to see.

use serde_json::Value;

use crate::conditions::{condition, holds, not_observed};
use crate::verdict::{Health, degraded, healthy, progressing};

const NOT_DECRYPTED: &str = "Waiting for Sealed Secret to be decrypted";
const NOT_FILLED_IN: &str =
    "its template can't be filled in; the condition Synced of the SealedSecret says why";

/// Is its Secret made from the newest spec?
pub(super) fn sealed_secret(object: &Value) -> Health {
    let Some(synced) = condition(object, "Synced") else {
        return progressing(NOT_DECRYPTED);
    };
    if let Some(waiting) = not_observed(object) {
        return waiting;
    }
    match (synced.is("True"), synced.is("False")) {
        (true, _) => healthy(""),
        // What a template of upstream's controller makes of a value stands in its message.
        (_, true) if synced.message().contains("executing \"") => degraded(NOT_FILLED_IN),
        (_, true) => degraded(synced.message()),
        _ => progressing(NOT_DECRYPTED),
    }
}

/// While it is issued anew the old one may still be ready.
pub(super) fn certificate(object: &Value) -> Health {
    match holds(object, "Issuing", "True") {
        Some(issuing) => progressing(issuing.words()),
        None => ready(object),
    }
}

/// By convention `Ready: False` may pass by itself; for these kinds it says that something is wrong.
pub(super) fn ready(object: &Value) -> Health {
    match condition(object, "Ready") {
        Some(ready) if ready.is("True") => healthy(ready.message()),
        Some(ready) if ready.is("False") => degraded(ready.words()),
        _ => progressing("Waiting to become ready"),
    }
}
