//! Health of kinds with a rule, by what an object says of itself. Must not ask a cluster.

mod pods;

use serde_json::{Value, json};

use crate::HealthStatus::{self, Degraded, Healthy, Progressing, Suspended, Unknown};
use crate::{Customizations, health};

fn of(api_version: &str, kind: &str, rest: Value) -> (HealthStatus, String) {
    let mut object = json!({"apiVersion": api_version, "kind": kind});
    let fields = object.as_object_mut().unwrap();
    if let Value::Object(rest) = rest {
        fields.extend(rest);
    }
    let health = health(&object, &Customizations::default()).expect("the kind has a rule");
    (health.status, health.message)
}

fn status_of(api_version: &str, kind: &str, rest: Value) -> HealthStatus {
    of(api_version, kind, rest).0
}

#[test]
fn a_kind_without_a_rule_has_no_health() {
    let none = Customizations::default();
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap"});
    assert_eq!(health(&object, &none), None);
}

#[test]
fn an_object_that_is_being_deleted_is_progressing_whatever_it_says() {
    let rest = json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": {"phase": "Bound"}});
    assert_eq!(
        of("v1", "PersistentVolumeClaim", rest),
        (Progressing, "Pending deletion".into())
    );
}

#[test]
fn a_deployment_works_when_all_replicas_are_new_and_available() {
    let deployment = |status: Value| {
        status_of(
            "apps/v1",
            "Deployment",
            json!({"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}),
        )
    };
    let done = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
    assert_eq!(deployment(done), Healthy);
    let unseen = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
    assert_eq!(deployment(unseen), Progressing);
    let old = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2});
    assert_eq!(deployment(old), Progressing);
    let stalled = json!({"observedGeneration": 2, "conditions": [{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}]});
    assert_eq!(deployment(stalled), Degraded);
    assert_eq!(
        status_of("apps/v1", "Deployment", json!({"spec": {"paused": true}})),
        Suspended
    );
}

#[test]
fn a_deployment_scaled_to_zero_works() {
    let rest = json!({"metadata": {"generation": 1}, "spec": {"replicas": 0}, "status": {"observedGeneration": 1}});
    assert_eq!(status_of("apps/v1", "Deployment", rest), Healthy);
}

