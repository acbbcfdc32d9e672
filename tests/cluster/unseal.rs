//! SealedSecrets in a real cluster: that the wiring holds, and what only a real API server knows.
//! The rules themselves are tested as plans, in `controller/src/unseal/`.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sealed.rs"]
mod sealed;

use harness::{Controller, Port, equal, eventually, get};
use sealed::{KEY, OTHER_KEY, Place};
use sealing::Scope;
use serde_json::{Value, json};

/// A number of upstream's metrics.
fn metric(controller: &Controller, name: &str) -> Result<f64, String> {
    let (_, text) = get(&format!("{}/metrics", controller.url(Port::Metrics)))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .ok_or_else(|| format!("no {name} in {text}"))?;
    line.trim().parse().map_err(|_| line.to_owned())
}

#[test]
fn a_restart_with_nothing_changed_writes_nothing() {
    let place = Place::with_key("restart");
    let first = place.controller(&[]).ready();
    for name in ["a", "b"] {
        place.apply(&place.sealed(name, KEY, name));
        place.synced(name, "True");
        place.holds(name, name);
    }
    // Upstream and users alike give the type in full, leave it empty, or leave it out.
    let mut typed = place.sealed("typed", KEY, "typed");
    typed["spec"]["template"] =
        json!({ "type": "Opaque", "immutable": true, "metadata": { "labels": { "app": "web" } } });
    place.apply(&typed);
    place.synced("typed", "True");
    place.apply(&place.sealed("unopenable", OTHER_KEY, "x"));
    place.kubectl(&["create", "secret", "generic", "blocked"]);
    place.apply(&place.sealed("blocked", KEY, "x"));
    for name in ["unopenable", "blocked"] {
        place.synced(name, "False");
        eventually("there is one event", || {
            equal(&place.events(name).len(), &1)
        });
    }
    let everything = || {
        let kinds = ["secrets", "sealedsecrets", "configmaps", "events"];
        kinds.map(|kind| place.testbed.objects(&place.namespace, kind))
    };
    assert!(first.stop().success(), "SIGTERM is an orderly end");
    let before = everything();
    let second = place.controller(&[]).ready();
    eventually(
        "the second process has looked at all five, and at the two that fail once more",
        || match metric(&second, "sealed_secrets_controller_unseal_requests_total")? {
            looked if looked >= 7.0 => Ok(()),
            looked => Err(format!("{looked}")),
        },
    );
    assert!(second.stop().success());
    assert_eq!(before, everything());
}

#[test]
fn a_deleted_or_edited_secret_is_put_right_as_it_happens() {
    let place = Place::with_key("drift");
    let _controller = place.controller(&[]).ready();
    place.apply(&place.sealed("db", KEY, "first"));
    place.holds("db", "first");
    place.kubectl(&["delete", "secret", "db"]);
    place.holds("db", "first");
    place.kubectl(&[
        "patch",
        "secret",
        "db",
        "--patch={\"stringData\":{\"password\":\"edited\"}}",
    ]);
    place.holds("db", "first");
    place.kubectl(&["label", "secret", "db", "theirs=stays"]);
    place.apply(&place.sealed("other", KEY, "x"));
    place.holds("other", "x");
    let secret = place.testbed.object(&place.namespace, "secret", "db");
    let label = &secret["metadata"]["labels"]["theirs"];
    assert_eq!(label, "stays", "what others add is not drift");
    place.apply(&place.sealed("db", KEY, "second"));
    place.holds("db", "second");
}

#[test]
fn the_secret_goes_with_its_sealed_secret() {
    let place = Place::with_key("gone");
    let controller = place.controller(&[]).ready();
    place.apply(&place.sealed("db", KEY, "x"));
    place.holds("db", "x");
    let series = format!(
        "sealed_secrets_controller_condition_info{{namespace=\"{}\",name=\"db\"",
        place.namespace
    );
    let metrics =
        || get(&format!("{}/metrics", controller.url(Port::Metrics))).map(|(_, text)| text);
    eventually("there is a metric of it", || {
        let text = metrics()?;
        text.contains(&series).then_some(()).ok_or(text)
    });
    let requests = || {
        metric(
            &controller,
            "sealed_secrets_controller_unseal_requests_total",
        )
    };
    let before = requests().unwrap();
    place.kubectl(&["delete", "sealedsecret", "db"]);
    eventually("the garbage collector took the Secret", || {
        let secret = place.testbed.find_object(&place.namespace, "secret", "db");
        equal(&secret, &None)
    });
    eventually("its metric has gone", || {
        if metrics()?.contains(&series) {
            Err(series.clone())
        } else {
            Ok(())
        }
    });
    assert!(requests().unwrap() > before, "a deletion is a request, too");
}

#[test]
fn events_are_those_that_upstreams_users_look_for() {
    let place = Place::with_key("events");
    let _controller = place.controller(&[]).ready();
    place.apply(&place.sealed("db", KEY, "x"));
    place.synced("db", "True");
    let event = eventually("there is an event", || {
        place.events("db").into_iter().next().ok_or("none")
    });
    let sealed = place.testbed.object(&place.namespace, "sealedsecret", "db");
    for (path, expected) in [
        ("/involvedObject/apiVersion", json!("bitnami.com/v1alpha1")),
        ("/involvedObject/kind", json!("SealedSecret")),
        ("/involvedObject/uid", sealed["metadata"]["uid"].clone()),
        ("/source/component", json!("sealed-secrets")),
        ("/reportingComponent", json!("sealed-secrets")),
        ("/type", json!("Normal")),
        ("/reason", json!("Unsealed")),
        ("/message", json!("SealedSecret unsealed successfully")),
    ] {
        assert_eq!(event.pointer(path), Some(&expected), "{path}");
    }
}

