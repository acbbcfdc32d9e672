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
pub(crate) type Rule = fn(&Value) -> Health;

pub(crate) fn rule(group: &str, kind: &str) -> Option<Rule> {
    Some(match (group, kind) {
        ("apps", "Deployment") => workloads::deployment,
        ("apps", "ReplicaSet") => workloads::replica_set,
        ("apps", "StatefulSet") => workloads::stateful_set,
        ("apps", "DaemonSet") => workloads::daemon_set,
        ("", "Pod") => pods::pod,
        ("batch", "Job") => batch::job,
        ("batch", "CronJob") => batch::cron_job,
        ("argoproj.io", "Workflow") => batch::workflow,
        ("", "PersistentVolumeClaim") => platform::persistent_volume_claim,
        ("", "Service") => networking::service,
        ("networking.k8s.io" | "extensions", "Ingress") => networking::ingress,
        ("autoscaling", "HorizontalPodAutoscaler") => platform::horizontal_pod_autoscaler,
        ("policy", "PodDisruptionBudget") => platform::pod_disruption_budget,
        ("apiregistration.k8s.io", "APIService") => platform::api_service,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            platform::custom_resource_definition
        }
        ("bitnami.com", "SealedSecret") => secrets::sealed_secret,
        ("cert-manager.io", "Certificate") => secrets::certificate,
        ("cert-manager.io", "Issuer" | "ClusterIssuer")
        | (
            "external-secrets.io",
            "ExternalSecret" | "PushSecret" | "SecretStore" | "ClusterSecretStore",
        ) => secrets::ready,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
