//! What becomes of the Secret, where it takes a real API server to show it: its refusals, its record of managers, its types.
//! The rules themselves are tested as plans, in `controller/src/unseal/plan/`.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sealed.rs"]
mod sealed;

use harness::{equal, eventually};
use sealed::{KEY, Place};
use sealing::Scope;
use serde_json::{Value, json};

const MANAGED: &str = "sealedsecrets.bitnami.com/managed";
const PATCH: &str = "sealedsecrets.bitnami.com/patch";
const SKIP_OWNER: &str = "sealedsecrets.bitnami.com/skip-set-owner-references";

fn secret(place: &Place, name: &str) -> Value {
    place.testbed.object(&place.namespace, "secret", name)
}

/// Sets the only item of a Secret, as somebody who edits it.
fn edit(place: &Place, name: &str, value: &str, manager: &str) -> Result<String, String> {
    let patch = format!("--patch={}", json!({ "stringData": { "password": value } }));
    let manager = format!("--field-manager={manager}");
    let namespace = &place.namespace;
    let args = [
        "patch",
        "secret",
        name,
        &patch,
        &manager,
        "--namespace",
        namespace,
    ];
    place.testbed.try_kubectl(&args)
}

/// A Secret of somebody else with these annotations.
fn foreign(place: &Place, name: &str, annotations: &[&str], items: &Value) {
    let annotations: serde_json::Map<_, _> = annotations
        .iter()
        .map(|key| ((*key).to_owned(), Value::from("true")))
        .collect();
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": name, "namespace": place.namespace, "annotations": annotations, "labels": { "theirs": "1" } },
        "stringData": items
    }));
}

/// A template with these annotations.
fn annotated(annotations: &[&str]) -> Value {
    let annotations: serde_json::Map<_, _> = annotations
        .iter()
        .map(|key| ((*key).to_owned(), Value::from("true")))
        .collect();
    json!({ "metadata": { "annotations": annotations } })
}

/// Reasons and messages of the Events on an object of this name.
fn messages(place: &Place, name: &str) -> String {
    let text = |event: &Value, field: &str| event[field].as_str().unwrap_or_default().to_owned();
    let line = |event| format!("{}: {}\n", text(event, "reason"), text(event, "message"));
    place.events(name).iter().map(line).collect()
}

#[test]
fn an_immutable_secret_and_another_type_are_refused_in_the_api_servers_words() {
    let place = Place::with_key("refused");
    let _controller = place.controller(&[]).ready();
    let mut immutable = place.sealed("im", KEY, "first");
    immutable["spec"]["template"] = json!({ "immutable": true });
    place.apply(&immutable);
    place.apply(&place.sealed("ty", KEY, "first"));
    place.holds("im", "first");
    place.holds("ty", "first");

    let mut again = place.sealed("im", KEY, "second");
    again["spec"]["template"] = json!({ "immutable": true });
    place.apply(&again);
    let mut typed = place.sealed("ty", KEY, "first");
    typed["spec"]["template"] = json!({ "type": "foo/bar" });
    place.apply(&typed);
    let message = |name: &str| {
        let condition = place.synced(name, "False");
        condition["message"].as_str().unwrap_or_default().to_owned()
    };
    let told = message("im");
    let said = edit(&place, "im", "mine", "kubectl").expect_err("it is immutable");
    assert!(said.contains(&told), "{said}\n{told}");
    assert!(
        told.ends_with("is invalid: data: Forbidden: field is immutable when `immutable` is set"),
        "{told}"
    );
    let long = format!(
        "ErrUpdateFailed: Error updating {}/im: the target Secret is immutable.",
        place.namespace
    );
    place.told("im", "ErrUpdateFailed");
    assert!(messages(&place, "im").contains(&long));

    let told = message("ty");
    let args = [
        "patch",
        "secret",
        "ty",
        "--patch={\"type\":\"foo/bar\"}",
        "--namespace",
        &place.namespace,
    ];
    let said = place
        .testbed
        .try_kubectl(&args)
        .expect_err("a type can't change");
    assert!(said.contains(&told), "{said}\n{told}");
    assert!(
        told.ends_with("is invalid: type: Invalid value: \"foo/bar\": field is immutable"),
        "{told}"
    );

    for name in ["im", "ty"] {
        place.kubectl(&["delete", "secret", name]);
        place.synced(name, "True");
    }
    place.holds("im", "second");
    assert_eq!(secret(&place, "ty")["type"], "foo/bar");
}

