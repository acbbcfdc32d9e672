//! Keys and SealedSecrets as the suites of the sealing part make them, and what they ask of the cluster.
//! It must not use the controller's own code for what it expects.

#![allow(dead_code, reason = "each suite uses its part")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rand::rngs::SysRng;
use sealing::{Certificate, Scope, seal_value};
use serde_json::{Value, json};

use super::harness::{ADDRESS, Controller, Testbed, equal, eventually, repository_root};

/// The published key of the vectors, small and therefore quick, and a second one that the cluster does not know at first.
pub(crate) const KEY: &str = "test-key";
pub(crate) const OTHER_KEY: &str = "test-key-4096";

const KEY_LABEL: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";

/// A namespace that holds keys and SealedSecrets alike, for a controller that looks nowhere else.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) testbed: Testbed,
    pub(crate) namespace: String,
}

impl Place {
    /// A namespace without a key.
    #[track_caller]
    pub(crate) fn empty(prefix: &str) -> Self {
        let testbed = Testbed::get();
        testbed.install_crds();
        let namespace = testbed.namespace(prefix);
        Self { testbed, namespace }
    }

    /// A namespace with the published key.
    #[track_caller]
    pub(crate) fn with_key(prefix: &str) -> Self {
        let place = Self::empty(prefix);
        place.restore_key(KEY);
        place
    }

    /// The controller that looks at this namespace only. The published keys are old: they are not renewed.
    #[track_caller]
    pub(crate) fn controller(&self, args: &[&str]) -> Controller {
        let namespace = format!("--namespace={}", self.namespace);
        let own = [
            "--only=sealing",
            "--all-namespaces=false",
            "--key-renew-period=0",
            namespace.as_str(),
        ];
        Controller::start(&[&own, args].concat())
    }

    /// Puts a published key into the namespace, as one restores a backup.
    #[track_caller]
    pub(crate) fn restore_key(&self, key: &str) {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": { "namespace": self.namespace, "name": key, "labels": { KEY_LABEL: "active" } },
            "stringData": { "tls.key": vector(&format!("{key}.pem")), "tls.crt": vector(&format!("{}.pem", certificate_of(key))) }
        });
        self.testbed.apply(&secret.to_string());
    }

    /// A SealedSecret with one item, sealed with a published key.
    pub(crate) fn sealed(&self, name: &str, key: &str, value: &str) -> Value {
        self.sealed_for(name, key, value, Scope::Strict)
    }

    /// The same, its value sealed for a scope that the object does not name.
    pub(crate) fn sealed_for(&self, name: &str, key: &str, value: &str, scope: Scope) -> Value {
        let certificate =
            Certificate::from_pem(vector(&format!("{}.pem", certificate_of(key))).as_bytes())
                .expect("the vectors are sound");
        let label = scope.label(&self.namespace, name);
        let item = seal_value(
            certificate.public_key(),
            &label,
            value.as_bytes(),
            &mut SysRng,
        )
        .expect("a small value can be sealed");
        json!({
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
            "metadata": { "namespace": self.namespace, "name": name },
            "spec": { "encryptedData": { "password": item } }
        })
    }

    #[track_caller]
    pub(crate) fn apply(&self, object: &Value) {
        self.testbed.apply(&object.to_string());
    }

    #[track_caller]
    pub(crate) fn kubectl(&self, args: &[&str]) -> String {
        self.testbed
            .kubectl(&[args, &["--namespace", &self.namespace]].concat())
    }

    /// Waits until the condition Synced has this status, and returns it.
    #[track_caller]
    pub(crate) fn synced(&self, name: &str, status: &str) -> Value {
        eventually(&format!("{name} is Synced={status}"), || {
            let object = self.testbed.object(&self.namespace, "sealedsecret", name);
            let condition = &object["status"]["conditions"][0];
            equal(&condition["status"], &Value::from(status))
                .map_err(|error| format!("{error}: {condition}"))?;
            equal(
                &object["status"]["observedGeneration"],
                &object["metadata"]["generation"],
            )?;
            Ok::<_, String>(condition.clone())
        })
    }

    /// Waits until the Secret's item has this value.
    #[track_caller]
    pub(crate) fn holds(&self, name: &str, value: &str) {
        let encoded = Value::from(BASE64_STANDARD.encode(value));
        eventually(&format!("Secret {name} holds {value}"), || {
            let secret = self.testbed.find_object(&self.namespace, "secret", name);
            let secret = secret.ok_or("there is none")?;
            equal(&secret["data"]["password"], &encoded)
        });
    }

    /// Events on an object of this name.
    #[track_caller]
    pub(crate) fn events(&self, name: &str) -> Vec<Value> {
        let mut events = self.testbed.objects(&self.namespace, "events");
        events.retain(|event| event["involvedObject"]["name"] == name);
        events
    }

    /// Their reasons.
    #[track_caller]
    pub(crate) fn reasons(&self, name: &str) -> Vec<Value> {
        let events = self.events(name);
        events.iter().map(|event| event["reason"].clone()).collect()
    }

    /// Waits until an Event on an object of this name has this reason. It is written after the status.
    #[track_caller]
    pub(crate) fn told(&self, name: &str, reason: &str) {
        eventually(&format!("an Event on {name} says {reason}"), || {
            let reasons = self.reasons(name);
            let told = reasons.contains(&Value::from(reason));
            told.then_some(()).ok_or(format!("{reasons:?}"))
        });
    }

    /// Names of the key Secrets in use.
    #[track_caller]
    pub(crate) fn keys(&self) -> Vec<String> {
        let testbed = &self.testbed;
        let keys = testbed.labelled(&self.namespace, "secrets", KEY_LABEL, "active");
        let names = keys
            .iter()
            .filter_map(|key| key["metadata"]["name"].as_str());
        names.map(str::to_owned).collect()
    }
}

/// A file of the published vectors.
pub(crate) fn vector(name: &str) -> String {
    let path = repository_root()
        .join("tests/vectors/sealed-secrets")
        .join(name);
    std::fs::read_to_string(path).expect("the vectors are part of the checkout")
}

fn certificate_of(key: &str) -> String {
    key.replace("key", "cert")
}

/// The whole answer to a POST, with its headers.
pub(crate) fn post(port: u16, path: &str, caller: &str, body: &str) -> String {
    request("POST", port, path, caller, body)
}

/// The same with another method.
pub(crate) fn request(method: &str, port: u16, path: &str, caller: &str, body: &str) -> String {
    let mut stream = TcpStream::connect((ADDRESS, port)).expect("the controller listens");
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nX-Forwarded-For: {caller}\r\nContent-Length: {length}\r\n\r\n"
    );
    stream
        .write_all(head.as_bytes())
        .expect("the controller reads the head");
    // A body that is too large is answered before it was read.
    drop(stream.write_all(body.as_bytes()));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

/// Its status, as written.
pub(crate) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// What follows its headers.
pub(crate) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}