#[test]
fn a_blocker_is_named_and_its_end_is_noticed_at_once() {
    let place = Place::with_key("blocked");
    let _controller = place.controller(&["--max-unseal-retries=0"]).ready();
    for name in ["deleted", "managed"] {
        place.kubectl(&[
            "create",
            "secret",
            "generic",
            name,
            "--from-literal=password=theirs",
        ]);
        place.apply(&place.sealed(name, KEY, "ours"));
        let condition = place.synced(name, "False");
        let message = format!(
            "failed update: Resource \"{name}\" already exists and is not managed by SealedSecret"
        );
        assert_eq!(condition["message"], Value::from(message));
        place.holds(name, "theirs");
    }
    // With no quick retries the next attempt would be in five minutes.
    place.kubectl(&["delete", "secret", "deleted"]);
    place.kubectl(&[
        "annotate",
        "secret",
        "managed",
        "sealedsecrets.bitnami.com/managed=true",
    ]);
    for name in ["deleted", "managed"] {
        let condition = place.synced(name, "True");
        assert_eq!(condition["message"], Value::Null);
        place.holds(name, "ours");
        place.told(name, "ErrUpdateFailed");
        place.told(name, "Unsealed");
    }
}

#[test]
fn a_fixed_annotation_and_a_restored_key_are_noticed_at_once() {
    let place = Place::with_key("healed");
    let controller = place.controller(&["--max-unseal-retries=0"]).ready();
    place.apply(&place.sealed_for("scoped", KEY, "wide", Scope::NamespaceWide));
    place.apply(&place.sealed("foreign", OTHER_KEY, "old"));
    for name in ["scoped", "foreign"] {
        assert_eq!(
            place.synced(name, "False")["message"],
            Value::from("no key could decrypt secret (password)")
        );
        place.told(name, "ErrUnsealFailed");
    }
    place.kubectl(&[
        "annotate",
        "sealedsecret",
        "scoped",
        "sealedsecrets.bitnami.com/namespace-wide=true",
    ]);
    place.restore_key(OTHER_KEY);
    for (name, value) in [("scoped", "wide"), ("foreign", "old")] {
        place.synced(name, "True");
        place.holds(name, value);
    }
    // A removed key opens nothing any more.
    place.kubectl(&[
        "label",
        "secret",
        OTHER_KEY,
        "--overwrite",
        "sealedsecrets.bitnami.com/sealed-secrets-key=compromised",
    ]);
    eventually("the key is dropped", || {
        metric(&controller, "signet_keys ").and_then(|keys| equal(&keys, &1.0))
    });
    place.apply(&place.sealed("late", OTHER_KEY, "x"));
    place.synced("late", "False");
}

#[test]
fn a_malformed_object_stops_no_other() {
    let place = Place::with_key("odd");
    let mut odd = place.sealed("odd", KEY, "x");
    odd["spec"]["template"] = json!({ "metadata": { "ownerReferences": "none" } });
    place.apply(&odd);
    place.apply(&place.sealed("sound", KEY, "fine"));
    let _controller = place.controller(&[]).ready();
    place.synced("sound", "True");
    let message = place.synced("odd", "False")["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(message.contains("metadata"), "{message}");
}

#[test]
fn a_label_selector_leaves_the_others_alone() {
    let place = Place::with_key("selected");
    let _controller = place.controller(&["--label-selector=app=web"]).ready();
    place.apply(&place.sealed("unlabelled", KEY, "x"));
    let mut labelled = place.sealed("labelled", KEY, "y");
    labelled["metadata"]["labels"] = json!({ "app": "web" });
    place.apply(&labelled);
    place.synced("labelled", "True");
    // The Secret of a selected SealedSecret is watched although it has no label.
    place.kubectl(&["delete", "secret", "labelled"]);
    place.holds("labelled", "y");
    let unlabelled = place
        .testbed
        .object(&place.namespace, "sealedsecret", "unlabelled");
    assert_eq!(unlabelled["status"], Value::Null);
}

#[test]
fn a_true_of_another_controller_is_not_overwritten_for_lack_of_a_key() {
    let place = Place::with_key("beside");
    place.apply(&place.sealed("theirs", OTHER_KEY, "x"));
    let status = json!({ "status": { "observedGeneration": 1, "conditions": [{ "type": "Synced", "status": "True" }] } });
    let patch = format!("--patch={status}");
    place.kubectl(&[
        "patch",
        "sealedsecret",
        "theirs",
        "--subresource=status",
        "--type=merge",
        "--field-manager=controller",
        &patch,
    ]);
    let controller = place.controller(&[]).ready();
    eventually("it was looked at", || {
        match metric(
            &controller,
            "sealed_secrets_controller_unseal_requests_total",
        )? {
            looked if looked >= 1.0 => Ok(()),
            looked => Err(format!("{looked}")),
        }
    });
    place.apply(&place.sealed("ours", KEY, "y"));
    place.synced("ours", "True");
    place.synced("theirs", "True");
    assert!(place.events("theirs").is_empty());
}
