//! Sealing keys in a real cluster: what is written, what is noticed, and that two processes agree.
//! The rules themselves are tested as plans, in `controller/src/keys/`.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sealed.rs"]
mod sealed;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use harness::{Controller, Port, equal, eventually, eventually_async, get};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use kube::{Api, ResourceExt};
use sealed::{KEY, OTHER_KEY, Place, vector};
use sealing::Certificate;
use serde_json::{Value, json};

impl Place {
    /// A SealedSecret with the status that another controller gave it.
    fn applied_by_another_controller(&self, name: &str, key: &str) {
        self.apply(&self.sealed(name, key, "x"));
        let status = json!({ "status": { "observedGeneration": 1, "conditions": [{ "type": "Synced", "status": "True" }] } });
        let patch = format!("--patch={status}");
        let status = ["--subresource=status", "--type=merge", patch.as_str()];
        self.kubectl(&[&["patch", "sealedsecret", name], &status[..]].concat());
    }

    fn published(&self) -> Result<String, String> {
        let (namespace, name) = (&self.namespace, "signet-certificate");
        let published = self.testbed.find_object(namespace, "configmap", name);
        let published = published.ok_or("there is none")?;
        Ok(published["data"]["cert.pem"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }
}

#[test]
fn the_first_key_is_laid_out_as_upstream_does_and_its_certificate_published() {
    let place = Place::empty("first");
    let flags = [
        "--privatekey-labels=team=a,sealedsecrets.bitnami.com/sealed-secrets-key=theirs",
        "--privatekey-annotations=note=b",
        "--my-cn=keys of a",
        "--key-ttl=48h",
    ];
    let controller = place.controller(&flags).ready();
    let keys = place.keys();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(
        keys[0].starts_with("sealed-secrets-key")
            && keys[0].len() == "sealed-secrets-key".len() + 5,
        "{keys:?}"
    );
    let secret = place.testbed.object(&place.namespace, "secret", &keys[0]);
    assert_eq!(secret["type"], "kubernetes.io/tls");
    let expected = json!({ "sealedsecrets.bitnami.com/sealed-secrets-key": "active", "team": "a" });
    assert_eq!(
        (
            &secret["metadata"]["labels"],
            &secret["metadata"]["annotations"]["note"]
        ),
        (&expected, &Value::from("b"))
    );
    let published = eventually("the certificate is published", || place.published());
    let (status, served) = get(&format!("{}/v1/cert.pem", controller.url(Port::Sealing))).unwrap();
    let certificate = Certificate::from_pem(published.as_bytes()).expect("a certificate");
    let valid = certificate
        .not_after()
        .duration_since(certificate.not_before());
    assert_eq!(valid.as_hours(), 48);
    assert_eq!(named(&published, "keys of a"), 2, "issuer and subject");
    assert_eq!((status, served), (200, published));
    let log = controller.log();
    // What scripts over upstream's log look for.
    for line in [
        "msg=\"Starting sealed-secrets controller\" version=".to_owned(),
        "msg=\"Searching for existing private keys\"".to_owned(),
        format!(
            "msg=\"New key written\" namespace={} name={}",
            place.namespace, keys[0]
        ),
        "msg=\"Certificate generated\" certificate=\"-----BEGIN CERTIFICATE-----\\n".to_owned(),
        format!("msg=\"registered private key\" secretname={}", keys[0]),
        "msg=\"HTTP server serving\" addr=".to_owned(),
        "msg=\"HTTP metrics server serving\" addr=".to_owned(),
    ] {
        assert!(log.contains(&line), "{line} is not in {log}");
    }
}

/// How often a text stands in a certificate.
fn named(pem: &str, text: &str) -> usize {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = BASE64_STANDARD.decode(base64).expect("a certificate");
    let windows = der.windows(text.len());
    windows.filter(|window| *window == text.as_bytes()).count()
}

#[test]
fn two_processes_that_start_at_once_make_one_key() {
    let place = Place::empty("race");
    let (first, second) = (place.controller(&[]), place.controller(&[]));
    let (first, second) = (first.ready(), second.ready());
    assert_eq!(place.keys().len(), 1);
    let certificate = |controller| {
        get(&format!(
            "{}/v1/cert.pem",
            Controller::url(controller, Port::Sealing)
        ))
        .unwrap()
    };
    assert_eq!(certificate(&first), certificate(&second));
}

/// Both see the request for a new key at the same moment, a hundred times over.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "counted, not asserted")]
async fn two_processes_that_renew_at_once_make_one_key() {
    let place = Place::with_key("renewals");
    let start = || place.controller(&["--key-size=2048"]);
    let (first, second) = (start(), start());
    let both = [first.ready(), second.ready()];
    let secrets = Api::<Secret>::namespaced(place.testbed.client().await, &place.namespace);
    let mut newest = KEY.to_owned();
    for round in 1..=100 {
        let before = names(&secrets).await;
        let ask =
            json!({ "metadata": { "annotations": { "signet.dev/rotate": round.to_string() } } });
        let patch = Patch::Merge(ask);
        secrets
            .patch(&newest, &PatchParams::default(), &patch)
            .await
            .expect("the newest key can be annotated");
        let key = eventually_async("there is a new key", async || {
            let keys = names(&secrets).await;
            keys.difference(&before).next().cloned().ok_or("none yet")
        });
        let key = key.await;
        let load = format!("registered private key\" secretname={key}\n");
        for controller in &both {
            eventually("both have loaded it", || {
                let log = controller.log();
                log.contains(&load).then_some(()).ok_or(log)
            });
        }
        let after = names(&secrets).await;
        assert_eq!(
            after.len(),
            before.len() + 1,
            "round {round}: {before:?} {after:?}"
        );
        if newest != KEY {
            // A few keys at a time are enough to look at.
            secrets
                .delete(&newest, &DeleteParams::default())
                .await
                .expect("a key can be deleted");
        }
        newest = key;
    }
    let lost = |controller: &Controller| controller.log().matches("another process made").count();
    let lost: usize = both.iter().map(lost).sum();
    println!("{lost} of 100 renewals were raced");
    assert!(lost > 0, "no renewal was raced");
}

async fn names(secrets: &Api<Secret>) -> BTreeSet<String> {
    let list = secrets.list_metadata(&ListParams::default()).await;
    let list = list.expect("Secrets can be listed");
    list.items.iter().map(ResourceExt::name_any).collect()
}

#[test]
fn a_key_is_rotated_by_annotation_and_by_signal() {
    let place = Place::with_key("rotate");
    let controller = place.controller(&["--key-size=2048"]).ready();
    let before = eventually("the certificate is published", || place.published());
    place.kubectl(&[
        "annotate",
        "secret",
        KEY,
        "signet.dev/rotate=2026-01-01T00:00:00Z",
    ]);
    eventually("there is a second key", || equal(&place.keys().len(), &2));
    let after = eventually("its certificate is published", || {
        match place.published()? {
            published if published != before => Ok(published),
            published => Err(published),
        }
    });
    let pid = controller.pid().to_string();
    let signalled = Command::new("sh")
        .args(["-c", "kill -USR1 \"$0\"", &pid])
        .status();
    assert!(signalled.is_ok_and(|status| status.success()));
    eventually("there is a third key", || equal(&place.keys().len(), &3));
    eventually("its certificate is published", || {
        match place.published()? {
            published if published != after => Ok(()),
            published => Err(published),
        }
    });
    // What the first key sealed is still opened.
    place.apply(&place.sealed("old", KEY, "x"));
    place.synced("old", "True");
    assert_eq!(place.keys().len(), 3, "the annotation is answered once");
}

#[test]
fn a_key_that_is_no_key_is_reported_and_stops_nothing() {
    let place = Place::with_key("unusable");
    let broken = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": { "namespace": place.namespace, "name": "broken", "labels": { "sealedsecrets.bitnami.com/sealed-secrets-key": "active" } },
        "stringData": { "tls.key": "nonsense", "tls.crt": vector("test-cert.pem") }
    });
    place.apply(&broken);
    let controller = place.controller(&[]).ready();
    eventually("the broken key has an event", || {
        equal(&place.reasons("broken"), &vec![json!("KeyMalformed")])
    });
    place.apply(&place.sealed("db", KEY, "x"));
    place.synced("db", "True");
    eventually("both are counted", || {
        let (_, text) = get(&format!("{}/metrics", controller.url(Port::Metrics)))?;
        let counted = text.contains("signet_keys 1\n") && text.contains("signet_keys_unusable 1\n");
        counted.then_some(()).ok_or(text)
    });
    assert!(!controller.log().contains("nonsense"));
}