#[test]
fn a_stateful_set_waits_for_ready_pods_and_one_revision() {
    let set = |strategy: Value, status: Value| {
        let rest = json!({"metadata": {"generation": 1}, "spec": {"replicas": 3, "updateStrategy": strategy}, "status": status});
        status_of("apps/v1", "StatefulSet", rest)
    };
    let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}});
    let ready = json!({"observedGeneration": 1, "readyReplicas": 3, "currentRevision": "a", "updateRevision": "b"});
    assert_eq!(set(rolling.clone(), json!({})), Progressing);
    assert_eq!(
        set(
            rolling.clone(),
            json!({"observedGeneration": 1, "readyReplicas": 2})
        ),
        Progressing
    );
    assert_eq!(set(rolling, ready.clone()), Progressing);
    assert_eq!(set(json!({"type": "OnDelete"}), ready.clone()), Healthy);
    assert_eq!(set(json!({"type": "RollingUpdate"}), ready), Progressing);
    let partitioned = json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 2}});
    let one = json!({"observedGeneration": 1, "readyReplicas": 3, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"});
    assert_eq!(set(partitioned, one), Healthy);
}

#[test]
fn a_daemon_set_waits_for_every_node() {
    let set = |updated: i64, available: i64| {
        let status = json!({"observedGeneration": 1, "desiredNumberScheduled": 2, "updatedNumberScheduled": updated, "numberAvailable": available});
        status_of(
            "apps/v1",
            "DaemonSet",
            json!({"metadata": {"generation": 1}, "status": status}),
        )
    };
    assert_eq!(set(1, 2), Progressing);
    assert_eq!(set(2, 1), Progressing);
    assert_eq!(set(2, 2), Healthy);
}

#[test]
fn a_replica_set_that_cannot_make_pods_does_not_work() {
    let failing =
        json!({"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "quota"}]});
    assert_eq!(
        of("apps/v1", "ReplicaSet", json!({"status": failing})),
        (Degraded, "quota".into())
    );
    assert_eq!(
        status_of("apps/v1", "ReplicaSet", json!({"spec": {"replicas": 1}})),
        Progressing
    );
}

#[test]
fn a_job_is_done_when_it_says_so() {
    let job = |kind: &str| {
        let conditions = json!([{"type": kind, "status": "True", "message": "m"}]);
        status_of(
            "batch/v1",
            "Job",
            json!({"status": {"conditions": conditions}}),
        )
    };
    assert_eq!(
        [job("Complete"), job("Failed"), job("Suspended")],
        [Healthy, Degraded, Suspended]
    );
    assert_eq!(status_of("batch/v1", "Job", json!({})), Progressing);
}

#[test]
fn a_cron_job_is_judged_by_its_last_run() {
    let cron = |scheduled: &str, succeeded: &str| {
        let status = json!({"lastScheduleTime": scheduled, "lastSuccessfulTime": succeeded});
        status_of("batch/v1", "CronJob", json!({"status": status}))
    };
    assert_eq!(
        cron("2026-01-02T00:00:00Z", "2026-01-02T00:00:09Z"),
        Healthy
    );
    assert_eq!(
        cron("2026-01-02T00:00:00Z", "2026-01-01T00:00:09Z"),
        Degraded
    );
    assert_eq!(status_of("batch/v1", "CronJob", json!({})), Healthy);
}

#[test]
fn a_load_balancer_and_an_ingress_wait_for_an_address() {
    let address = json!({"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}});
    let balancer = json!({"type": "LoadBalancer"});
    assert_eq!(
        status_of("v1", "Service", json!({"spec": balancer})),
        Progressing
    );
    assert_eq!(
        status_of(
            "v1",
            "Service",
            json!({"spec": balancer, "status": address})
        ),
        Healthy
    );
    assert_eq!(
        status_of("v1", "Service", json!({"spec": {"type": "ClusterIP"}})),
        Healthy
    );
    assert_eq!(
        status_of("networking.k8s.io/v1", "Ingress", json!({})),
        Progressing
    );
    assert_eq!(
        status_of(
            "networking.k8s.io/v1",
            "Ingress",
            json!({"status": address})
        ),
        Healthy
    );
}

#[test]
fn a_definition_works_once_established() {
    let crd = |conditions: Value| {
        status_of(
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            json!({"status": {"conditions": conditions}}),
        )
    };
    assert_eq!(crd(json!([])), Progressing);
    assert_eq!(
        crd(json!([{"type": "Established", "status": "True"}])),
        Healthy
    );
    assert_eq!(
        crd(json!([{"type": "Established", "status": "False", "reason": "Installing"}])),
        Progressing
    );
    assert_eq!(
        crd(json!([{"type": "Established", "status": "False", "reason": "InitialNamesAccepted"}])),
        Progressing
    );
    assert_eq!(
        crd(json!([{"type": "Established", "status": "False", "reason": "InvalidCABundle"}])),
        Degraded
    );
    assert_eq!(
        crd(json!([{"type": "NamesAccepted", "status": "False"}])),
        Degraded
    );
}

#[test]
fn claims_budgets_autoscalers_and_api_services_say_how_they_are() {
    assert_eq!(
        status_of(
            "v1",
            "PersistentVolumeClaim",
            json!({"status": {"phase": "Bound"}})
        ),
        Healthy
    );
    assert_eq!(
        status_of(
            "v1",
            "PersistentVolumeClaim",
            json!({"status": {"phase": "Lost"}})
        ),
        Degraded
    );
    let with = |kind: &str, status: &str, reason: &str| json!({"status": {"conditions": [{"type": kind, "status": status, "reason": reason}]}});
    let budget = |rest| status_of("policy/v1", "PodDisruptionBudget", rest);
    assert_eq!(
        budget(with("DisruptionAllowed", "False", "InsufficientPods")),
        Healthy
    );
    assert_eq!(
        budget(with("DisruptionAllowed", "False", "SyncFailed")),
        Degraded
    );
    let autoscaler = |rest| status_of("autoscaling/v2", "HorizontalPodAutoscaler", rest);
    assert_eq!(
        autoscaler(with("ScalingActive", "False", "FailedGetResourceMetric")),
        Degraded
    );
    assert_eq!(
        autoscaler(with("AbleToScale", "True", "ReadyForNewScale")),
        Healthy
    );
    let service = |rest| status_of("apiregistration.k8s.io/v1", "APIService", rest);
    assert_eq!(service(with("Available", "True", "Passed")), Healthy);
    assert_eq!(
        service(with("Available", "False", "MissingEndpoints")),
        Progressing
    );
}

#[test]
fn a_sealed_secret_works_once_its_newest_spec_is_a_secret() {
    let sealed = |generation: i64, status: Value| {
        of(
            "bitnami.com/v1alpha1",
            "SealedSecret",
            json!({"metadata": {"generation": generation}, "status": status}),
        )
    };
    let says = |status: &str, message: &str| json!({"observedGeneration": 1, "conditions": [{"type": "Synced", "status": status, "message": message}]});
    let synced = |status: &str| says(status, "no key could decrypt secret");
    assert_eq!(sealed(1, Value::Null).0, Progressing);
    assert_eq!(sealed(1, synced("True")).0, Healthy);
    assert_eq!(sealed(2, synced("True")).0, Progressing);
    assert_eq!(
        sealed(1, synced("False")),
        (Degraded, "no key could decrypt secret".into())
    );
    // As upstream's controller says it.
    let failed =
        "template: data:1:2: executing \"data\" at <fail .password>: error calling fail: hunter2";
    let told = "its template can't be filled in; the condition Synced of the SealedSecret says why";
    assert_eq!(sealed(1, says("False", failed)), (Degraded, told.into()));
}

#[test]
fn what_makes_secrets_and_certificates_works_once_it_is_ready() {
    let with = |kind: &str, status: &str| json!({"type": kind, "status": status, "message": "said", "reason": "Because"});
    let certificate = |conditions: Value| {
        let status = json!({"status": {"conditions": conditions}});
        status_of("cert-manager.io/v1", "Certificate", status)
    };
    assert_eq!(certificate(json!([])), Progressing);
    assert_eq!(certificate(json!([with("Ready", "False")])), Degraded);
    assert_eq!(certificate(json!([with("Ready", "True")])), Healthy);
    let issuing = json!([with("Ready", "False"), with("Issuing", "True")]);
    assert_eq!(certificate(issuing), Progressing);
    let external = |conditions: Value| {
        let status = json!({"status": {"conditions": conditions}});
        of("external-secrets.io/v1", "ExternalSecret", status)
    };
    let said = |status| (status, "said".to_owned());
    assert_eq!(external(json!([with("Ready", "False")])), said(Degraded));
    assert_eq!(external(json!([with("Ready", "True")])), said(Healthy));
    assert_eq!(external(Value::Null).0, Progressing);
}

#[test]
fn a_workflow_is_judged_by_its_phase() {
    let phase = |phase: &str| {
        let status = json!({"status": {"phase": phase, "message": "m"}});
        status_of("argoproj.io/v1alpha1", "Workflow", status)
    };
    let phases = [
        "",
        "Pending",
        "Running",
        "Succeeded",
        "Failed",
        "Error",
        "Odd",
    ];
    assert_eq!(
        phases.map(phase),
        [
            Progressing,
            Progressing,
            Progressing,
            Healthy,
            Degraded,
            Degraded,
            Unknown
        ]
    );
}

#[test]
fn an_autoscaler_of_the_first_version_has_its_conditions_in_an_annotation() {
    let autoscaler = |conditions: &str| {
        let annotations = json!({"autoscaling.alpha.kubernetes.io/conditions": conditions});
        let rest = json!({"metadata": {"annotations": annotations}});
        status_of("autoscaling/v1", "HorizontalPodAutoscaler", rest)
    };
    assert_eq!(
        autoscaler(r#"[{"type": "AbleToScale", "status": "True"}]"#),
        Healthy
    );
    assert_eq!(
        autoscaler(
            r#"[{"type": "AbleToScale", "status": "True"}, {"type": "ScalingActive", "reason": "FailedGetResourceMetric"}]"#
        ),
        Degraded
    );
    assert_eq!(autoscaler("odd"), Progressing);
}
