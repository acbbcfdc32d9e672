//! A controller that was stopped for so long that the API server has forgotten what it missed: its watches are told `410 Gone`, and
//! it has to find out by listing anew what is there no more.

use serde_json::{Value, json};

use crate::harness::{eventually, send};
use crate::record::listings;
use crate::shop::Shop;
use crate::version::Hook;

/// etcd's own HTTP interface.
const ETCD: &str = "http://127.0.0.1:2379/v3/kv";

#[test]
fn what_happened_while_a_watch_was_away_is_found_by_listing_anew() {
    let shop = Shop::new("expired");
    let controller = shop.controller(&[]);
    shop.begin(&controller);
    let (testbed, to, own) = (
        shop.scene.testbed.clone(),
        shop.scene.to.clone(),
        shop.scene.own.clone(),
    );
    let before = shop.uids();
    let second = shop.version(&controller, 2, Hook::Runs);

    controller.signal("STOP");
    let delete = |kind: &str, name: &str, namespace: &str| {
        testbed.kubectl(&["delete", kind, name, "--namespace", namespace]);
    };
    delete("configmap", "kept", &to);
    delete("deployment", "web", &to);
    delete("sealedsecret", "login", &to);
    delete("job", "migrate", &to);
    // Its objects stay, since it has no finalizer.
    delete("application", "neighbour", &own);
    let other = r#"{"data": {"value": "other"}}"#;
    testbed.kubectl(&[
        "patch",
        "configmap",
        "late",
        "--namespace",
        &to,
        "--patch",
        other,
    ]);
    let commit = shop.commit(&second);
    forget();
    testbed.stop("kube-apiserver");
    testbed.start("kube-apiserver");
    let kinds = ["applications", "configmaps", "deployments", "sealedsecrets"];
    let listed = || kinds.map(|kind| listings(&testbed, &shop.account, kind));
    let known = listed();
    controller.signal("CONT");

    eventually("all is listed anew", || {
        let now = listed();
        let anew = known.iter().zip(&now).all(|(before, now)| now > before);
        anew.then_some(())
            .ok_or_else(|| format!("{kinds:?}: {known:?} listings before, {now:?} now"))
    });
    shop.holds(&second, &commit);
    let made_anew = ["kept", "web", "login"];
    let others = before
        .into_iter()
        .filter(|((_, name), _)| !made_anew.contains(&name.as_str()));
    shop.has_kept(&others.collect());
    shop.has_written_its_own(2, 2);
}

/// Has etcd forget everything but what is now.
#[track_caller]
fn forget() {
    let ask = |what: &str, body: Value| {
        let (status, answer) =
            send(&format!("{ETCD}/{what}"), &[], &body.to_string()).expect("etcd answers");
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str::<Value>(&answer).expect("etcd answers in JSON")
    };
    let revision = ask("range", json!({"key": "AA=="}))["header"]["revision"].clone();
    ask(
        "compaction",
        json!({"revision": revision, "physical": true}),
    );
}