#[test]
fn beside_another_controller_nothing_is_written_until_the_keys_are_there() {
    observes_until_keys_are_restored(&[]);
}

#[test]
fn an_observer_notices_keys_without_watching_them() {
    observes_until_keys_are_restored(&["--watch-for-secrets=false"]);
}

#[track_caller]
fn observes_until_keys_are_restored(flags: &[&str]) {
    let place = Place::empty("observer");
    place.applied_by_another_controller("theirs", OTHER_KEY);
    let controller = place.controller(flags);
    let namespace = place.namespace.clone();
    eventually("the observer says so", || {
        equal(&place.reasons(&namespace), &vec![json!("Observing")])
    });
    let ask = |path: &str| get(&format!("{}{path}", controller.url(Port::Sealing)));
    assert_eq!(ask("/readyz"), Ok((503, "not ready\n".to_owned())));
    let no_certificate = (500, "cannot get certificate\n".to_owned());
    assert_eq!(ask("/v1/cert.pem"), Ok(no_certificate));
    assert!(place.keys().is_empty() && place.published().is_err());
    assert!(controller.log().contains("--take-over"));
    place.restore_key(OTHER_KEY);
    let _controller = controller.ready();
    place.holds("theirs", "x");
}

#[test]
fn a_take_over_makes_a_key_of_its_own() {
    let place = Place::empty("takeover");
    place.applied_by_another_controller("theirs", OTHER_KEY);
    let _controller = place
        .controller(&["--take-over", "--key-size=2048"])
        .ready();
    assert_eq!(place.keys().len(), 1);
}

