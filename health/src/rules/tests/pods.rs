//! Health of a Pod.

use serde_json::{Value, json};

use super::{of, status_of};
use crate::HealthStatus::{Degraded, Healthy, Progressing, Unknown};

#[test]
fn a_pod_that_cannot_pull_its_image_does_not_work() {
    let waiting = json!({"state": {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}});
    let pod = |policy: &str, status: Value| {
        of(
            "v1",
            "Pod",
            json!({"spec": {"restartPolicy": policy}, "status": status}),
        )
    };
    assert_eq!(
        pod(
            "Always",
            json!({"phase": "Pending", "containerStatuses": [waiting]})
        ),
        (Degraded, "Back-off pulling image".into())
    );
    assert_eq!(pod("Always", json!({"phase": "Pending"})).0, Progressing);
    assert_eq!(pod("Never", json!({"phase": "Running"})).0, Progressing);
    assert_eq!(pod("Never", json!({"phase": "Succeeded"})).0, Healthy);
    assert_eq!(
        pod(
            "Always",
            json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]})
        )
        .0,
        Healthy
    );
    let died = json!({"phase": "Running", "containerStatuses": [{"lastState": {"terminated": {"reason": "OOMKilled"}}}]});
    assert_eq!(pod("Always", died), (Degraded, "OOMKilled".into()));
    let killed = json!({"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]});
    assert_eq!(pod("Never", killed), (Degraded, "OOMKilled".into()));
    let failed = json!({"phase": "Failed", "containerStatuses": [{"name": "c", "state": {"terminated": {"exitCode": 3}}}]});
    assert_eq!(
        pod("Never", failed),
        (Degraded, "container \"c\" failed with exit code 3".into())
    );
    assert_eq!(pod("Always", json!({"phase": "Lost"})).0, Unknown);
}

#[test]
fn a_pod_may_be_judged_as_if_it_always_restarted() {
    let ready = json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]});
    let pod = |annotations: Value| {
        let rest = json!({"metadata": {"annotations": annotations}, "spec": {"restartPolicy": "Never"}, "status": ready});
        status_of("v1", "Pod", rest)
    };
    let ignore = "argocd.argoproj.io/ignore-restart-policy";
    assert_eq!(pod(json!({ignore: "true"})), Healthy);
    assert_eq!(pod(json!({ignore: "false"})), Progressing);
    assert_eq!(
        pod(json!({ignore: "true", "argocd.argoproj.io/hook": "PostSync"})),
        Progressing
    );
    assert_eq!(
        pod(json!({ignore: "true", "helm.sh/hook": "test"})),
        Progressing
    );
    assert_eq!(
        pod(json!({ignore: "true", "helm.sh/hook": "crd-install"})),
        Healthy
    );
}
