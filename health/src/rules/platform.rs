//! Health of what other objects stand on: claims, autoscalers, budgets, API services, definitions.
//! Nothing here follows a reference to another object.

use serde_json::Value;

use crate::conditions::{Condition, condition, conditions, holds};
use crate::fields::{annotation, text};
use crate::verdict::{Health, degraded, healthy, progressing, unknown};

/// Where `autoscaling/v1` has its conditions, as JSON.
const V1_CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

pub(super) fn persistent_volume_claim(object: &Value) -> Health {
    match text(object, "/status/phase") {
        "Bound" => healthy(""),
        "Pending" | "" => progressing("Waiting for a volume"),
        "Lost" => degraded("The bound volume does not exist any more"),
        other => unknown(other),
    }
}

pub(super) fn horizontal_pod_autoscaler(object: &Value) -> Health {
    let annotated = annotation(object, V1_CONDITIONS);
    let annotated: Vec<Value> = annotated
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default();
    let mut able = None;
    for condition in conditions(object).chain(annotated.iter().map(Condition)) {
        if cannot_scale(condition) {
            return degraded(condition.message());
        }
        if matches!(condition.kind(), "AbleToScale" | "ScalingLimited") && condition.is("True") {
            able.get_or_insert(condition);
        }
    }
    match able {
        Some(condition) => healthy(condition.message()),
        None => progressing("Waiting to autoscale"),
    }
}

fn cannot_scale(condition: Condition<'_>) -> bool {
    let reason = condition.reason();
    match condition.kind() {
        "AbleToScale" => matches!(reason, "FailedGetScale" | "FailedUpdateScale"),
        "ScalingActive" => {
            (reason.starts_with("Failed") && reason.ends_with("Metric"))
                || matches!(reason, "FailedComputeMetricsReplicas" | "InvalidSelector")
        }
        _ => false,
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
        healthy("")
    } else {
        progressing("Waiting for status")
    }
}

pub(super) fn api_service(object: &Value) -> Health {
    match condition(object, "Available") {
        Some(available) if available.is("True") => healthy(""),
        Some(available) => progressing(format!("{}: {}", available.reason(), available.message())),
        None => progressing("Waiting to be processed"),
    }
}

pub(super) fn custom_resource_definition(object: &Value) -> Health {
    if holds(object, "Terminating", "True").is_some() {
        return progressing("Definition is being deleted");
    }
    let refused = holds(object, "NamesAccepted", "False");
    if let Some(refused) = refused.or(holds(object, "NonStructuralSchema", "True")) {
        return degraded(refused.message());
    }
    match condition(object, "Established") {
        Some(established) if established.is("True") => healthy(""),
        Some(established) if established.reason() == "InvalidCABundle" => {
            degraded(established.message())
        }
        _ => progressing("Waiting for the definition to be established"),
    }
}