#[test]
fn secrets_of_others_are_taken_over_patched_or_left() {
    let place = Place::with_key("modes");
    let _controller = place.controller(&[]).ready();
    let theirs = json!({ "password": "theirs", "more": "theirs" });
    foreign(&place, "managed", &[MANAGED], &theirs);
    foreign(&place, "patched", &[PATCH], &theirs);
    foreign(&place, "both", &[MANAGED, PATCH], &theirs);
    foreign(&place, "empty", &[PATCH], &json!({}));
    foreign(&place, "theirs", &[], &theirs);
    for name in ["managed", "patched", "both", "empty", "theirs"] {
        place.apply(&place.sealed(name, KEY, "ours"));
    }
    for name in ["managed", "patched", "both", "empty"] {
        place.synced(name, "True");
        place.holds(name, "ours");
    }
    place.synced("theirs", "False");
    place.holds("theirs", "theirs");
    // Name, further item, foreign label, owner.
    for (name, more, label, owned) in [
        ("managed", false, false, true),
        ("patched", true, true, false),
        ("both", true, true, true),
        ("empty", false, true, false),
    ] {
        let secret = secret(&place, name);
        let seen = (
            secret["data"]["more"].is_string(),
            secret["metadata"]["labels"]["theirs"].is_string(),
            secret["metadata"]["ownerReferences"].is_array(),
        );
        assert_eq!(seen, (more, label, owned), "{name}: {secret}");
    }
    place.kubectl(&["delete", "secret", "patched"]);
    place.holds("patched", "ours");
    let more = &secret(&place, "patched")["data"]["more"];
    assert_eq!(more, &Value::Null, "what others wrote has gone");
}

#[test]
fn renamed_and_further_items_and_a_type_of_ones_own() {
    let place = Place::with_key("items");
    let _controller = place.controller(&[]).ready();
    let mut first = place.sealed("db", KEY, "x");
    first["spec"]["template"] = json!({ "type": "example.com/own" });
    place.apply(&first);
    place.holds("db", "x");
    // Items may be renamed: only name and namespace of the object are sealed in.
    let mut second = first.clone();
    let item = first["spec"]["encryptedData"]["password"].clone();
    let more = place.sealed("db", KEY, "y")["spec"]["encryptedData"]["password"].clone();
    second["spec"]["encryptedData"] = json!({ "passphrase": item, "more": more });
    place.apply(&second);
    eventually("the items are the new ones", || {
        let secret = secret(&place, "db");
        equal(
            &secret["data"],
            &json!({ "passphrase": "eA==", "more": "eQ==" }),
        )?;
        equal(&secret["type"], &Value::from("example.com/own"))
    });
}

#[test]
fn another_name_or_an_annotation_that_is_taken_back_opens_nothing() {
    let place = Place::with_key("scopes");
    let _controller = place.controller(&[]).ready();
    let wide = "sealedsecrets.bitnami.com/cluster-wide";
    let mut scoped = place.sealed_for("scoped", KEY, "x", Scope::ClusterWide);
    scoped["metadata"]["annotations"] = json!({ wide: "true" });
    let mut renamed = place.sealed("original", KEY, "x");
    renamed["metadata"]["name"] = Value::from("renamed");
    let mut half = place.sealed_for("half", KEY, "x", Scope::NamespaceWide);
    half["metadata"]["annotations"] = json!({ wide: "true" });
    for object in [&scoped, &renamed, &half] {
        place.apply(object);
    }
    place.synced("scoped", "True");
    for name in ["renamed", "half"] {
        place.synced(name, "False");
    }
    place.kubectl(&[
        "annotate",
        "sealedsecret",
        "scoped",
        "--overwrite",
        &format!("{wide}=false"),
    ]);
    let condition = place.synced("scoped", "False");
    assert_eq!(
        condition["message"],
        Value::from("no key could decrypt secret (password)")
    );
    place.holds("scoped", "x");
}

#[test]
fn a_secret_without_owner_is_ours_only_if_its_template_says_so() {
    let place = Place::with_key("ownerless");
    let _controller = place.controller(&[]).ready();
    for (name, annotations, status) in [
        ("skipped", vec![SKIP_OWNER], "False"),
        ("managed", vec![SKIP_OWNER, MANAGED], "True"),
        ("patched", vec![SKIP_OWNER, PATCH], "True"),
    ] {
        let mut sealed = place.sealed(name, KEY, "x");
        sealed["spec"]["template"] = annotated(&annotations);
        place.apply(&sealed);
        let condition = place.synced(name, status);
        place.holds(name, "x");
        let owners = &secret(&place, name)["metadata"]["ownerReferences"];
        assert_eq!(owners, &Value::Null, "{name}");
        if status == "False" {
            assert_eq!(
                condition["message"],
                Value::from(
                    "failed update: Resource \"skipped\" already exists and is not managed by SealedSecret"
                )
            );
        }
    }
}

#[test]
fn an_owner_that_was_taken_off_comes_back_but_not_to_an_orphan() {
    let place = Place::with_key("owner");
    let _controller = place.controller(&[]).ready();
    place.apply(&place.sealed("db", KEY, "x"));
    place.holds("db", "x");
    let patch = "--patch={\"metadata\":{\"ownerReferences\":null}}";
    place.kubectl(&["patch", "secret", "db", "--type=merge", patch]);
    eventually("the owner is back", || {
        let owners = &secret(&place, "db")["metadata"]["ownerReferences"];
        equal(&owners[0]["kind"], &Value::from("SealedSecret"))
    });
    place.synced("db", "True");
    place.kubectl(&["delete", "sealedsecret", "db", "--cascade=orphan"]);
    place.apply(&place.sealed("other", KEY, "y"));
    place.holds("other", "y");
    let orphan = secret(&place, "db");
    assert_eq!(orphan["metadata"]["ownerReferences"], Value::Null);
    assert_eq!(orphan["metadata"]["deletionTimestamp"], Value::Null);
}