#[test]
fn a_key_without_a_label_that_is_named_by_the_prefix_counts_at_once() {
    let place = Place::empty("legacy");
    place.applied_by_another_controller("theirs", KEY);
    let controller = place.controller(&["--key-prefix=legacy"]);
    eventually("the observer says so", || {
        let log = controller.log();
        let told = log.contains("another controller opens SealedSecrets here");
        told.then_some(()).ok_or(log)
    });
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": { "namespace": place.namespace, "name": "legacy" },
        "stringData": { "tls.key": vector("test-key.pem"), "tls.crt": vector("test-cert.pem") }
    }));
    let _controller = controller.ready();
    place.holds("theirs", "x");
}

#[test]
fn a_certificate_that_can_not_be_published_keeps_no_key_from_use() {
    let place = Place::with_key("unpublished");
    place.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap", "immutable": true,
        "metadata": { "namespace": place.namespace, "name": "signet-certificate" },
        "data": { "cert.pem": "another" }
    }));
    let controller = place.controller(&[]).ready();
    place.apply(&place.sealed("db", KEY, "x"));
    place.holds("db", "x");
    place.told("signet-certificate", "CertificateNotPublished");
    let (_, text) = get(&format!("{}/metrics", controller.url(Port::Metrics))).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("signet_certificate_publish_errors_total "));
    assert!(line.is_some_and(|line| !line.ends_with(" 0")), "{line:?}");
    place.kubectl(&["delete", "configmap", "signet-certificate"]);
    eventually("the certificate is published after all", || {
        place
            .published()
            .and_then(|published| equal(&published, &vector("test-cert.pem")))
    });
}

/// Flags that make a process renew the published key as it starts.
const RENEWALS: [(&str, &str, &str); 2] = [
    (
        "renewed",
        "--rotate-period=720h",
        "the newest key reached its age",
    ),
    // A date in the future asks for one key, not for keys until then.
    (
        "cutoff",
        "--key-cutoff-time=Fri, 01 Jan 2100 00:00:00 +0000",
        "the newest key is older than the cutoff time",
    ),
];

