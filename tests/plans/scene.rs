//! The Application of the interrupted syncs, its two commits, and the World as a process sees it.
//! It must not know when the process is killed.

use std::sync::Arc;

use controller::access::Project;
use controller::dialect;
use controller::render::Manifest;
use controller::sync::desired::{Inputs, desired};
use controller::sync::key::ObjectKey;
use controller::sync::revisions::Revisions;
use controller::sync::world::{
    AppFacts, DestinationNamespace, Health, HealthStatus, Live, LiveState, Source, Unsealer, World,
};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::outside::{Object, Outside};
use crate::kinds;

fn application() -> crds::Application {
    let value = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "shop", "namespace": "signet"},
        "spec": {"project": "default", "source": {"repoURL": "https://git.example.com/shop.git", "path": "deploy"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "demo"},
            "syncPolicy": {"automated": {"prune": true}, "retry": {"limit": 0}}}});
    crds::decode(&value).unwrap()
}

/// Ten objects in each of four waves; in each wave a SealedSecret and a Deployment that uses its Secret.
fn manifests(image: &str) -> Vec<Manifest> {
    let mut manifests = Vec::new();
    let mut add = |object: Value| {
        manifests.push(Manifest {
            file: "all.yaml".into(),
            document: 1,
            line: Some(1),
            object,
        });
    };
    for wave in -1..3 {
        let metadata = |name: String| json!({"name": name, "annotations": {"argocd.argoproj.io/sync-wave": wave.to_string()}});
        for number in 0..8 {
            add(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(format!("settings-{wave}-{number}")), "data": {"image": image}}),
            );
        }
        let secret = format!("db-{wave}");
        let container =
            json!({"name": "c", "image": image, "envFrom": [{"secretRef": {"name": secret}}]});
        add(
            json!({"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": metadata(secret), "spec": {"encryptedData": {"password": image}}}),
        );
        add(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(format!("web-{wave}")), "spec": {"template": {"spec": {"containers": [container]}}}}),
        );
    }
    manifests.extend(hooks(image).map(|object| Manifest {
        file: "hooks.yaml".into(),
        document: 1,
        line: Some(1),
        object,
    }));
    manifests
}

/// Hooks of every phase and policy; two Jobs remove themselves as soon as they are done.
fn hooks(image: &str) -> impl Iterator<Item = Value> {
    let hook = |phase: &str, policy: &str, name: Value, kind: [&str; 2], ttl: Value| {
        let mut metadata = name;
        metadata["annotations"] = json!({
            "argocd.argoproj.io/hook": phase,
            "argocd.argoproj.io/hook-delete-policy": policy,
        });
        json!({"apiVersion": kind[0], "kind": kind[1], "metadata": metadata, "spec": {"ttlSecondsAfterFinished": ttl}, "image": image})
    };
    let job = ["batch/v1", "Job"];
    [
        hook(
            "PreSync,PostSync",
            "",
            json!({"name": "migrate"}),
            job,
            Value::Null,
        ),
        hook(
            "PreSync",
            "HookSucceeded",
            json!({"generateName": "check-"}),
            job,
            0.into(),
        ),
        hook(
            "Sync",
            "HookSucceeded",
            json!({"name": "notes"}),
            ["v1", "ConfigMap"],
            Value::Null,
        ),
        hook(
            "PostSync",
            "HookFailed",
            json!({"name": "smoke"}),
            job,
            0.into(),
        ),
        hook(
            "SyncFail",
            "BeforeHookCreation",
            json!({"name": "alarm"}),
            job,
            Value::Null,
        ),
        hook(
            "PreDelete",
            "BeforeHookCreation",
            json!({"name": "backup"}),
            job,
            0.into(),
        ),
        hook(
            "PostDelete",
            "HookSucceeded",
            json!({"generateName": "sweep-"}),
            job,
            Value::Null,
        ),
    ]
    .into_iter()
}

pub(crate) fn source(image: &str) -> Source {
    let mut manifests = manifests(image);
    if image == "web:2" {
        // Two objects leave Git with the second commit.
        let leave = [json!("settings-0-0"), json!("settings-2-0")];
        manifests.retain(|manifest| !leave.contains(&manifest.object["metadata"]["name"]));
    }
    let wanted = desired(&Inputs {
        manifests: &manifests.iter().collect::<Vec<_>>(),
        kinds: &kinds::built_in(),
        application_id: "shop",
        namespace: "demo",
        defaults: dialect::intent(&application()).unwrap().options.defaults,
        scaled: &Default::default(),
        ignored: &Default::default(),
        predecessor: None,
    });
    Source {
        revisions: Revisions::new(vec![image.to_owned()]),
        desired: Arc::new(wanted),
        ..Source::default()
    }
}

/// The World as a process sees it; right after its start nothing is verified.
pub(crate) fn observe(outside: &Outside, source: &Source, fresh: bool, seconds: usize) -> World {
    let mut application = application();
    application.metadata.finalizers = Some(outside.finalizers.clone());
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    World {
        now: Timestamp::from_second(start.as_second() + seconds as i64).unwrap(),
        intent: dialect::intent(&application),
        request: Ok(None),
        project: Project::find("default", None),
        application: AppFacts {
            namespace: "signet".into(),
            name: "shop".into(),
            uid: "uid".into(),
            deletion_timestamp: outside.deleted.then_some(start),
            tracking_name: "shop".into(),
            marks: dialect::marks(&application),
            finalizers: outside.finalizers.clone(),
            spec: application.spec,
            status: outside.status.clone(),
            ..AppFacts::default()
        },
        source: Ok(source.clone()),
        newest: None,
        held_back: None,
        tries_again: false,
        kinds: Arc::new(kinds::built_in()),
        destination_namespace: DestinationNamespace::Exists,
        namespace_metadata: Default::default(),
        live: outside
            .objects
            .iter()
            .map(|(key, object)| (key.clone(), live(key, object, fresh, outside.broken)))
            .collect(),
        unlisted: Default::default(),
        customizations: Default::default(),
        // Right after a start nobody has tried to open what is not known to have changed.
        opening: outside
            .objects
            .keys()
            .filter(|_| !fresh)
            .map(|key| (key.clone(), Ok(())))
            .collect(),
        restarts: Default::default(),
        unsealer: Unsealer::Ours,
        own_namespace: "signet".into(),
        application_namespaces: Vec::new(),
        allow_file_repositories: false,
        applications: Arc::new(["shop".to_owned()].into()),
        others: Default::default(),
        dependencies: Default::default(),
        another_controller: false,
    }
}

fn live(key: &ObjectKey, object: &Object, fresh: bool, broken: &[&str]) -> Live {
    let status = match object.healthy {
        true if broken.contains(&key.name()) => HealthStatus::Degraded,
        true => HealthStatus::Healthy,
        false => HealthStatus::Progressing,
    };
    let rule = key.kind() != "ConfigMap";
    Live {
        uid: format!("uid-{}", object.uid),
        resource_version: "1".into(),
        tracking: Some(object.tracking.clone()),
        metadata: json!({"annotations": object.annotations}),
        deleting: object.deleting,
        hook_finalizer: object.held,
        secrets: None,
        health: rule.then(|| Health {
            status,
            message: String::new(),
        }),
        state: match object.wanted {
            Some(hash) if !fresh => LiveState::Matches(hash),
            _ => LiveState::Unverified,
        },
        takes: Vec::new(),
    }
}
