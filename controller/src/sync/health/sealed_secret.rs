//! Health of a SealedSecret: is its Secret made from the newest spec?
//! Nothing is opened here; the condition that its controller wrote is all there is to see.

use serde_json::Value;

use super::{condition, degraded, healthy, not_observed, progressing};
use crate::sync::world::Health;

pub(super) fn sealed_secret(object: &Value) -> Health {
    let Some(synced) = condition(object, "Synced") else {
        return progressing("Waiting for Sealed Secret to be decrypted");
    };
    if let Some(waiting) = not_observed(object) {
        return waiting;
    }
    match (synced.is("True"), synced.is("False")) {
        (true, _) => healthy(),
        (_, true) => degraded(synced.message()),
        _ => progressing("Waiting for Sealed Secret to be decrypted"),
    }
}
