//! Upstream's controller is stopped and ours started over what it made: nothing is written, and nothing lost.
//! Only the swap is tested here; that ours does as upstream's would is the business of other suites.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sealed.rs"]
mod sealed;

use harness::{Controller, Port, eventually, get};
use sealed::{KEY, Place};
use serde_json::json;

/// Upstream's controller in this namespace, under an account that may do everything.
fn start_upstream(place: &Place, port: u16) {
    let namespace = &place.namespace;
    place.testbed.kubectl(&[
        "create",
        "clusterrolebinding",
        namespace,
        "--clusterrole=cluster-admin",
        &format!("--serviceaccount={namespace}:default"),
    ]);
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "upstream", "namespace": namespace },
        "spec": { "nodeName": "host", "containers": [{
            "name": "controller", "image": "docker.io/bitnami/sealed-secrets-controller:0.36.6", "command": ["controller"],
            "args": ["--all-namespaces=false".to_owned(), format!("--listen-addr=:{port}"), format!("--listen-metrics-addr=:{}", port + 1)],
            "env": [{ "name": "POD_NAMESPACE", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } }]
        }] }
    }));
}

#[test]
fn what_upstream_made_is_taken_over_without_a_write() {
    let place = Place::with_key("swap");
    start_upstream(&place, 18080);
    let plain = place.sealed("plain", KEY, "a");
    let mut typed = place.sealed("typed", KEY, "b");
    typed["spec"]["template"] = json!({ "type": "example.com/t", "immutable": true, "metadata": { "labels": { "app": "web" }, "annotations": { "note": "x" } } });
    let mut empty = place.sealed("empty", KEY, "c");
    empty["spec"]["template"] = json!({ "type": "", "metadata": { "name": "empty" } });
    let mut patched = place.sealed("patched", KEY, "d");
    patched["spec"]["template"] = json!({ "metadata": { "labels": { "added": "1" } } });
    place.kubectl(&[
        "create",
        "secret",
        "generic",
        "patched",
        "--from-literal=theirs=1",
    ]);
    place.kubectl(&[
        "annotate",
        "secret",
        "patched",
        "sealedsecrets.bitnami.com/patch=true",
    ]);
    let objects = [
        ("plain", plain, "a"),
        ("typed", typed, "b"),
        ("empty", empty, "c"),
        ("patched", patched, "d"),
    ];
    for (name, object, value) in &objects {
        place.apply(object);
        place.synced(name, "True");
        place.holds(name, value);
    }
    place.kubectl(&["delete", "pod", "upstream", "--wait=true"]);

    let everything = || {
        let versions = "--output=jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{\"\\n\"}{end}";
        place.kubectl(&["get", "secrets,sealedsecrets,events", versions])
    };
    let events_of_pod = |text: String| {
        text.lines()
            .filter(|line| !line.contains("Event/upstream"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let before = events_of_pod(everything());
    let controller: Controller = place.controller(&[]).ready();
    eventually("ours has looked at all four", || {
        let (_, text) = get(&format!("{}/metrics", controller.url(Port::Metrics)))?;
        if text.contains("sealed_secrets_controller_unseal_requests_total 4\n") {
            Ok(())
        } else {
            Err(text)
        }
    });
    assert!(controller.stop().success());
    assert_eq!(before, events_of_pod(everything()));
}

#[test]
fn installed_in_another_namespace_ours_only_observes() {
    let theirs = Place::with_key("theirs");
    start_upstream(&theirs, 18090);
    theirs.apply(&theirs.sealed("db", KEY, "x"));
    theirs.synced("db", "True");
    let ours = Place::empty("ours");
    let both = format!("--additional-namespaces={}", theirs.namespace);
    let controller = ours.controller(&[&both]);
    let namespace = ours.namespace.clone();
    eventually("ours observes", || {
        harness::equal(&ours.events(&namespace), &vec!["Observing".to_owned()])
    });
    assert!(ours.keys().is_empty());
    assert!(controller.stop().success());
    theirs.kubectl(&["delete", "pod", "upstream", "--wait=true"]);
}
