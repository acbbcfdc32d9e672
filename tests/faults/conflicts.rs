//! Others write what a sync writes, at the same time: its objects, the Secret, the Application and its status.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{Controller, Proxy, eventually};
use crate::record::conflicts;
use crate::scene::config_map;
use crate::shop::Shop;
use crate::version::Hook;

#[test]
fn others_who_write_the_same_objects_cost_no_status_and_no_object() {
    let shop = Shop::new("conflicts");
    let (controller, _proxy) = slow(&shop);
    shop.begin(&controller);
    let before = shop.uids();
    let second = shop.version(&controller, 2, Hook::Runs);
    let third = shop.version(&controller, 3, Hook::Runs);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| meddle(&shop, &is_over));
        let _ends = Ends(&is_over);
        let commit = shop.commit(&second);
        let app = shop.scene.operation("Succeeded", &commit);
        let history = app["status"]["history"].as_array().map(Vec::len);
        assert_eq!(history, Some(2), "{:#}", app["status"]);
        shop.scene.says("FightingManager", "ConfigMap");
    });
    let late = conflicts(&shop.scene.testbed, &shop.account, "applications");
    assert!(late > 0, "nobody was in the way");

    let commit = shop.commit(&third);
    shop.holds(&third, &commit);
    shop.has_kept(&before);
    shop.has_written_its_own(3, 3);
}

/// Writes over what the controller writes, again and again.
fn meddle(shop: &Shop, is_over: &AtomicBool) {
    let (to, own) = (&*shop.scene.to, &*shop.scene.own);
    for round in (0..).take_while(|_| !is_over.load(Ordering::Relaxed)) {
        let label = format!(r#"{{"metadata": {{"labels": {{"round": "{round}"}}}}}}"#);
        let annotation = format!(r#"{{"metadata": {{"annotations": {{"round": "{round}"}}}}}}"#);
        let value = format!(r#"{{"data": {{"value": "other-{round}"}}}}"#);
        for (namespace, object, patch) in [
            (own, "application/app", &*label),
            (
                own,
                "application/app",
                r#"{"status": {"sourceType": "Kustomize"}}"#,
            ),
            (to, "configmap/settings", &value),
            (to, "secret/login", r#"{"data": {"password": "b3RoZXI="}}"#),
            (own, "application/app", &annotation),
        ] {
            let patch = [
                "patch",
                object,
                "--namespace",
                namespace,
                "--type=merge",
                "--patch",
                patch,
            ];
            shop.scene.testbed.kubectl(&patch);
        }
    }
}

/// Whatever a test comes to, who meddles has an end.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_write_over_another_is_tried_again_and_no_failure() {
    let shop = Shop::new("conflict");
    let (controller, _proxy) = slow(&shop);
    shop.begin(&controller);
    let replaced = |value: &str| {
        let options = "metadata: {annotations: {argocd.argoproj.io/sync-options: Replace=true}, ";
        config_map("settings", value).replacen("metadata: {", options, 1)
    };
    let commit = shop.scene.commit(&[("app/settings.yaml", &replaced("2"))]);
    // A write is on its way for a while: somebody is faster now and then.
    let testbed = &shop.scene.testbed;
    eventually("the controller's write came too late", || {
        let label = format!("round={}", crate::harness::unique());
        testbed.kubectl(&[
            "label",
            "configmap",
            "settings",
            &label,
            "--overwrite",
            "--namespace",
            &shop.scene.to,
        ]);
        (conflicts(testbed, &shop.account, "configmaps") > 0)
            .then_some(())
            .ok_or("not yet")
    });
    let app = shop.scene.operation("Succeeded", &commit);
    shop.scene
        .becomes("configmap", "settings", "/data/value", "2");
    let state = &app["status"]["operationState"];
    assert!(state["retryCount"].is_null(), "it was a failure: {state:#}");
    let history = app["status"]["operationHistory"].to_string();
    assert!(!history.contains("Failed"), "{history}");
}

/// A controller whose writes take a while to arrive, so that others come between its look and its write.
fn slow(shop: &Shop) -> (Controller, Proxy) {
    let proxy = Proxy::slow(
        150,
        Some(&shop.scene.testbed.token(&shop.scene.own, "controller")),
    );
    // With Secrets of the destination being watched.
    let also = format!("--additional-namespaces={}", shop.scene.to);
    (shop.controller_at(&proxy.kubeconfig(), &[&also]), proxy)
}
