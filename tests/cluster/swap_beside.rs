//! Ours is started while upstream's controller runs in another namespace with its keys: upstream's work is not spoiled.
//! What ours does once it serves alone is the business of other suites.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "swap/peer.rs"]
mod peer;
#[path = "swap/record.rs"]
mod record;

use std::sync::{Mutex, PoisonError};

use harness::{Controller, Port, Testbed, equal, eventually, get, kubeseal};
use peer::Install;
use record::{Record, Request, requests};
use serde_json::{Value, json};

/// Who ours is for the API server.
const ACCOUNT: &str = "system:serviceaccount:signet:signet-controller";

/// There is one upstream in the cluster and one of ours, so the tests take turns.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn beside_upstream_ours_observes_until_it_is_given_the_keys() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let install = Install::upstream();
    let testbed = &install.testbed;
    install.renew_key();
    seal_and_open(testbed, "before");
    let before = Record::take(testbed);
    let asked = install_ours(testbed);
    let ours = start_ours(testbed, &[]);

    let (told, logged) = (observing(testbed), ours.log());
    for way in [
        "--namespace=<namespace of the old keys>",
        "restore the key Secrets to signet",
        "--take-over",
    ] {
        assert!(told.contains(way), "{way} is not in the event: {told}");
        assert!(logged.contains(way), "{way} is not in the log: {logged}");
    }
    let (status, _) = get(&format!("{}/readyz", ours.url(Port::Sealing))).expect("it serves");
    assert_eq!(status, 503);
    seal_and_open(testbed, "meanwhile");
    let mut written = writes(testbed, asked);
    written.retain(|write| !write.ends_with(" leases signet"));
    assert_eq!(written, ["create events signet"], "one event and its Lease");

    testbed.apply(&keys_to_restore(testbed));
    let ours = ours.ready();
    eventually("it has looked at what is there", || {
        let (_, metrics) = get(&format!("{}/metrics", ours.url(Port::Metrics)))?;
        let unseen = |name: &&&str| !metrics.contains(&format!("name=\"{name}\""));
        let names = ["before", "meanwhile"];
        names
            .iter()
            .find(unseen)
            .map_or(Ok(()), |name| Err(format!("{name} not yet")))
    });
    assert!(ours.stop().success());
    assert_eq!(
        Record::take(testbed).get("Secret shop/before"),
        before.get("Secret shop/before")
    );
    let touched: Vec<_> = writes(testbed, asked)
        .into_iter()
        .filter(|write| write.ends_with(" shop"))
        .collect();
    assert!(touched.is_empty(), "{touched:?}");
    clear(testbed);
}

#[test]
fn with_a_key_of_its_own_ours_spoils_nothing_that_upstream_opened() {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let install = Install::upstream();
    let testbed = &install.testbed;
    seal_and_open(testbed, "theirs");
    let before = Record::take(testbed);
    let asked = install_ours(testbed);
    let ours = start_ours(testbed, &["--take-over", "--key-size=2048"]).ready();
    eventually("it could not open what is upstream's", || {
        let (_, metrics) = get(&format!("{}/metrics", ours.url(Port::Metrics)))?;
        let errors =
            "sealed_secrets_controller_unseal_errors_total{reason=\"unseal\",namespace=\"shop\"}";
        if metrics.contains(errors) {
            Ok(())
        } else {
            Err(metrics)
        }
    });
    assert!(ours.stop().success());
    let touched: Vec<_> = writes(testbed, asked)
        .into_iter()
        .filter(|write| write.ends_with(" shop"))
        .collect();
    assert!(touched.is_empty(), "{touched:?}");
    let after = Record::take(testbed);
    for what in ["Secret shop/theirs", "SealedSecret shop/theirs"] {
        assert_eq!(after.get(what), before.get(what));
    }
    clear(testbed);
}

/// Seals with upstream's key and waits until upstream opened it.
fn seal_and_open(testbed: &Testbed, name: &str) {
    testbed.apply("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}");
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name, "namespace": "shop" }, "stringData": { "password": name } });
    let sealed = eventually("kubeseal gets the certificate", || {
        let output = kubeseal(&[], &secret.to_string());
        if output.code == Some(0) {
            Ok(output.stdout)
        } else {
            Err(output.stderr)
        }
    });
    testbed.apply(&sealed);
    eventually("upstream opened it", || {
        let live = testbed.object("shop", "sealedsecret", name);
        equal(
            &live["status"]["conditions"][0]["status"],
            &Value::from("True"),
        )
    });
}

/// The namespace and the rights of the plain install. Returns how much its account has asked so far.
fn install_ours(testbed: &Testbed) -> usize {
    let root = harness::repository_root();
    for file in ["deploy/1-namespace.yaml", "deploy/2-sealing.yaml"] {
        let path = root.join(file).display().to_string();
        eventually("the rights are there", || {
            testbed.try_kubectl(&["apply", "-f", &path])
        });
    }
    requests(testbed, ACCOUNT).len()
}

/// Our controller under its own account, looking at all namespaces.
fn start_ours(testbed: &Testbed, args: &[&str]) -> Controller {
    let text = testbed.kubectl(&["config", "view", "--raw", "--minify", "--output=json"]);
    let mut config: Value = serde_json::from_str(&text).expect("kubectl prints JSON");
    config["users"][0]["user"] = json!({ "token": testbed.token("signet", "signet-controller") });
    let path = testbed.path(&format!("ours-{}.kubeconfig", harness::unique()));
    std::fs::write(&path, config.to_string()).expect("the testbed's folder is writable");
    let own = ["--only=sealing", "--namespace=signet"];
    Controller::start_with(&path.display().to_string(), &[&own, args].concat())
}

/// What the event on our own namespace says.
fn observing(testbed: &Testbed) -> String {
    eventually("it says that it only observes", || {
        let events = testbed.objects("signet", "events");
        let told = events.iter().find(|event| event["reason"] == "Observing");
        let message = told.and_then(|event| event["message"].as_str());
        message.map(str::to_owned).ok_or("no event")
    })
}

/// Upstream's keys as one restores a backup of them to our namespace.
fn keys_to_restore(testbed: &Testbed) -> String {
    let label = "sealedsecrets.bitnami.com/sealed-secrets-key";
    let mut keys = testbed.labelled("kube-system", "secrets", label, "active");
    for key in &mut keys {
        let (name, labels) = (&key["metadata"]["name"], &key["metadata"]["labels"]);
        key["metadata"] = json!({ "name": name, "namespace": "signet", "labels": labels });
    }
    json!({ "apiVersion": "v1", "kind": "List", "items": keys }).to_string()
}

/// What our account wrote since: verb, resource and namespace.
fn writes(testbed: &Testbed, asked: usize) -> Vec<String> {
    let asked = requests(testbed, ACCOUNT).split_off(asked);
    let written = asked.iter().filter(|request| request.is_write());
    written
        .map(
            |Request {
                 verb,
                 resource,
                 place,
                 ..
             }| {
                format!(
                    "{verb} {resource} {}",
                    place.split('/').next().unwrap_or_default()
                )
            },
        )
        .collect()
}

/// Leaves the cluster to the next test as it was.
fn clear(testbed: &Testbed) {
    testbed.kubectl(&["delete", "namespace", "signet", "--wait=true"]);
}
