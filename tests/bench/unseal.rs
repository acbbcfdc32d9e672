//! Rows "cold start" and "restart": 2,000 SealedSecrets of two values, beside upstream's controller.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, PostParams};
use kube::runtime::watcher;
use rand::rngs::SysRng;
use sealing::{Certificate, Scope, seal_value};
use serde_json::json;

use super::cluster::{Cluster, NAMESPACE, account, until};
use super::harness::repository_root;
use super::measure;
use super::table::{Row, Table};
use super::unit_costs::UnitCosts;

const OBJECTS: usize = 2000;

/// How long nothing may happen before a restarted controller counts as done.
const QUIET: Duration = Duration::from_secs(3);

pub(crate) fn rows(cluster: &Cluster, costs: &UnitCosts, table: &mut Table) {
    let ours = ours(cluster);
    let peer = upstream(cluster);
    let objects = OBJECTS as f64;
    // A Secret and a status are written for each, and the status costs about what a Secret does.
    let floor = objects * (2.0 * costs.open + 2.0 * costs.secret_write) / costs.cores;
    table.push(Row {
        work: "cold start, 2,000 SealedSecrets × 2",
        ours: ours.cold.wall,
        floor: Some(floor),
        peer: Some(peer.cold.wall),
        notes: format!("{}; peer {}", ours.cold, peer.cold),
    });
    table.push(Row {
        work: "restart, nothing changed",
        ours: ours.restart.wall,
        floor: None,
        peer: Some(peer.restart.wall),
        notes: format!(
            "{}, {} writes; peer {}, {} writes",
            ours.restart, ours.writes, peer.restart, peer.writes
        ),
    });
}

/// What one start cost.
struct Start {
    wall: f64,
    cpu: f64,
    memory: f64,
}

impl std::fmt::Display for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} CPU-s, {:.0} MiB", self.cpu, self.memory)
    }
}

struct Starts {
    cold: Start,
    restart: Start,
    writes: usize,
}

fn ours(cluster: &Cluster) -> Starts {
    key_secret(cluster, NAMESPACE);
    let namespace = cluster.testbed.namespace("cold");
    sealed_secrets(cluster, &namespace);
    let start = Instant::now();
    let controller = cluster.controller(&["--only=sealing"]);
    all_synced(cluster, &namespace);
    let cold = cost(start.elapsed().as_secs_f64(), controller.pid());
    controller.stop();
    let before = cluster.testbed.audited(&account()).len();
    let start = Instant::now();
    let controller = cluster.controller(&["--only=sealing"]).ready();
    let wall = quiet(cluster, &account(), start);
    let restart = cost(wall, controller.pid());
    let writes = writes(cluster, &account(), before);
    controller.stop();
    cluster
        .testbed
        .kubectl(&["delete", "namespace", &namespace]);
    Starts {
        cold,
        restart,
        writes,
    }
}

/// Upstream's controller runs as a Pod, under cluster-admin and with its client limit off.
fn upstream(cluster: &Cluster) -> Starts {
    let own = cluster.testbed.namespace("upstream");
    let account = format!("system:serviceaccount:{own}:default");
    key_secret(cluster, &own);
    let namespace = cluster.testbed.namespace("cold-upstream");
    sealed_secrets(cluster, &namespace);
    cluster.testbed.kubectl(&[
        "create",
        "clusterrolebinding",
        &own,
        "--clusterrole=cluster-admin",
        &format!("--serviceaccount={own}:default"),
    ]);
    let deployment = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: upstream, namespace: {own}}}\nspec:\n  \
         selector: {{matchLabels: {{app: upstream}}}}\n  template:\n    metadata: {{labels: {{app: upstream}}}}\n    spec:\n      \
         containers:\n        - name: c\n          image: docker.io/bitnami/sealed-secrets-controller:0.36.6\n          \
         args: [--kubeclient-qps=-1]\n"
    );
    cluster.testbed.apply(&deployment);
    let pid = running("sealed-secrets-controller");
    let start = Instant::now();
    all_synced(cluster, &namespace);
    let cold = cost(start.elapsed().as_secs_f64(), pid);
    quiet(cluster, &account, Instant::now());
    let before = cluster.testbed.audited(&account).len();
    cluster
        .testbed
        .kubectl(&["delete", "pod", "--all", "--namespace", &own, "--wait"]);
    until("upstream's controller is gone", || {
        !measure::pids("sealed-secrets-controller").contains(&pid)
    });
    let pid = running("sealed-secrets-controller");
    let start = Instant::now();
    let wall = quiet(cluster, &account, start);
    let restart = cost(wall, pid);
    let writes = writes(cluster, &account, before);
    cluster
        .testbed
        .kubectl(&["delete", "namespace", &namespace, &own]);
    Starts {
        cold,
        restart,
        writes,
    }
}

