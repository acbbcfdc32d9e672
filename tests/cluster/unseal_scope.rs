//! Which SealedSecrets are looked at, and what flags leave undone: namespaces, rights in single namespaces, deprecated objects.
//! What becomes of a Secret is the business of other suites.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sealed.rs"]
mod sealed;

use harness::{Controller, Proxy, eventually};
use sealed::{KEY, Place, vector};
use serde_json::{Value, json};

/// The same keys in further namespaces: SealedSecrets are opened with those of the controller's own one.
fn elsewhere(place: &Place, namespace: &str) -> Place {
    Place {
        testbed: place.testbed.clone(),
        namespace: namespace.to_owned(),
    }
}

/// What upstream's install grants in each namespace where cluster-wide rights are not wanted.
fn grant_unsealing(place: &Place, account: &str) {
    let namespace = &place.namespace;
    place.apply(&json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "secrets-unsealer", "namespace": namespace },
        "rules": [
            { "apiGroups": ["bitnami.com"], "resources": ["sealedsecrets"], "verbs": ["get", "list", "watch"] },
            { "apiGroups": ["bitnami.com"], "resources": ["sealedsecrets/status"], "verbs": ["update"] },
            { "apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "create", "update", "delete", "watch"] },
            { "apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"] }
        ]
    }));
    let user = format!("--user={account}");
    place.kubectl(&[
        "create",
        "rolebinding",
        "secrets-unsealer",
        "--role=secrets-unsealer",
        &user,
    ]);
}

#[test]
fn rights_in_single_namespaces_are_enough_and_one_that_lacks_them_holds_up_no_other() {
    let own = Place::with_key("own");
    let (granted, late) = (Place::empty("granted"), Place::empty("late"));
    let account = format!("system:serviceaccount:{}:default", own.namespace);
    grant_unsealing(&own, &account);
    grant_unsealing(&granted, &account);
    let proxy = Proxy::start(Some(&own.testbed.token(&own.namespace, "default")));
    let controller = Controller::start_with(
        &proxy.kubeconfig(),
        &[
            "--only=sealing",
            "--key-renew-period=0",
            &format!("--namespace={}", own.namespace),
            &format!(
                "--additional-namespaces= {} ,{}",
                granted.namespace, late.namespace
            ),
        ],
    )
    .ready();
    for place in [&own, &granted, &late] {
        place.apply(&place.sealed("db", KEY, "x"));
    }
    for place in [&own, &granted] {
        place.synced("db", "True");
        // Secrets are watched there, too.
        place.kubectl(&["delete", "secret", "db"]);
        place.holds("db", "x");
    }
    let refused = || {
        let log = controller.log();
        let named = log.contains(&late.namespace) && log.contains("can't watch SealedSecrets");
        named.then_some(()).ok_or(log)
    };
    eventually("the namespace without rights is named", refused);
    grant_unsealing(&late, &account);
    late.synced("db", "True");
    late.holds("db", "x");
}

#[test]
fn a_namespace_that_comes_later_is_looked_at_and_others_are_not() {
    let own = Place::with_key("home");
    let coming = format!("coming-{}", harness::unique());
    let stranger = Place::empty("stranger");
    let additional = format!("--additional-namespaces=,{coming}");
    let controller = own.controller(&[&additional]).ready();
    eventually("the missing namespace is named", || {
        let log = controller.log();
        let named = log.contains("namespace doesn't exist") && log.contains(&coming);
        named.then_some(()).ok_or(log)
    });
    own.testbed.kubectl(&["create", "namespace", &coming]);
    let come = elsewhere(&own, &coming);
    stranger.apply(&stranger.sealed("db", KEY, "x"));
    for place in [&own, &come] {
        place.apply(&place.sealed("db", KEY, "x"));
        place.synced("db", "True");
        place.holds("db", "x");
    }
    let strange = own
        .testbed
        .object(&stranger.namespace, "sealedsecret", "db");
    assert_eq!(strange["status"], Value::Null);
}