#[test]
fn a_key_that_is_too_old_at_start_is_followed_by_one() {
    for (prefix, flag, because) in RENEWALS {
        let place = Place::with_key(prefix);
        let controller = place.controller(&["--key-size=2048", flag]).ready();
        eventually("a new certificate is published", || {
            match place.published()? {
                published if published != vector("test-cert.pem") => Ok(()),
                published => Err(published),
            }
        });
        assert_eq!(place.keys().len(), 2, "{flag}");
        let log = controller.log();
        assert_eq!(log.matches(because).count(), 1, "{flag}: {log}");
    }
}

/// A service account with these rights to Secrets, of which watching is none, and what else it takes to open.
/// Returns its kubeconfig.
fn keeper(place: &Place, rights: &str) -> String {
    place.kubectl(&["create", "serviceaccount", "keeper"]);
    let namespace = &place.namespace;
    for (role, verbs, resource) in [
        ("keys", rights, "secrets"),
        ("sealed", "get,list,watch", "sealedsecrets.bitnami.com"),
        ("status", "update", "sealedsecrets.bitnami.com/status"),
        ("events", "create,patch", "events"),
    ] {
        let (verbs, resource) = (format!("--verb={verbs}"), format!("--resource={resource}"));
        place.kubectl(&["create", "role", role, &verbs, &resource]);
        let (role_flag, account) = (
            format!("--role={role}"),
            format!("--serviceaccount={namespace}:keeper"),
        );
        place.kubectl(&["create", "rolebinding", role, &role_flag, &account]);
    }
    place.testbed.kubeconfig_of(namespace, "keeper")
}

/// A controller of that account, once it knows that it can't watch keys.
fn start_keeper(place: &Place, kubeconfig: &str) -> Controller {
    let namespace = format!("--namespace={}", place.namespace);
    let arguments = [
        "--only=sealing",
        "--all-namespaces=false",
        "--key-renew-period=0",
        "--skip-recreate",
        "--log-level=DEBUG",
        namespace.as_str(),
    ];
    let controller = Controller::start_with(kubeconfig, &arguments).ready();
    eventually("the refused watch is told", || {
        let log = controller.log();
        let told = log.contains("key Secrets can't be watched, they are listed every 10 s");
        told.then_some(()).ok_or(log)
    });
    controller
}

/// Upstream's key-admin role gives no more.
#[test]
fn keys_that_can_not_be_watched_are_listed_every_ten_seconds() {
    let place = Place::with_key("listed");
    let kubeconfig = keeper(&place, "create,list");
    let controller = start_keeper(&place, &kubeconfig);
    place.restore_key(OTHER_KEY);
    let loaded = |count: &str| {
        let (_, text) = get(&format!("{}/metrics", controller.url(Port::Metrics)))?;
        let line = format!("signet_keys {count}\n");
        text.contains(&line).then_some(()).ok_or(text)
    };
    eventually("the restored key is loaded", || loaded("2"));
    let label = "sealedsecrets.bitnami.com/sealed-secrets-key=compromised";
    place.kubectl(&["label", "--overwrite", "secret", OTHER_KEY, label]);
    eventually("the relabelled key is dropped", || loaded("1"));
}

/// How often keys are listed where they can't be watched.
const POLL: Duration = Duration::from_secs(10);

#[test]
fn keys_that_can_not_be_watched_are_listed_as_soon_as_something_can_not_be_opened() {
    let place = Place::with_key("looked-again");
    let kubeconfig = keeper(&place, "get,list,create,update");
    let controller = start_keeper(&place, &kubeconfig);
    let passes = || controller.log().matches("level=DEBUG msg=keys ").count();
    let before = passes();
    eventually("the keys were just listed", || {
        let now = passes();
        (now > before).then_some(()).ok_or(now)
    });
    let listed = Instant::now();
    place.restore_key(OTHER_KEY);
    place.apply(&place.sealed("db", OTHER_KEY, "x"));
    place.synced("db", "True");
    let took = listed.elapsed();
    assert!(took < POLL, "the next list came first: {took:?}");
}
