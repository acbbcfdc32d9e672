//! Health of what rolls pods out: Deployment, ReplicaSet, StatefulSet, DaemonSet.
//! Pods themselves are looked at elsewhere.

use serde_json::Value;

use crate::conditions::{NOT_OBSERVED, condition, holds, not_observed};
use crate::fields::{count, flag, number, text};
use crate::verdict::{Health, degraded, healthy, progressing, suspended};

pub(super) fn deployment(object: &Value) -> Health {
    if flag(object, "/spec/paused") {
        return suspended("Deployment is paused");
    }
    if let Some(waiting) = not_observed(object) {
        return waiting;
    }
    let stalled =
        condition(object, "Progressing").filter(|c| c.reason() == "ProgressDeadlineExceeded");
    if let Some(stalled) = stalled {
        return degraded(format!(
            "Deployment exceeded its progress deadline: {}",
            stalled.message()
        ));
    }
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let updated = count(object, "/status/updatedReplicas");
    let available = count(object, "/status/availableReplicas");
    let old = count(object, "/status/replicas") - updated;
    if updated < wanted {
        progressing(format!(
            "Waiting for rollout to finish: {updated} of {wanted} new replicas have been updated"
        ))
    } else if old > 0 {
        progressing(format!(
            "Waiting for rollout to finish: {old} old replicas are pending termination"
        ))
    } else if available < updated {
        progressing(format!(
            "Waiting for rollout to finish: {available} of {updated} updated replicas are available"
        ))
    } else {
        healthy("")
    }
}

pub(super) fn replica_set(object: &Value) -> Health {
    if let Some(waiting) = not_observed(object) {
        return waiting;
    }
    if let Some(failure) = holds(object, "ReplicaFailure", "True") {
        return degraded(failure.message());
    }
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let available = count(object, "/status/availableReplicas");
    if available < wanted {
        return progressing(format!(
            "Waiting for rollout to finish: {available} of {wanted} replicas are available"
        ));
    }
    healthy("")
}

pub(super) fn stateful_set(object: &Value) -> Health {
    if count(object, "/status/observedGeneration") == 0 {
        return progressing(NOT_OBSERVED);
    }
    if let Some(waiting) = not_observed(object) {
        return waiting;
    }
    let wanted = number(object, "/spec/replicas").unwrap_or(1);
    let ready = count(object, "/status/readyReplicas");
    if ready < wanted {
        return progressing(format!("Waiting for {} pods to be ready", wanted - ready));
    }
    match text(object, "/spec/updateStrategy/type") {
        "OnDelete" => healthy(""),
        "RollingUpdate" if object.pointer(ROLLING_UPDATE).is_some() => rolling(object, wanted),
        _ => one_revision(object),
    }
}

const ROLLING_UPDATE: &str = "/spec/updateStrategy/rollingUpdate";

/// Pods below the partition keep their revision.
fn rolling(object: &Value, wanted: i64) -> Health {
    let expected = wanted - count(object, "/spec/updateStrategy/rollingUpdate/partition");
    let updated = count(object, "/status/updatedReplicas");
    if updated < expected {
        return progressing(format!(
            "Waiting for partitioned rollout to finish: {updated} of {expected} new pods have been updated"
        ));
    }
    healthy("")
}

fn one_revision(object: &Value) -> Health {
    let current = text(object, "/status/currentRevision");
    if text(object, "/status/updateRevision") != current {
        let updated = count(object, "/status/updatedReplicas");
        return progressing(format!(
            "Waiting for rolling update to finish: {updated} pods are at the new revision"
        ));
    }
    healthy("")
}

pub(super) fn daemon_set(object: &Value) -> Health {
    if let Some(waiting) = not_observed(object) {
        return waiting;
    }
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return healthy("");
    }
    let desired = count(object, "/status/desiredNumberScheduled");
    let updated = count(object, "/status/updatedNumberScheduled");
    let available = count(object, "/status/numberAvailable");
    if updated < desired {
        return progressing(format!(
            "Waiting for rollout to finish: {updated} of {desired} new pods have been updated"
        ));
    }
    if available < desired {
        return progressing(format!(
            "Waiting for rollout to finish: {available} of {desired} pods are available"
        ));
    }
    healthy("")
}
