//! What one opening, one sealing and one request to the API server cost here and now: the floors are made of these.

use std::fmt;
use std::thread;
use std::time::Instant;

use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use rand::rngs::SysRng;
use sealing::{Certificate, KeyOrder, Keyring, PrivateKey, Scope, opens, seal_value};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::harness::repository_root;
use super::measure;

/// Seconds each: of one core for RSA, of CPU of API server and etcd together for requests.
#[derive(Debug)]
pub(crate) struct UnitCosts {
    pub(crate) cores: f64,
    pub(crate) seal: f64,
    pub(crate) open: f64,
    pub(crate) secret_write: f64,
    pub(crate) small_apply: f64,
    pub(crate) deployment_apply: f64,
    pub(crate) read: f64,
}

impl fmt::Display for UnitCosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |seconds: f64| seconds * 1e3;
        write!(
            f,
            "{} cores; unit costs in CPU-ms: RSA-4096 sealing {:.2}, opening {:.2}; API server and etcd: \
             Secret write {:.2}, small apply {:.2}, Deployment apply {:.2}, read {:.2}",
            self.cores,
            ms(self.seal),
            ms(self.open),
            ms(self.secret_write),
            ms(self.small_apply),
            ms(self.deployment_apply),
            ms(self.read)
        )
    }
}

impl UnitCosts {
    pub(crate) fn measure(cluster: &Cluster) -> Self {
        let (seal, open) = rsa();
        let namespace = cluster.testbed.namespace("unit-costs");
        let requests = Requests {
            cluster,
            namespace: &namespace,
        };
        let costs = Self {
            cores: thread::available_parallelism().unwrap().get() as f64,
            seal,
            open,
            secret_write: requests.secret_writes(1000),
            small_apply: requests.applies(
                "v1",
                "ConfigMap",
                500,
                |_| json!({ "data": { "key": "value" } }),
            ),
            deployment_apply: requests.applies("apps/v1", "Deployment", 100, deployment),
            read: requests.reads(500),
        };
        cluster
            .testbed
            .kubectl(&["delete", "namespace", &namespace, "--wait=false"]);
        costs
    }
}

/// One sealing and one opening with RSA-4096 on one core.
fn rsa() -> (f64, f64) {
    let file = |name: &str| {
        std::fs::read(
            repository_root()
                .join("tests/vectors/sealed-secrets")
                .join(name),
        )
        .unwrap()
    };
    let certificate = Certificate::from_pem(&file("test-cert-4096.pem")).unwrap();
    let keyring = Keyring::new(KeyOrder::CertNotBefore);
    keyring.insert_private(
        "test".into(),
        PrivateKey::from_pem(&file("test-key-4096.pem")).unwrap(),
    );
    let label = Scope::Strict.label("ns", "name");
    let start = Instant::now();
    let values: Vec<String> = (0..200)
        .map(|_| seal_value(certificate.public_key(), &label, b"value", &mut SysRng).unwrap())
        .collect();
    let seal = start.elapsed().as_secs_f64() / 200.0;
    let sealed = values.iter().map(|value| {
        let object = json!({ "metadata": { "name": "name", "namespace": "ns" }, "spec": { "encryptedData": { "k": value } } });
        crds::decode::<crds::SealedSecret>(&object).unwrap()
    });
    let sealed: Vec<_> = sealed.collect();
    let start = Instant::now();
    sealed
        .iter()
        .for_each(|sealed| drop(opens(sealed, &keyring).unwrap()));
    (seal, start.elapsed().as_secs_f64() / 200.0)
}

struct Requests<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
}

impl Requests<'_> {
    /// CPU of API server and etcd per call, with 16 calls in flight.
    fn cost<F: Future<Output = ()>>(&self, count: usize, call: impl Fn(usize) -> F) -> f64 {
        let servers: Vec<u32> = ["kube-apiserver", "etcd"]
            .into_iter()
            .flat_map(measure::pids)
            .collect();
        assert!(
            servers.len() >= 2,
            "the control plane's processes can't be seen"
        );
        let used = || servers.iter().map(|pid| measure::cpu(*pid)).sum::<f64>();
        let before = used();
        let all = stream::iter(0..count).for_each_concurrent(16, call);
        self.cluster.runtime.block_on(all);
        (used() - before) / count as f64
    }

    fn secret_writes(&self, count: usize) -> f64 {
        let secrets: Api<Secret> = Api::namespaced(self.cluster.client.clone(), self.namespace);
        self.cost(count, |number| {
            let secrets = secrets.clone();
            async move {
                let secret = json!({ "metadata": { "name": format!("s-{number}") }, "stringData": { "k": "v" } });
                let secret: Secret = serde_json::from_value(secret).unwrap();
                secrets.create(&PostParams::default(), &secret).await.unwrap();
            }
        })
    }

    fn applies(&self, version: &str, kind: &str, count: usize, body: fn(&str) -> Value) -> f64 {
        let (group, version_only) = version.split_once('/').unwrap_or(("", version));
        let resource =
            kube::core::ApiResource::from_gvk(&GroupVersionKind::gvk(group, version_only, kind));
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.cluster.client.clone(), self.namespace, &resource);
        self.cost(count, |number| {
            let api = api.clone();
            async move {
                let name = format!("o-{number}");
                let mut object = body(&name);
                object["apiVersion"] = version.into();
                object["kind"] = kind.into();
                object["metadata"] = json!({ "name": name });
                let params = PatchParams::apply("benchmark").force();
                api.patch(&name, &params, &Patch::Apply(&object))
                    .await
                    .unwrap();
            }
        })
    }

    fn reads(&self, count: usize) -> f64 {
        let maps: Api<ConfigMap> = Api::namespaced(self.cluster.client.clone(), self.namespace);
        self.cost(count, |number| {
            let maps = maps.clone();
            async move {
                maps.get(&format!("o-{number}")).await.unwrap();
            }
        })
    }
}

/// No replicas: what the other controllers do with Pods is not the API server's cost of an apply.
fn deployment(name: &str) -> Value {
    let labels = json!({ "app": name });
    json!({ "spec": {
        "replicas": 0,
        "selector": { "matchLabels": labels },
        "template": { "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "c", "image": "i" }] } }
    }})
}
