//! What users of Sealed Secrets reported as stuck or wrong for ever, replayed against our controller: each ends Synced=True.
//! The numbers are those of upstream's issues. Only where it is said does a retry by the clock help: quick ones are turned off.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sealed.rs"]
mod sealed;

use std::time::{Duration, Instant};

use harness::{Controller, equal, eventually};
use sealed::{KEY, OTHER_KEY, Place};
use serde_json::{Value, json};

/// A controller that tries a failed object again after five minutes only, unless something wakes it.
fn controller(place: &Place) -> Controller {
    place.controller(&["--max-unseal-retries=0"]).ready()
}

/// How long it may take from the remedy to Synced=True. It is promised as a number, so unlike other times it is asserted: three
/// times as long, since other suites use the machine too. What is waited for where one of these scripts is stuck takes minutes.
const PROMISED: Duration = Duration::from_secs(3 * 10);

/// Does what was missing, awaits Synced=True, and returns the condition.
#[track_caller]
fn heals(place: &Place, name: &str, remedy: impl FnOnce()) -> Value {
    let begun = Instant::now();
    remedy();
    let condition = place.synced(name, "True");
    let took = begun.elapsed();
    assert!(took < PROMISED, "{name} was Synced=True after {took:?}");
    condition
}

fn uid_of_owner(place: &Place, name: &str) -> Value {
    let secret = place.testbed.object(&place.namespace, "secret", name);
    secret["metadata"]["ownerReferences"][0]["uid"].clone()
}

/// Nothing when there is no such Secret.
fn uid_of_secret(place: &Place, name: &str) -> Option<Value> {
    let secret = place.testbed.find_object(&place.namespace, "secret", name);
    Some(secret?["metadata"]["uid"].clone())
}

/// #1599: `replace --force` deletes and creates. The garbage collector takes the old Secret later, here as late as we like.
#[test]
fn a_replaced_sealed_secret_gets_its_secret_when_the_old_one_has_gone() {
    let place = Place::with_key("replaced");
    let _controller = controller(&place);
    place.apply(&place.sealed("db", KEY, "old"));
    place.holds("db", "old");
    let hold = "--patch={\"metadata\":{\"finalizers\":[\"example.com/hold\"]}}";
    place.kubectl(&["patch", "secret", "db", hold]);
    place.kubectl(&["delete", "sealedsecret", "db", "--wait=false"]);
    eventually("the old SealedSecret has gone", || {
        let old = place
            .testbed
            .find_object(&place.namespace, "sealedsecret", "db");
        equal(&old, &None)
    });
    place.apply(&place.sealed("db", KEY, "new"));
    place.synced("db", "False");
    // The collector learns of new kinds every 30 seconds only.
    eventually("the old Secret waits for its finalizer", || {
        let secret = place.testbed.object(&place.namespace, "secret", "db");
        (!secret["metadata"]["deletionTimestamp"].is_null())
            .then_some(())
            .ok_or("not deleted yet")
    });
    let release = "--patch={\"metadata\":{\"finalizers\":null}}";
    heals(&place, "db", || {
        place.kubectl(&["patch", "secret", "db", "--type=merge", release]);
    });
    place.holds("db", "new");
    let new = place.testbed.object(&place.namespace, "sealedsecret", "db");
    assert_eq!(uid_of_owner(&place, "db"), new["metadata"]["uid"]);
}

/// The same as one command, whenever the garbage collector comes: what is promised is the time after it.
#[test]
fn a_sealed_secret_replaced_by_force_ends_well() {
    let place = Place::with_key("forced");
    let _controller = controller(&place);
    for round in ["first", "second", "third"] {
        let file = place
            .testbed
            .path(&format!("{}-{round}.json", place.namespace));
        let text = place.sealed("db", KEY, round).to_string();
        std::fs::write(&file, text).expect("the testbed's folder is writable");
        let old = uid_of_secret(&place, "db");
        place.kubectl(&["replace", "--force", "-f", &file.display().to_string()]);
        // The collector learns of new kinds every 30 seconds only, so the promised time begins after it came.
        eventually("the old Secret has gone", || {
            let now = uid_of_secret(&place, "db");
            (now.is_none() || now != old)
                .then_some(())
                .ok_or("still there")
        });
        heals(&place, "db", || {});
        place.holds("db", round);
    }
}

/// #853: the status goes on to say that no key fits although the Secret is there.
#[test]
fn a_status_does_not_outlive_its_reason() {
    let place = Place::with_key("stale");
    let _controller = controller(&place);
    place.apply(&place.sealed("db", OTHER_KEY, "x"));
    let failed = place.synced("db", "False");
    assert_eq!(
        failed["message"],
        Value::from("no key could decrypt secret (password)")
    );
    let healed = heals(&place, "db", || place.restore_key(OTHER_KEY));
    assert_eq!(healed["message"], Value::Null);
    place.holds("db", "x");
    // The other way round: a key that is taken away makes the object fail, and its Secret stays.
    place.kubectl(&["delete", "secret", OTHER_KEY]);
    place.synced("db", "False");
    place.holds("db", "x");
    heals(&place, "db", || place.apply(&place.sealed("db", KEY, "y")));
    place.holds("db", "y");
}

/// #1090: a Secret that stood in the way is deleted.
#[test]
fn deleting_what_blocks_is_enough() {
    let place = Place::with_key("blocker");
    let _controller = controller(&place);
    place.kubectl(&[
        "create",
        "secret",
        "generic",
        "db",
        "--from-literal=password=theirs",
    ]);
    place.apply(&place.sealed("db", KEY, "ours"));
    place.synced("db", "False");
    heals(&place, "db", || {
        place.kubectl(&["delete", "secret", "db"]);
    });
    place.holds("db", "ours");
}

/// #603: a False that somebody else left behind is never looked at again.
#[test]
fn a_false_of_before_is_resolved() {
    let place = Place::with_key("wrong");
    let stopped = controller(&place);
    place.apply(&place.sealed("db", KEY, "x"));
    place.synced("db", "True");
    assert!(stopped.stop().success());
    let condition = json!([{ "type": "Synced", "status": "False", "message": "failed update: a long time ago" }]);
    let patch = format!(
        "--patch={}",
        json!({ "status": { "conditions": condition } })
    );
    let args = [
        "patch",
        "sealedsecret",
        "db",
        "--subresource=status",
        "--type=merge",
        &patch,
    ];
    place.kubectl(&args);
    let mut restarted = None;
    let healed = heals(&place, "db", || restarted = Some(controller(&place)));
    assert_eq!(healed["message"], Value::Null);
    drop(restarted);
}

/// #1090 once more: a quota that refuses the Secret is a failure like any other, and told in the API server's words. Nothing
/// tells when it is lifted, so that here the quick retries help.
#[test]
fn a_quota_that_is_lifted_lets_the_secret_in() {
    let place = Place::with_key("quota");
    let _controller = place.controller(&[]).ready();
    place.kubectl(&["create", "quota", "few", "--hard=secrets=1"]);
    eventually("the quota counts", || {
        let quota = place
            .testbed
            .object(&place.namespace, "resourcequota", "few");
        equal(&quota["status"]["hard"]["secrets"], &Value::from("1"))
    });
    place.apply(&place.sealed("db", KEY, "x"));
    let message = place.synced("db", "False")["message"].to_string();
    assert!(message.contains("exceeded quota: few"), "{message}");
    heals(&place, "db", || {
        place.kubectl(&["delete", "quota", "few"]);
    });
    place.holds("db", "x");
}
