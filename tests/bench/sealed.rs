//! What the sealing rows work on: sealing keys, and SealedSecrets made with the key of the test vectors.
//! It measures nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crds::SealedSecret;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use kube::runtime::watcher;
use rand::rngs::SysRng;
use sealing::{Certificate, KeyRequest, Scope, SealingKey, seal_value};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::harness::repository_root;

/// A sealing key as its Secret holds it.
#[derive(Clone)]
pub(crate) struct KeyPair {
    name: String,
    private: Vec<u8>,
    certificate: Vec<u8>,
}

impl KeyPair {
    /// The 4096-bit key of the test vectors, valid since 2024: older than any that is generated.
    pub(crate) fn oldest() -> Self {
        Self {
            name: "sealed-secrets-keybench".into(),
            private: vector("test-key-4096.pem"),
            certificate: vector("test-cert-4096.pem"),
        }
    }

    pub(crate) fn generate(number: usize) -> Self {
        let name = format!("sealed-secrets-keynew-{number}");
        let request = KeyRequest {
            name: name.clone(),
            bits: 4096,
            ttl: Duration::from_secs(3600),
            common_name: String::new(),
        };
        let generated = SealingKey::generate(&request, Timestamp::now()).unwrap();
        Self {
            name,
            private: generated.private_key_pem.expose().to_vec(),
            certificate: generated.key.certificate.pem().as_bytes().to_vec(),
        }
    }
}

/// Makes these the only sealing keys of a namespace.
pub(crate) fn put_keys(cluster: &Cluster, namespace: &str, keys: &[KeyPair]) {
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), namespace);
    let label = "sealedsecrets.bitnami.com/sealed-secrets-key";
    cluster.runtime.block_on(async {
        let old = ListParams::default().labels(label);
        secrets.delete_collection(&DeleteParams::default(), &old).await.unwrap();
        for key in keys {
            let secret = json!({
                "metadata": { "name": key.name, "labels": { label: "active" } },
                "type": "kubernetes.io/tls",
                "data": { "tls.key": STANDARD.encode(&key.private), "tls.crt": STANDARD.encode(&key.certificate) },
            });
            let secret: Secret = serde_json::from_value(secret).unwrap();
            secrets.create(&PostParams::default(), &secret).await.unwrap();
        }
    });
}

/// SealedSecrets `s-0`, `s-1`, … of two values each, in a namespace of their own.
pub(crate) struct Batch<'a> {
    cluster: &'a Cluster,
    pub(crate) namespace: String,
    api: Api<SealedSecret>,
}

impl<'a> Batch<'a> {
    pub(crate) fn create(cluster: &'a Cluster, prefix: &str, count: usize) -> Self {
        let namespace = cluster.testbed.namespace(prefix);
        let api: Api<SealedSecret> = Api::namespaced(cluster.client.clone(), &namespace);
        let batch = Self {
            cluster,
            namespace,
            api,
        };
        let names = (0..count).map(|number| format!("s-{number}"));
        let create = stream::iter(names).for_each_concurrent(16, |name| batch.create_one(name));
        cluster.runtime.block_on(create);
        batch
    }

    async fn create_one(&self, name: String) {
        let sealed = decoded(&sealed_secret(&self.namespace, &name));
        self.api
            .create(&PostParams::default(), &sealed)
            .await
            .unwrap();
    }

    /// One more.
    pub(crate) fn add(&self, name: &str) {
        self.cluster
            .runtime
            .block_on(self.create_one(name.to_owned()));
    }

    /// Returns as soon as the watch has shown `count` of them Synced=True.
    pub(crate) fn await_synced(&self, count: usize) {
        self.watch(watcher::Config::default(), |synced| synced.len() >= count);
    }

    /// Returns as soon as a watch of this one alone has shown it Synced=True.
    pub(crate) fn await_one(&self, name: &str) {
        let only = watcher::Config::default().fields(&format!("metadata.name={name}"));
        self.watch(only, |synced| synced.contains(name));
    }

    fn watch(&self, config: watcher::Config, done: impl Fn(&BTreeSet<String>) -> bool) {
        let watch = async {
            let mut synced = BTreeSet::new();
            let mut events = std::pin::pin!(watcher(self.api.clone(), config));
            while !done(&synced) {
                let Some(event) = events.try_next().await.unwrap() else {
                    break;
                };
                if let watcher::Event::Apply(sealed) | watcher::Event::InitApply(sealed) = event
                    && is_synced(&sealed)
                {
                    synced.extend(sealed.metadata.name);
                }
            }
        };
        self.cluster.runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(900), watch)
                .await
                .expect("unsealed within 15 minutes");
        });
    }

    pub(crate) fn delete(self) {
        self.cluster
            .testbed
            .kubectl(&["delete", "namespace", &self.namespace]);
    }
}

fn is_synced(sealed: &SealedSecret) -> bool {
    let conditions = sealed.status.iter().flat_map(|status| &status.conditions);
    conditions
        .into_iter()
        .any(|condition| condition.status == "True")
}

/// A SealedSecret of two values as JSON.
pub(crate) fn sealed_secret(namespace: &str, name: &str) -> Value {
    let certificate = Certificate::from_pem(&vector("test-cert-4096.pem")).unwrap();
    let label = Scope::Strict.label(namespace, name);
    let value =
        |text: &[u8]| seal_value(certificate.public_key(), &label, text, &mut SysRng).unwrap();
    json!({
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": { "name": name, "namespace": namespace },
        "spec": { "encryptedData": { "username": value(b"admin"), "password": value(b"correct-horse-battery-staple") } },
    })
}

fn decoded(object: &Value) -> SealedSecret {
    crds::decode(object).unwrap()
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(
        repository_root()
            .join("tests/vectors/sealed-secrets")
            .join(name),
    )
    .unwrap()
}