#[test]
fn the_deprecated_form_is_opened_unless_it_is_switched_off() {
    let own = Place::with_key("deprecated");
    // Its blob was sealed for this namespace.
    own.testbed.kubectl(&["create", "namespace", "myns"]);
    let there = elsewhere(&own, "myns");
    let mut legacy: Value =
        serde_json::from_str(&vector("legacy-v1.json")).expect("the vectors are sound");
    legacy["spec"]["encryptedData"] = json!({});
    there.apply(&legacy);
    let refusing = own
        .controller(&[
            "--additional-namespaces=myns",
            "--accept-deprecated-v1-data=false",
        ])
        .ready();
    assert_eq!(
        there.synced("mysecret", "False")["message"],
        Value::from("using deprecated 'data' field, use 'encryptedData' or flip the feature flag")
    );
    assert!(refusing.stop().success());
    let _accepting = own.controller(&["--additional-namespaces=myns"]).ready();
    there.synced("mysecret", "True");
    there.holds("mysecret", "sekret");
    let secret = there.testbed.object("myns", "secret", "mysecret");
    assert_eq!(secret["metadata"]["labels"], json!({ "l": "t" }));
}

#[test]
fn a_null_in_the_template_leaves_its_item_out() {
    let place = Place::with_key("omitted");
    let _controller = place.controller(&[]).ready();
    let mut sealed = place.sealed("db", KEY, "x");
    sealed["spec"]["template"] =
        json!({ "data": { "password": null, "url": "db://me:{{ .password }}@host" } });
    place.apply(&sealed);
    place.synced("db", "True");
    let secret = place.testbed.object(&place.namespace, "secret", "db");
    assert_eq!(secret["data"], json!({ "url": "ZGI6Ly9tZTp4QGhvc3Q=" }));
}

#[test]
fn flags_leave_status_and_deleted_secrets_alone() {
    let place = Place::with_key("flags");
    let first = place
        .controller(&["--update-status=false", "--skip-recreate"])
        .ready();
    for name in ["gone", "kept"] {
        place.apply(&place.sealed(name, KEY, "x"));
        place.holds(name, "x");
    }
    place.kubectl(&["delete", "secret", "gone"]);
    place.apply(&place.sealed("kept", KEY, "y"));
    place.holds("kept", "y");
    for name in ["gone", "kept"] {
        let sealed = place.testbed.object(&place.namespace, "sealedsecret", name);
        assert_eq!(sealed["status"], Value::Null);
    }
    let gone = place
        .testbed
        .find_object(&place.namespace, "secret", "gone");
    assert_eq!(gone, None);
    assert!(first.stop().success());

    // A start finds what is missing, and tells of nothing that was there.
    let events = place.events("kept").len();
    let _second = place.controller(&["--update-status=false"]).ready();
    place.holds("gone", "x");
    assert_eq!(place.events("kept").len(), events);
}

#[test]
fn with_the_old_collection_the_controller_itself_deletes_what_it_owned() {
    let place = Place::with_key("collected");
    let proxy = Proxy::start(None);
    let own = format!("--namespace={}", place.namespace);
    let arguments = [
        "--only=sealing",
        "--all-namespaces=false",
        "--key-renew-period=0",
        "--old-gc-behavior",
        own.as_str(),
    ];
    let _controller = Controller::start_with(&proxy.kubeconfig(), &arguments).ready();
    // Its finalizer keeps the Secret, so that Kubernetes' own collector can't be the first to have deleted it.
    let mut owned = place.sealed("owned", KEY, "x");
    owned["spec"]["template"] = json!({ "metadata": { "finalizers": ["example.com/keep"] } });
    place.apply(&owned);
    place.kubectl(&["create", "secret", "generic", "patched"]);
    let patch = "sealedsecrets.bitnami.com/patch=true";
    place.kubectl(&["annotate", "secret", "patched", patch]);
    place.apply(&place.sealed("patched", KEY, "x"));
    for name in ["owned", "patched"] {
        place.synced(name, "True");
    }
    // The one that is not owned goes first: what is deleted after it was seen is seen later.
    for name in ["patched", "owned"] {
        place.kubectl(&["delete", "sealedsecret", name]);
    }
    let deleted = |name: &str| {
        let namespace = &place.namespace;
        format!("DELETE /api/v1/namespaces/{namespace}/secrets/{name}")
    };
    let writes = eventually("the owned Secret is deleted", || {
        let writes = proxy.writes();
        let is_deleted = writes.contains(&deleted("owned"));
        is_deleted
            .then_some(writes)
            .ok_or_else(|| format!("{:?}", proxy.writes()))
    });
    assert!(!writes.contains(&deleted("patched")), "{writes:?}");
    place.holds("patched", "x");
    let release = r#"--patch={"metadata":{"finalizers":null}}"#;
    place.kubectl(&["patch", "secret", "owned", "--type=merge", release]);
}
