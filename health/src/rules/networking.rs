//! Health of Service and Ingress.
//! Whether anything answers behind them is not known here.

use serde_json::Value;

use crate::fields::{elements, text};
use crate::verdict::{Health, healthy, progressing};

pub(super) fn service(object: &Value) -> Health {
    if text(object, "/spec/type") == "LoadBalancer" && !has_address(object) {
        return progressing("Waiting for the load balancer's address");
    }
    healthy("")
}

pub(super) fn ingress(object: &Value) -> Health {
    if has_address(object) {
        return healthy("");
    }
    progressing("Waiting for the ingress controller to report an address")
}

fn has_address(object: &Value) -> bool {
    elements(object, "/status/loadBalancer/ingress")
        .next()
        .is_some()
}
