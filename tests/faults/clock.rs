//! The clock of the controller's machine jumps by hours. The cluster's own clock stays right.

use std::path::PathBuf;
use std::process::Command;

use k8s_openapi::jiff::{Timestamp, tz::TimeZone};

use crate::harness::{Controller, equal, eventually, repository_root, run, unique};
use crate::shop::Shop;
use crate::version::Hook;

/// A clock that is set.
struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    fn of(shop: &Shop) -> Self {
        let [library, file] = ["so", "txt"].map(|end| {
            shop.scene
                .testbed
                .path(&format!("clock-{}.{end}", unique()))
        });
        let mut compiler = Command::new("cc");
        compiler
            .args(["-shared", "-fPIC", "-Wall", "-o"])
            .arg(&library);
        run(
            compiler.arg(repository_root().join("tests/faults/clock.c")),
            None,
        )
        .success();
        let clock = Self { library, file };
        clock.is_off_by(0);
        clock
    }

    fn is_off_by(&self, hours: i64) {
        std::fs::write(&self.file, format!("{}", hours * 3600))
            .expect("the testbed's folder is writable");
    }

    /// A controller that lives by it.
    fn controller(&self, shop: &Shop) -> Controller {
        let [library, file] = [&self.library, &self.file].map(|path| path.display().to_string());
        let environment = [("LD_PRELOAD", &*library), ("SIGNET_TEST_CLOCK", &*file)];
        let arguments = shop.scene.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Controller::start_in(&environment, &shop.kubeconfig, &arguments).ready()
    }
}

#[test]
fn a_clock_that_jumps_runs_no_hook_twice_and_holds_up_no_heal() {
    let shop = Shop::new("clock");
    let clock = Clock::of(&shop);
    let controller = clock.controller(&shop);
    shop.begin(&controller);
    let before = shop.uids();
    let second = shop.version(&controller, 2, Hook::Held);
    let third = shop.version(&controller, 3, Hook::Runs);
    let commit = shop.commit(&second);
    let running = shop.hook_runs();
    clock.is_off_by(6);
    shop.scene.refresh();
    assert_eq!(shop.hook_runs(), running, "the hook was run again");
    shop.open();
    shop.holds(&second, &commit);

    // The status is full of times that lie ahead now.
    clock.is_off_by(-6);
    let (testbed, to) = (&shop.scene.testbed, &shop.scene.to);
    let other = r#"{"data": {"value": "other"}}"#;
    testbed.kubectl(&[
        "patch",
        "configmap",
        "settings",
        "--namespace",
        to,
        "--patch",
        other,
    ]);
    shop.scene
        .becomes("configmap", "settings", "/data/value", "2");
    let commit = shop.commit(&third);
    shop.holds(&third, &commit);
    shop.has_kept(&before);
    shop.has_written_its_own(3, 3);

    let own = &shop.scene.own;
    let lease = testbed.object(own, "lease", "signet-controller");
    assert_eq!(lease["spec"]["leaseTransitions"], 0, "{lease:#}");
    let key = "sealedsecrets.bitnami.com/sealed-secrets-key";
    let keys = testbed.labelled(own, "secret", key, "active");
    assert_eq!(keys.len(), 1, "no key is renewed for that");
}

#[test]
fn a_sync_that_waits_to_be_tried_again_does_not_wait_for_a_clock_that_was_ahead() {
    let shop = Shop::new("clock-retry");
    let clock = Clock::of(&shop);
    let controller = clock.controller(&shop);
    shop.begin(&controller);
    let second = shop.version(&controller, 2, Hook::Runs);
    let (testbed, to) = (&shop.scene.testbed, &shop.scene.to);
    testbed.apply(&format!(
        "apiVersion: v1\nkind: ResourceQuota\nmetadata: {{name: none, namespace: {to}}}\nspec: {{hard: {{count/configmaps: \"0\"}}}}\n"
    ));
    let state = || {
        testbed.object(to, "resourcequota", "none")["status"]["hard"]["count/configmaps"].clone()
    };
    eventually("the quota is in force", || equal(&state(), &"0".into()));
    clock.is_off_by(6);
    let commit = shop.commit(&second);
    eventually("the sync waits to be tried again", || {
        let state = &shop.scene.app()["status"]["operationState"];
        let waits = state["phase"] == "Running" && !state["finishedAt"].is_null();
        waits.then_some(()).ok_or_else(|| format!("{state:#}"))
    });
    clock.is_off_by(0);
    testbed.kubectl(&["delete", "resourcequota", "none", "--namespace", to]);
    shop.holds(&second, &commit);
    // Each try runs the hook before it, and one came as far as the hook after it.
    let retries = shop.scene.app()["status"]["operationState"]["retryCount"].as_u64();
    let tries = 1 + usize::try_from(retries.unwrap_or_default()).expect("a few");
    shop.has_written_its_own(1 + tries, 2);
}

#[test]
fn a_sync_that_waits_for_a_window_begins_when_the_clock_jumps_past_it() {
    let shop = Shop::new("clock-window");
    let clock = Clock::of(&shop);
    let controller = clock.controller(&shop);
    shop.begin(&controller);
    let second = shop.version(&controller, 2, Hook::Runs);
    let hour = Timestamp::now().to_zoned(TimeZone::UTC).hour();
    let own = &shop.scene.own;
    let window = format!(
        r#"{{"spec": {{"syncWindows": [{{"kind": "deny", "schedule": "0 {hour} * * *", "duration": "3h", "applications": ["app"]}}]}}}}"#
    );
    let project = ["appproject", "shop", "--namespace", own];
    let patch = ["patch", "--type=merge", "--patch", &window];
    shop.scene
        .testbed
        .kubectl(&[&patch[..], &project[..]].concat());
    let commit = shop.commit(&second);
    shop.scene.condition("SyncBlocked");
    shop.has_written_its_own(1, 1);
    clock.is_off_by(4);
    shop.holds(&second, &commit);
    shop.has_written_its_own(2, 2);
}