#[test]
fn what_others_add_stays_for_good_where_the_sealed_secret_asks_for_it() {
    let place = Place::with_key("kept");
    let _controller = place.controller(&[]).ready();
    let version = |name: &str, value: &str, label: &str| {
        let mut sealed = place.sealed(name, KEY, value);
        sealed["spec"]["template"] = json!({ "metadata": { "labels": { label: "ours" } } });
        sealed
    };
    for name in ["kept", "dropped"] {
        let mut first = version(name, "first", "old");
        if name == "kept" {
            first["metadata"]["annotations"] =
                json!({ "signet.dev/keep-foreign-metadata": "true" });
        }
        place.apply(&first);
        place.holds(name, "first");
        place.kubectl(&["label", "secret", name, "theirs=1"]);
        place.kubectl(&["annotate", "secret", name, "theirs=1"]);
    }
    let mut second = version("kept", "second", "new");
    second["metadata"]["annotations"] = json!({ "signet.dev/keep-foreign-metadata": "true" });
    place.apply(&second);
    place.apply(&version("dropped", "second", "new"));
    for (name, labels, annotation) in [
        ("kept", json!({ "new": "ours", "theirs": "1" }), json!("1")),
        ("dropped", json!({ "new": "ours" }), Value::Null),
    ] {
        place.holds(name, "second");
        let metadata = &secret(&place, name)["metadata"];
        assert_eq!(metadata["labels"], labels, "{name}");
        assert_eq!(metadata["annotations"]["theirs"], annotation, "{name}");
    }
}

#[test]
fn without_self_heal_edits_stay_and_deleted_secrets_come_back() {
    let place = Place::with_key("unhealed");
    let _controller = place.controller(&["--self-heal=false"]).ready();
    for name in ["edited", "deleted"] {
        place.apply(&place.sealed(name, KEY, "x"));
        place.holds(name, "x");
        place.synced(name, "True");
    }
    edit(&place, "edited", "mine", "kubectl").expect("it can be edited");
    place.kubectl(&["delete", "secret", "deleted"]);
    place.holds("deleted", "x");
    place.holds("edited", "mine");
    place.apply(&place.sealed("edited", KEY, "new"));
    place.holds("edited", "new");
}

#[test]
fn who_keeps_changing_a_secret_back_is_named() {
    let place = Place::with_key("fight");
    let _controller = place.controller(&[]).ready();
    place.apply(&place.sealed("db", KEY, "ours"));
    place.holds("db", "ours");
    eventually("the fight is told", || {
        edit(&place, "db", "theirs", "their-tool")?;
        let messages = messages(&place, "db");
        let told = messages.contains("FightingManager: ") && messages.contains(" by their-tool;");
        told.then_some(()).ok_or(messages)
    });
    // Nobody waits for the end of the fight to have a new version.
    place.apply(&place.sealed("db", KEY, "new"));
    place.holds("db", "new");
    place.synced("db", "True");
}

#[test]
fn a_policy_that_quotes_the_value_is_not_repeated() {
    let place = Place::with_key("policy");
    let controller = place.controller(&[]).ready();
    let name = &place.namespace;
    let only_here =
        json!({ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": name } } });
    let validations = json!([{ "expression": "object.metadata.name != 'db'", "messageExpression": "'refused: ' + string(object.data['password'])" }]);
    place.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": { "name": name },
        "spec": {
            "matchConstraints": { "resourceRules": [{ "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"] }] },
            "validations": validations
        }
    }));
    place.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": { "name": name },
        "spec": { "policyName": name, "validationActions": ["Deny"], "matchResources": only_here }
    }));
    eventually("the policy is in force", || {
        let create = [
            "create",
            "secret",
            "generic",
            "db",
            "--from-literal=password=hunter2",
            "--namespace",
            name,
        ];
        match place.testbed.try_kubectl(&create) {
            Ok(_) => {
                place.kubectl(&["delete", "secret", "db"]);
                Err("not yet".to_owned())
            }
            // It quotes the value as the API knows it: base64 of hunter2.
            Err(error) => error.contains("aHVudGVyMg==").then_some(()).ok_or(error),
        }
    });
    place.apply(&place.sealed("db", KEY, "hunter2"));
    let told = place.synced("db", "False")["message"].to_string();
    assert!(
        told.contains(&format!("ValidatingAdmissionPolicy '{name}'")),
        "{told}"
    );
    place.told("db", "ErrUpdateFailed");
    let everything = format!("{told}{}{}", messages(&place, "db"), controller.log());
    assert!(!everything.contains("aHVudGVyMg"), "{everything}");
}
