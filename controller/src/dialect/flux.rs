//! What objects say to Flux and we honour too.

use serde_json::Value;

/// Label or annotation of an object: `disabled` leaves what looks like variables in it alone.
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
const DISABLED: &str = "disabled";

/// Whether no variable is substituted in the object.
pub(crate) fn keeps_variables(object: &Value) -> bool {
    ["labels", "annotations"]
        .iter()
        .any(|of| object["metadata"][of][SUBSTITUTE] == DISABLED)
}
