//! A real API server takes our custom resource definitions, keeps what users wrote, and one odd object hides no other.

#[path = "../testbed/harness.rs"]
mod harness;

use crds::{Application, SealedSecret, decode, names};
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use harness::{Testbed, eventually, repository_root};

#[test]
fn they_are_applied_by_plain_kubectl_and_once_more() {
    let testbed = Testbed::get();
    let folder = repository_root().join("crds").display().to_string();
    for _ in 0..2 {
        testbed.kubectl(&["apply", "--filename", &folder]);
    }
    for name in [
        names::sealed_secret::CRD,
        names::application::CRD,
        names::app_project::CRD,
    ] {
        let wait = [
            "wait",
            "--for=condition=Established",
            "--timeout=60s",
            "crd",
            name,
        ];
        testbed.kubectl(&wait);
        let definition = testbed.object("", "crd", name);
        let conditions = definition["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let odd = conditions
            .iter()
            .any(|condition| condition["type"] == "NonStructuralSchema");
        assert!(!odd, "{name} is not structural: {conditions:?}");
        assert_eq!(
            definition["metadata"]["labels"][names::MANAGED_BY_LABEL],
            names::MANAGED_BY
        );
    }
}

#[test]
fn kubectl_explains_their_fields() {
    let testbed = Testbed::get();
    testbed.install_crds();
    for (path, text) in [
        (
            "application.spec.syncPolicy.automated",
            "Put back what somebody changed or deleted in the cluster.",
        ),
        (
            "appproject.spec.destinations",
            "Clusters and namespaces that Applications may write to.",
        ),
        (
            "sealedsecret.spec.template",
            "Whether the Secret, once made, can't be changed any more.",
        ),
    ] {
        let explained = eventually("the API server publishes the schema", || {
            testbed.try_kubectl(&["explain", path])
        });
        assert!(explained.contains(text), "{explained}");
    }
}

#[test]
fn a_null_item_of_a_template_survives_server_side_apply() {
    let testbed = Testbed::get();
    testbed.install_crds();
    let namespace = testbed.namespace("crds");
    testbed.apply(&format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {{name: db, namespace: {namespace}}}\n\
         spec: {{encryptedData: {{a: AgA=}}, template: {{data: {{a: null, b: \"{{{{ .a }}}}\"}}}}}}\n"
    ));
    let sealed: SealedSecret = decode(&testbed.object(&namespace, "sealedsecret", "db")).unwrap();
    let data = sealed.spec.template.unwrap().data.unwrap();
    assert_eq!(data["a"], None);
    assert_eq!(data["b"].as_deref(), Some("{{ .a }}"));
}

#[test]
fn what_older_tools_and_templates_write_is_taken_by_server_side_apply() {
    let testbed = Testbed::get();
    testbed.install_crds();
    let namespace = testbed.namespace("crds");
    testbed.apply(&format!(
        "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\n\
         metadata: {{name: old, namespace: {namespace}, creationTimestamp: null}}\n\
         spec: {{encryptedData: {{a: AgA=}}, template: {{data: null, metadata: {{creationTimestamp: null, name: old}}}}}}\n\
         ---\n\
         apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: old, namespace: {namespace}}}\n\
         spec: {{project: default, sources: null, destination: {{server: a, name: null}}, syncPolicy: {{automated: null}}}}\n"
    ));
    let application: Application =
        decode(&testbed.object(&namespace, "application", "old")).unwrap();
    assert_eq!(application.spec.sync_policy.unwrap().automated, None);
}

#[test]
fn nothing_that_a_user_wrote_is_dropped() {
    let testbed = Testbed::get();
    testbed.install_crds();
    let namespace = testbed.namespace("crds");
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": { "name": "newer", "namespace": namespace },
        "spec": {
            "project": "default", "newer": [1],
            "source": { "repoURL": "a", "newer": { "a": 1 }, "directory": { "newer": true } },
            "destination": { "server": "b", "newer": { "c": null } },
            "syncPolicy": { "newer": "x", "retry": { "backoff": { "newer": 1 } } },
        },
        "operation": { "newer": 1, "sync": { "newer": 1, "source": { "repoURL": "a", "newer": 1 } } },
        "status": {
            "newer": 1, "history": [{ "id": 1, "source": { "repoURL": "a", "newer": 1 }, "newer": 1 }],
            "operationState": { "operation": { "newer": 1 }, "phase": "Running", "newer": 1 },
        },
    });
    testbed.apply(&object.to_string());
    let stored = testbed.object(&namespace, "application", "newer");
    for part in ["spec", "operation", "status"] {
        assert_eq!(stored[part], object[part], "{part}");
    }
}

#[test]
fn applications_are_listed_as_users_of_argo_cd_expect() {
    let testbed = Testbed::get();
    testbed.install_crds();
    let namespace = testbed.namespace("crds");
    testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop, namespace: {namespace}}}\n\
         spec: {{project: team, destination: {{server: a}}}}\n\
         status: {{sync: {{status: Synced, revision: abc}}, health: {{status: Healthy}}}}\n"
    ));
    let words = |args: &[&str]| {
        let listed = eventually("the short name is known", || testbed.try_kubectl(args));
        listed
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        words(&["get", "apps", "--namespace", &namespace]),
        ["NAME SYNC STATUS HEALTH STATUS", "shop Synced Healthy"]
    );
    assert_eq!(
        words(&["get", "app", "--output=wide", "--namespace", &namespace]),
        [
            "NAME SYNC STATUS HEALTH STATUS REVISION PROJECT",
            "shop Synced Healthy abc team"
        ]
    );
}

#[tokio::test]
async fn one_odd_object_hides_no_other() {
    let testbed = Testbed::get();
    testbed.install_crds();
    let namespace = testbed.namespace("crds");
    let application = |name: &str, odd: Value| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": { "name": name, "namespace": namespace },
            "spec": { "project": "default", "destination": { "server": "a" } },
            // Below here the schema knows no types, as in definitions that others installed.
            "operation": { "sync": { "source": odd } },
        })
    };
    for object in [
        application("a", json!({ "repoURL": "a" })),
        application("b", json!({ "repoURL": ["odd"] })),
        application("c", json!({ "repoURL": "c" })),
    ] {
        testbed.apply(&object.to_string());
    }
    let kind = GroupVersionKind::gvk(
        names::application::GROUP,
        names::application::VERSION,
        names::application::KIND,
    );
    let resource = ApiResource::from_gvk(&kind);
    let api: Api<DynamicObject> =
        Api::namespaced_with(testbed.client().await, &namespace, &resource);
    let list = api.list(&ListParams::default()).await.unwrap();
    let decoded =
        |object: &DynamicObject| decode::<Application>(&serde_json::to_value(object).unwrap());
    let answers: Vec<Result<Option<String>, String>> = list
        .iter()
        .map(|object| {
            decoded(object)
                .map(|good| good.metadata.name)
                .map_err(|error| error.to_string())
        })
        .collect();
    assert_eq!(
        answers,
        [
            Ok(Some("a".to_owned())),
            Err(format!(
                "Application {namespace}/b: operation.sync.source.repoURL: found a list, expected a string"
            )),
            Ok(Some("c".to_owned())),
        ]
    );
}