fn cost(wall: f64, pid: u32) -> Start {
    Start {
        wall,
        cpu: measure::cpu(pid),
        memory: measure::peak_memory(pid),
    }
}

fn running(program: &str) -> u32 {
    until("the process runs", || !measure::pids(program).is_empty());
    measure::pids(program)[0]
}

/// Seconds from `start` to the account's last request before it was quiet.
fn quiet(cluster: &Cluster, account: &str, start: Instant) -> f64 {
    let (mut seen, mut last) = (0, start);
    until("the controller is quiet", || {
        std::thread::sleep(Duration::from_millis(200));
        let requests = cluster.requests(account, 0).len();
        if requests != seen {
            (seen, last) = (requests, Instant::now());
        }
        last.elapsed() > QUIET
    });
    (last - start).as_secs_f64()
}

fn writes(cluster: &Cluster, account: &str, since: usize) -> usize {
    let watched = ["sealedsecrets", "secrets", "events", "applications"];
    let requests = cluster.requests(account, since);
    let writes = requests.iter().filter(|(verb, resource)| {
        ["create", "update", "patch", "delete"].contains(&verb.as_str())
            && watched.contains(&resource.as_str())
    });
    writes.count()
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(
        repository_root()
            .join("tests/vectors/sealed-secrets")
            .join(name),
    )
    .unwrap()
}

/// The key of the test vectors as a sealing key of this namespace.
fn key_secret(cluster: &Cluster, namespace: &str) {
    let secret = json!({
        "metadata": { "name": "sealed-secrets-keybench", "labels": { "sealedsecrets.bitnami.com/sealed-secrets-key": "active" } },
        "type": "kubernetes.io/tls",
        "data": {
            "tls.key": STANDARD.encode(vector("test-key-4096.pem")),
            "tls.crt": STANDARD.encode(vector("test-cert-4096.pem")),
        },
    });
    let secret: Secret = serde_json::from_value(secret).unwrap();
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), namespace);
    cluster
        .runtime
        .block_on(secrets.create(&PostParams::default(), &secret))
        .unwrap();
}

fn sealed_secrets(cluster: &Cluster, namespace: &str) {
    let certificate = Certificate::from_pem(&vector("test-cert-4096.pem")).unwrap();
    let api: Api<crds::SealedSecret> = Api::namespaced(cluster.client.clone(), namespace);
    let create = stream::iter(0..OBJECTS).for_each_concurrent(16, |number| {
        let name = format!("s-{number}");
        let label = Scope::Strict.label(namespace, &name);
        let value = |text: &[u8]| seal_value(certificate.public_key(), &label, text, &mut SysRng).unwrap();
        let items = json!({ "username": value(b"admin"), "password": value(b"correct-horse-battery-staple") });
        let object = json!({ "metadata": { "name": name, "namespace": namespace }, "spec": { "encryptedData": items } });
        let sealed: crds::SealedSecret = crds::decode(&object).unwrap();
        let api = api.clone();
        async move {
            api.create(&PostParams::default(), &sealed).await.unwrap();
        }
    });
    cluster.runtime.block_on(create);
}

/// Returns as soon as the watch has shown each of them Synced=True.
fn all_synced(cluster: &Cluster, namespace: &str) {
    let api: Api<crds::SealedSecret> = Api::namespaced(cluster.client.clone(), namespace);
    let watch = async {
        let mut synced = std::collections::BTreeSet::new();
        let mut events = std::pin::pin!(watcher(api, watcher::Config::default()));
        while synced.len() < OBJECTS {
            let Some(event) = events.try_next().await.unwrap() else {
                break;
            };
            if let watcher::Event::Apply(sealed) | watcher::Event::InitApply(sealed) = event
                && sealed.status.is_some_and(|status| {
                    status
                        .conditions
                        .iter()
                        .any(|condition| condition.status == "True")
                })
            {
                synced.insert(sealed.metadata.name);
            }
        }
    };
    cluster.runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(600), watch)
            .await
            .expect("all are unsealed within ten minutes");
    });
}
