//! Upstream's controller is stopped and ours started in its place, with the same arguments, environment and rights, and
//! later the other way round: what was healthy is left as it is, to the byte, and all work goes on.
//! Only the swap is tested here; that ours does as upstream's would is the business of other suites.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "swap/objects.rs"]
mod objects;
#[path = "swap/peer.rs"]
mod peer;
#[path = "swap/record.rs"]
mod record;

use std::collections::BTreeMap;

use harness::{equal, eventually, kubeseal};
use objects::Object;
use peer::{ACCOUNT, Controller, Install};
use record::{Record, Request, requests};
use serde_json::{Value, json};

/// Ours is started this often before upstream comes back.
const PROCESSES: usize = 2;

#[test]
fn a_cluster_goes_from_upstream_to_ours_and_back_without_a_loss() {
    let mut install = Install::upstream();
    let certificates = objects::three_keys(&install);
    let objects = objects::read();
    let healthy = objects.iter().filter(|object| object.is_healthy()).count();
    assert!(healthy >= 60, "only {healthy} healthy objects in the table");
    objects::create(&objects, &certificates);
    objects::settle(&install, &objects);
    install.stop();
    let upstreams = Record::take(&install.testbed);
    let asked = requests(&install.testbed, ACCOUNT).len();
    for object in &objects {
        happen_afterwards(&install, object);
    }

    install.swap(Controller::Ours);
    objects::settle(&install, &objects);
    let newest = std::fs::read_to_string(&certificates[&objects::Key::Third]).expect("a file");
    assert_eq!(
        install.certificate(),
        newest,
        "the newest of the three keys seals"
    );
    install.swap(Controller::Ours);
    objects::settle(&install, &objects);
    let made = work_goes_on(&install);
    install.stop();
    let ours = Record::take(&install.testbed);
    only_what_may_differ(&objects, &ours.differences(&upstreams));
    only_what_may_be_asked(&objects, &requests(&install.testbed, ACCOUNT)[asked..]);
    what_ours_does_differently(&objects, &ours);

    install.swap(Controller::UpstreamAgain);
    let back: Vec<Object> = objects
        .into_iter()
        .filter(|object| object.afterwards.is_none())
        .collect();
    objects::settle(&install, &back);
    upstream_opens_what_was_made_meanwhile(&install, &made);
    install.stop();
    secrets_are_as_they_were(
        &back,
        &Record::take(&install.testbed).differences(&upstreams),
    );
}

/// What changes without upstream's noticing.
fn happen_afterwards(install: &Install, object: &Object) {
    if let Some(command) = &object.afterwards {
        let mut args: Vec<&str> = command.split(' ').collect();
        args.extend(["--namespace", &object.namespace]);
        install.testbed.kubectl(&args);
    }
}

/// Healthy objects, their Secrets and events are what they were, to the resourceVersion. What is refused for the same
/// reason as before keeps its Secret and its status, and one event of each process counts the attempts.
fn only_what_may_differ(objects: &[Object], differences: &BTreeMap<String, [Value; 2]>) {
    for object in objects.iter().filter(|object| object.is_settled()) {
        let of = |kind: &str| differences.get(&format!("{kind} {}", object.place()));
        assert_eq!(of("Secret"), None, "{}", object.place());
        assert_eq!(of("SealedSecret"), None, "{}", object.place());
        if let Some([before, after]) = of("Events") {
            let count = |events: &Value| events.as_array().map_or(0, Vec::len);
            let told = count(after) - count(before);
            assert!(
                !object.is_healthy() && told <= PROCESSES,
                "{}: {before:#} is {after:#}",
                object.place()
            );
        }
    }
    let keys = differences
        .iter()
        .filter(|(place, _)| place.starts_with("Secret kube-system/"));
    let keys: Vec<_> = keys.map(|(_, [before, _])| before).collect();
    assert_eq!(
        keys,
        [&Value::Null],
        "the key that ours made is new, and no other key is touched"
    );
}

