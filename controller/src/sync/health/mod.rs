//! Does an object work? Rules for the built-in kinds, read from the object alone, and the one light of an Application.
//! A kind without a rule has no health, which counts as fine; nothing here asks the cluster.

mod aggregate;
mod batch;
mod networking;
mod platform;
mod pods;
mod sealed_secret;
mod workloads;

use serde_json::Value;

use crate::sync::key::GroupKind;
use crate::sync::world::{Health, HealthStatus};

pub(super) use aggregate::{Member, aggregate};

type Rule = fn(&Value) -> Health;

/// Health of a live object; `None` when its kind has no rule.
pub fn health(object: &Value) -> Option<Health> {
    let api_version = object
        .get("apiVersion")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let (group, _) = crate::sync::key::group_version(api_version);
    let kind = object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let rule = rule(group, kind)?;
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return Some(progressing("Pending deletion"));
    }
    Some(rule(object))
}

/// True for kinds whose health is read from their status: they need a watch of full objects.
pub fn has_rule(kind: &GroupKind) -> bool {
    rule(&kind.group, &kind.kind).is_some()
}

fn rule(group: &str, kind: &str) -> Option<Rule> {
    Some(match (group, kind) {
        ("apps", "Deployment") => workloads::deployment,
        ("apps", "ReplicaSet") => workloads::replica_set,
        ("apps", "StatefulSet") => workloads::stateful_set,
        ("apps", "DaemonSet") => workloads::daemon_set,
        ("", "Pod") => pods::pod,
        ("batch", "Job") => batch::job,
        ("batch", "CronJob") => batch::cron_job,
        ("", "PersistentVolumeClaim") => platform::persistent_volume_claim,
        ("", "Service") => networking::service,
        ("networking.k8s.io" | "extensions", "Ingress") => networking::ingress,
        ("autoscaling", "HorizontalPodAutoscaler") => platform::horizontal_pod_autoscaler,
        ("policy", "PodDisruptionBudget") => platform::pod_disruption_budget,
        ("apiregistration.k8s.io", "APIService") => platform::api_service,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            platform::custom_resource_definition
        }
        ("bitnami.com", "SealedSecret") => sealed_secret::sealed_secret,
        _ => return None,
    })
}

fn light(status: HealthStatus, message: impl Into<String>) -> Health {
    Health {
        status,
        message: message.into(),
    }
}

fn healthy() -> Health {
    light(HealthStatus::Healthy, "")
}

fn progressing(message: impl Into<String>) -> Health {
    light(HealthStatus::Progressing, message)
}

fn degraded(message: impl Into<String>) -> Health {
    light(HealthStatus::Degraded, message)
}

fn suspended(message: impl Into<String>) -> Health {
    light(HealthStatus::Suspended, message)
}

/// The integer at `pointer`, if there is one.
fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// The integer at `pointer`, zero when it is absent: counters in a status are omitted when zero.
fn count(object: &Value, pointer: &str) -> i64 {
    number(object, pointer).unwrap_or_default()
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn flag(object: &Value, pointer: &str) -> bool {
    object
        .pointer(pointer)
        .and_then(Value::as_bool)
        .unwrap_or_default()
}

/// The controller has not looked at the newest spec yet.
fn not_observed(object: &Value) -> Option<Health> {
    let generation = number(object, "/metadata/generation")?;
    (generation > count(object, "/status/observedGeneration"))
        .then(|| progressing("Waiting for the controller to observe the newest spec"))
}

/// An entry of `status.conditions`.
struct Condition<'a>(&'a Value);

impl<'a> Condition<'a> {
    fn kind(&self) -> &'a str {
        text(self.0, "/type")
    }

    fn is(&self, status: &str) -> bool {
        text(self.0, "/status") == status
    }

    fn reason(&self) -> &'a str {
        text(self.0, "/reason")
    }

    fn message(&self) -> &'a str {
        text(self.0, "/message")
    }
}

fn conditions(object: &Value) -> impl Iterator<Item = Condition<'_>> {
    let list = object
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    list.into_iter().flatten().map(Condition)
}

fn condition<'a>(object: &'a Value, kind: &str) -> Option<Condition<'a>> {
    conditions(object).find(|condition| condition.kind() == kind)
}

#[cfg(test)]
mod tests;
