//! Health of what other objects stand on: claims, autoscalers, budgets, API services, definitions.
//! Nothing here follows a reference to another object.

use serde_json::Value;

use super::{condition, conditions, degraded, healthy, light, progressing, text};
use crate::sync::world::{Health, HealthStatus};

pub(super) fn persistent_volume_claim(object: &Value) -> Health {
    match text(object, "/status/phase") {
        "Bound" => healthy(),
        "Pending" | "" => progressing("Waiting for a volume"),
        "Lost" => degraded("The bound volume does not exist any more"),
        other => light(HealthStatus::Unknown, other),
    }
}

pub(super) fn horizontal_pod_autoscaler(object: &Value) -> Health {
    let mut able = false;
    for condition in conditions(object) {
        let (kind, reason) = (condition.kind(), condition.reason());
        let failed = match kind {
            "AbleToScale" => matches!(reason, "FailedGetScale" | "FailedUpdateScale"),
            "ScalingActive" => {
                (reason.starts_with("Failed") && reason.ends_with("Metric"))
                    || matches!(reason, "FailedComputeMetricsReplicas" | "InvalidSelector")
            }
            _ => false,
        };
        if failed {
            return degraded(condition.message());
        }
        able |= matches!(kind, "AbleToScale" | "ScalingLimited") && condition.is("True");
    }
    if able {
        healthy()
    } else {
        progressing("Waiting to autoscale")
    }
}

pub(super) fn pod_disruption_budget(object: &Value) -> Health {
    let mut any = false;
    for condition in conditions(object) {
        any = true;
        if condition.is("False") && condition.reason() != "InsufficientPods" {
            return degraded(condition.message());
        }
    }
    if any {
        healthy()
    } else {
        progressing("Waiting for status")
    }
}

pub(super) fn api_service(object: &Value) -> Health {
    match condition(object, "Available") {
        Some(available) if available.is("True") => healthy(),
        Some(available) => progressing(format!("{}: {}", available.reason(), available.message())),
        None => progressing("Waiting to be processed"),
    }
}

pub(super) fn custom_resource_definition(object: &Value) -> Health {
    let holds = |kind: &str, status: &str| condition(object, kind).filter(|c| c.is(status));
    if holds("Terminating", "True").is_some() {
        return progressing("Definition is being deleted");
    }
    if let Some(refused) = holds("NamesAccepted", "False").or(holds("NonStructuralSchema", "True"))
    {
        return degraded(refused.message());
    }
    match condition(object, "Established") {
        Some(established) if established.is("True") => healthy(),
        Some(established) if established.reason() != "Installing" => {
            degraded(established.message())
        }
        _ => progressing("Waiting for the definition to be established"),
    }
}
