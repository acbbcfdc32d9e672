//! Rows "new object in a crowd" and "20,000 other Secrets": what the rest of a big cluster costs one SealedSecret.

use std::time::Instant;

use futures::{StreamExt as _, stream};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, PostParams};
use serde_json::json;

use super::cluster::{Cluster, NAMESPACE, account};
use super::measure;
use super::sealed::{Batch, KeyPair, put_keys};
use super::table::{Row, Table};
use super::unseal::quiet;
use super::upstream::Upstream;

const CROWD: usize = 5000;
/// So many of the crowd are done when the new object comes: the controller is in the middle of it.
const DONE: usize = 200;
const OTHERS: usize = 20_000;

pub(crate) fn rows(cluster: &Cluster, table: &mut Table) {
    table.push(new_object(cluster));
    table.push(others(cluster));
}

fn new_object(cluster: &Cluster) -> Row {
    put_keys(cluster, NAMESPACE, &[KeyPair::oldest()]);
    let crowd = Batch::create(cluster, "crowd", CROWD);
    let controller = cluster.controller(&["--only=sealing"]);
    let ours = latency(&crowd);
    controller.stop();
    crowd.delete();
    let crowd = Batch::create(cluster, "crowd-upstream", CROWD);
    let upstream = Upstream::start(cluster, &[KeyPair::oldest()], &[]);
    let peer = latency(&crowd);
    upstream.stop();
    crowd.delete();
    Row {
        work: "new object while 5,000 others are opened",
        ours,
        peer: Some(peer),
        ..Row::default()
    }
}

fn latency(crowd: &Batch<'_>) -> f64 {
    crowd.await_synced(DONE);
    let start = Instant::now();
    crowd.add("new");
    crowd.await_one("new");
    start.elapsed().as_secs_f64()
}

fn others(cluster: &Cluster) -> Row {
    let others = cluster.testbed.namespace("others");
    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), &others);
    let create = stream::iter(0..OTHERS).for_each_concurrent(16, |number| {
        let secrets = secrets.clone();
        async move {
            let secret = json!({ "metadata": { "name": format!("o-{number}") }, "stringData": { "k": "v".repeat(1000) } });
            let secret: Secret = serde_json::from_value(secret).unwrap();
            secrets.create(&PostParams::default(), &secret).await.unwrap();
        }
    });
    cluster.runtime.block_on(create);
    put_keys(cluster, NAMESPACE, &[KeyPair::oldest()]);
    let batch = Batch::create(cluster, "few", 1);
    let start = Instant::now();
    let controller = cluster.controller(&[]);
    batch.await_synced(1);
    let ours = start.elapsed().as_secs_f64();
    quiet(cluster, &account(), start);
    let our_memory = measure::peak_memory(controller.pid());
    controller.stop();
    batch.delete();
    let batch = Batch::create(cluster, "few-upstream", 1);
    let upstream = Upstream::start(cluster, &[KeyPair::oldest()], &[]);
    let start = Instant::now();
    batch.await_synced(1);
    let peer = start.elapsed().as_secs_f64();
    quiet(cluster, &upstream.account(), start);
    let memory = measure::peak_memory(upstream.pid);
    upstream.stop();
    batch.delete();
    cluster
        .testbed
        .kubectl(&["delete", "namespace", &others, "--wait=false"]);
    Row {
        work: "start among 20,000 other Secrets",
        ours,
        peer: Some(peer),
        floor: None,
        notes: format!("{our_memory:.0} MiB; peer {memory:.0} MiB"),
    }
}
