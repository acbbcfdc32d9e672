//! Rules for kinds: those of Kubernetes itself, and some that are on many clusters.
//! A rule reads one object and follows no reference to another.

mod batch;
mod networking;
mod platform;
mod pods;
mod secrets;
mod workloads;

use serde_json::Value;

use crate::verdict::Health;

/// How objects of one kind are judged.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) judge: fn(&Value) -> Health,
    /// Argo CD judges the kind by a script of its own, which a script for many kinds does not replace.
    pub(crate) is_script_elsewhere: bool,
}

pub(crate) fn rule(group: &str, kind: &str) -> Option<Rule> {
    let native = |judge| Rule {
        judge,
        is_script_elsewhere: false,
    };
    let script = |judge| Rule {
        judge,
        is_script_elsewhere: true,
    };
    Some(match (group, kind) {
        ("apps", "Deployment") => native(workloads::deployment),
        ("apps", "ReplicaSet") => native(workloads::replica_set),
        ("apps", "StatefulSet") => native(workloads::stateful_set),
        ("apps", "DaemonSet") => native(workloads::daemon_set),
        ("", "Pod") => native(pods::pod),
        ("batch", "Job") => native(batch::job),
        ("batch", "CronJob") => script(batch::cron_job),
        ("argoproj.io", "Workflow") => native(batch::workflow),
        ("", "PersistentVolumeClaim") => native(platform::persistent_volume_claim),
        ("", "Service") => native(networking::service),
        ("networking.k8s.io" | "extensions", "Ingress") => native(networking::ingress),
        ("autoscaling", "HorizontalPodAutoscaler") => native(platform::horizontal_pod_autoscaler),
        ("policy", "PodDisruptionBudget") => script(platform::pod_disruption_budget),
        ("apiregistration.k8s.io", "APIService") => native(platform::api_service),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            script(platform::custom_resource_definition)
        }
        ("bitnami.com", "SealedSecret") => script(secrets::sealed_secret),
        ("cert-manager.io", "Certificate") => script(secrets::certificate),
        ("cert-manager.io", "Issuer" | "ClusterIssuer")
        | (
            "external-secrets.io",
            "ExternalSecret" | "PushSecret" | "SecretStore" | "ClusterSecretStore",
        ) => script(secrets::ready),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
