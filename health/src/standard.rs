//! Kinds without a rule of their own: what their status says by convention (kstatus): observed generation, `Stalled`,
//! `Reconciling` and `Ready`. An object whose status says none of that is not judged.

use serde_json::Value;

use crate::conditions::{NOT_OBSERVED, condition, holds};
use crate::fields::number;
use crate::verdict::{Health, degraded, healthy, progressing};

pub(crate) fn judge(object: &Value) -> Option<Health> {
    let generation = number(object, "/metadata/generation");
    let lags = |observed: Option<i64>| matches!((observed, generation), (Some(observed), Some(newest)) if observed < newest);
    let observed = number(object, "/status/observedGeneration");
    if lags(observed) {
        return Some(progressing(NOT_OBSERVED));
    }
    if let Some(stalled) = holds(object, "Stalled", "True") {
        return Some(degraded(stalled.words()));
    }
    if let Some(reconciling) = holds(object, "Reconciling", "True") {
        return Some(progressing(reconciling.words()));
    }
    match condition(object, "Ready") {
        Some(ready) if lags(ready.observed_generation()) => Some(progressing(NOT_OBSERVED)),
        Some(ready) if ready.is("True") => Some(healthy(ready.message())),
        Some(ready) => Some(progressing(ready.words())),
        None => {
            let speaks = observed.is_some()
                || condition(object, "Stalled").is_some()
                || condition(object, "Reconciling").is_some();
            speaks.then(|| healthy(""))
        }
    }
}

/// Kinds of Kubernetes itself that have no status, or none that says anything of health, by group. No kinds: all of the group.
const WITHOUT_STATUS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "Namespace",
            "PodTemplate",
            "ResourceQuota",
            "Secret",
            "ServiceAccount",
        ],
    ),
    ("apps", &["ControllerRevision"]),
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("coordination.k8s.io", &[]),
    ("discovery.k8s.io", &[]),
    ("events.k8s.io", &[]),
    ("networking.k8s.io", &["IngressClass", "NetworkPolicy"]),
    ("node.k8s.io", &[]),
    ("rbac.authorization.k8s.io", &[]),
    ("scheduling.k8s.io", &[]),
    ("storage.k8s.io", &[]),
];

pub(crate) fn is_without_status(group: &str, kind: &str) -> bool {
    let of_group = WITHOUT_STATUS.iter().find(|(name, _)| *name == group);
    of_group.is_some_and(|(_, kinds)| kinds.is_empty() || kinds.contains(&kind))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::HealthStatus::{self, Degraded, Healthy, Progressing};

    fn of(status: &Value) -> Option<(HealthStatus, String)> {
        let object = json!({
            "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"generation": 2}, "status": status,
        });
        judge(&object).map(|health| (health.status, health.message))
    }

    fn with(kind: &str, status: &str) -> Value {
        json!({"type": kind, "status": status, "reason": "Because", "message": "said"})
    }

    #[test]
    fn a_status_that_says_nothing_by_convention_is_not_judged() {
        let silent = [
            Value::Null,
            json!({}),
            json!({"phase": "Running"}),
            json!({"conditions": []}),
            json!({"conditions": [with("Available", "False")]}),
            json!({"conditions": "odd", "observedGeneration": "2"}),
        ];
        for status in silent {
            assert_eq!(of(&status), None, "{status}");
        }
    }

    #[test]
    fn conditions_are_judged_by_convention() {
        let waiting = || Some((Progressing, NOT_OBSERVED.to_owned()));
        let said = |status| Some((status, "said".to_owned()));
        let rows = [
            (
                json!({"observedGeneration": 1, "conditions": [with("Ready", "True")]}),
                waiting(),
            ),
            (
                json!({"observedGeneration": 2, "conditions": [with("Ready", "True")]}),
                said(Healthy),
            ),
            (
                json!({"observedGeneration": 2}),
                Some((Healthy, String::new())),
            ),
            (
                json!({"conditions": [with("Ready", "True")]}),
                said(Healthy),
            ),
            (
                json!({"conditions": [with("Ready", "False")]}),
                said(Progressing),
            ),
            (
                json!({"conditions": [with("Ready", "Unknown")]}),
                said(Progressing),
            ),
            (
                json!({"conditions": [{"type": "Ready", "status": "False", "reason": "Because"}]}),
                Some((Progressing, "Because".to_owned())),
            ),
            (
                json!({"conditions": [{"type": "Ready", "status": "True", "observedGeneration": 1}]}),
                waiting(),
            ),
            (
                json!({"conditions": [with("Ready", "True"), with("Reconciling", "True")]}),
                said(Progressing),
            ),
            (
                json!({"conditions": [with("Ready", "False"), with("Reconciling", "True"), with("Stalled", "True")]}),
                said(Degraded),
            ),
            (
                json!({"conditions": [with("Stalled", "False")]}),
                Some((Healthy, String::new())),
            ),
            (
                json!({"conditions": [with("Reconciling", "False")]}),
                Some((Healthy, String::new())),
            ),
        ];
        for (status, expected) in rows {
            assert_eq!(of(&status), expected, "{status}");
        }
    }

    #[test]
    fn metadata_is_enough_for_kinds_without_status() {
        for (group, kind) in [
            ("", "Secret"),
            ("", "ConfigMap"),
            ("rbac.authorization.k8s.io", "Role"),
        ] {
            assert!(is_without_status(group, kind), "{group}/{kind}");
        }
        for (group, kind) in [
            ("", "Pod"),
            ("apps", "Deployment"),
            ("networking.k8s.io", "Ingress"),
            ("example.com", "Secret"),
        ] {
            assert!(!is_without_status(group, kind), "{group}/{kind}");
        }
    }
}