/// No write to what is at rest, one to what is to change, and upstream's rights are enough to seal and open.
fn only_what_may_be_asked(objects: &[Object], asked: &[Request]) {
    let objects: BTreeMap<_, _> = objects
        .iter()
        .map(|object| (object.place(), object))
        .collect();
    let mut writes = BTreeMap::<_, usize>::new();
    for request in asked.iter().filter(|request| request.is_write()) {
        *writes
            .entry((&request.place, &request.resource))
            .or_default() += 1;
    }
    for ((place, resource), count) in writes {
        if let Some(object) = objects.get(place) {
            assert!(
                !object.is_settled() && count == 1,
                "{count} writes to {resource} {place}"
            );
        }
    }
    let upstreams = ["secrets", "sealedsecrets", "sealedsecrets/status", "events"];
    let lacks_right =
        |request: &&Request| request.code == 403 && upstreams.contains(&request.resource.as_str());
    let lacking: Vec<_> = asked.iter().filter(lacks_right).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

/// Items of Secrets whose templates mean something else in later versions of upstream.
fn what_ours_does_differently(objects: &[Object], record: &Record) {
    for object in objects {
        let Some(ours) = object.ours.as_ref().filter(|ours| !ours.data.is_empty()) else {
            continue;
        };
        let secret = record.get(&format!("Secret {}", object.place()));
        let encoded: BTreeMap<_, _> = ours
            .data
            .iter()
            .map(|(key, value)| (key, base64(value)))
            .collect();
        assert_eq!(secret["data"], json!(encoded), "{}", object.place());
    }
}

fn base64(text: &str) -> String {
    use ::base64::prelude::{BASE64_STANDARD, Engine as _};
    BASE64_STANDARD.encode(text)
}

/// Seal, open, validate, re-encrypt, renew: with upstream's kubeseal, under upstream's rights. Returns what was made.
fn work_goes_on(install: &Install) -> [&'static str; 2] {
    let keys = install.keys();
    seal_and_open(install, "made-before-renewal");
    let stored = |name: &str| {
        install
            .testbed
            .object("shop", "sealedsecret", name)
            .to_string()
    };
    kubeseal(&["--validate"], &stored("strict-first")).success();
    let invalid = kubeseal(&["--validate"], &stored("unknown-key"));
    assert_eq!(
        invalid.stderr,
        "error: unable to decrypt sealed secret: unknown-key\n"
    );

    let renewed = install.renew_key();
    assert!(keys.is_subset(&install.keys()), "old keys stay");
    assert_eq!(install.certificate(), renewed);
    seal_and_open(install, "made-after-renewal");
    reencrypt(install, "made-before-renewal");
    ["made-before-renewal", "made-after-renewal"]
}

/// Seals with the certificate that kubeseal gets from the cluster.
fn seal_and_open(install: &Install, name: &str) {
    let metadata = json!({ "name": name, "namespace": "shop", "labels": { "made": name } });
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": { "password": name } });
    install
        .testbed
        .apply(&kubeseal(&[], &secret.to_string()).success());
    is_open(install, name);
}

/// Waits until the SealedSecret is in effect, and its Secret what was sealed.
fn is_open(install: &Install, name: &str) {
    eventually("it is opened", || {
        let read = |kind| install.testbed.find_object("shop", kind, name);
        let secret = read("secret").ok_or("there is no Secret")?;
        let sealed = read("sealedsecret").ok_or("there is no SealedSecret")?;
        let seen = json!([
            secret["data"]["password"],
            secret["metadata"]["labels"],
            sealed["status"]["conditions"][0]["status"],
            sealed["status"]["observedGeneration"]
        ]);
        equal(
            &seen,
            &json!([base64(name), { "made": name }, "True", sealed["metadata"]["generation"]]),
        )
    });
}

/// Brings an object to the newest key; what it says stays the same.
fn reencrypt(install: &Install, name: &str) {
    let old = install.testbed.object("shop", "sealedsecret", name);
    let new = kubeseal(&["--re-encrypt"], &old.to_string()).success();
    let new: Value = serde_json::from_str(&new).expect("kubeseal prints JSON");
    assert_ne!(old["spec"]["encryptedData"], new["spec"]["encryptedData"]);
    assert_eq!(old["spec"]["template"], new["spec"]["template"]);
    install.testbed.kubectl(&[
        "patch",
        "sealedsecret",
        name,
        "--namespace=shop",
        "--type=merge",
        "--patch",
        &json!({ "spec": new["spec"] }).to_string(),
    ]);
    is_open(install, name);
}

/// With the key that ours made, which is the one that upstream seals with now.
fn upstream_opens_what_was_made_meanwhile(install: &Install, made: &[&str]) {
    for name in made {
        install
            .testbed
            .kubectl(&["delete", "secret", name, "--namespace=shop"]);
        is_open(install, name);
    }
    seal_and_open(install, "made-after-the-return");
}

/// What was healthy all the time has not changed, and what ours does differently has its first values again.
fn secrets_are_as_they_were(objects: &[Object], differences: &BTreeMap<String, [Value; 2]>) {
    for object in objects.iter().filter(|object| !object.rerolled) {
        let of = |kind: &str| differences.get(&format!("{kind} {}", object.place()));
        if let Some([before, after]) = of("Secret") {
            assert!(
                !object.is_settled(),
                "{}: {before:#} is {after:#}",
                object.place()
            );
            assert_eq!(before["data"], after["data"], "{}", object.place());
        }
        let sealed = of("SealedSecret");
        assert!(
            !object.is_settled() || sealed.is_none(),
            "{}: {sealed:#?}",
            object.place()
        );
    }
}
