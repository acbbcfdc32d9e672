//! Row "50 status changes a second": what managed objects cost whose status moves while nothing else does.

use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, Patch, PatchParams};
use serde_json::json;

use super::cluster::{Cluster, account};
use super::fleet::{self, Member};
use super::harness::GitRepository;
use super::measure;
use super::table::{Row, Table};
use super::unseal::quiet;

const APPLICATIONS: usize = 20;
/// Deployments of each.
const DEPLOYMENTS: usize = 50;
/// Changes a second.
const RATE: u32 = 50;
const SECONDS: u32 = 30;

pub(crate) fn rows(cluster: &Cluster, table: &mut Table) {
    let namespace = cluster.testbed.namespace("churn");
    let repository = GitRepository::create("churn");
    let files: Vec<(String, String)> = (0..APPLICATIONS)
        .map(|app| (format!("app-{app}/all.yaml"), deployments(app)))
        .collect();
    fleet::commit(&repository, &files);
    let controller = cluster.controller(&[]).ready();
    fleet::create(
        cluster,
        Member::folders(&repository, &namespace, APPLICATIONS),
    );
    fleet::await_status(cluster, APPLICATIONS, |status| {
        status["sync"]["status"] == "Synced" && status["health"]["status"] == "Healthy"
    });
    quiet(cluster, &account(), Instant::now());
    let (audited, cpu) = (cluster.testbed.audit_end(), measure::cpu(controller.pid()));
    let passes = || measure::metric(&controller, measure::PASSES);
    let passed = passes();
    let start = Instant::now();
    cluster.runtime.block_on(change(cluster, &namespace));
    let wall = start.elapsed().as_secs_f64();
    let cpu = (measure::cpu(controller.pid()) - cpu) / wall;
    let requests = cluster.requests(&account(), audited);
    let count =
        |is: fn(&super::cluster::Request) -> bool| requests.iter().filter(|r| is(r)).count();
    table.push(Row {
        work: "50 status changes a second, CPU per second",
        ours: cpu,
        notes: format!(
            "{:.0} changes a second; {} dry-runs, {} reads, {} writes, {:.0} passes in {wall:.0} s",
            f64::from(RATE * SECONDS) / wall,
            count(|request| request.is_dry_run),
            count(|request| request.verb == "get" || request.verb == "list"),
            count(|request| request.is_write()),
            passes() - passed,
        ),
        ..Row::default()
    });
    controller.stop();
    fleet::delete_all(cluster);
    let delete = ["delete", "namespace", &namespace, "--timeout=600s"];
    cluster.testbed.kubectl(&delete);
}

/// One Deployment after the other gets a condition with the time of now, which says nothing about its health.
async fn change(cluster: &Cluster, namespace: &str) {
    let api: Api<Deployment> = Api::namespaced(cluster.client.clone(), namespace);
    let mut tick = tokio::time::interval(Duration::from_secs(1) / RATE);
    for number in 0..(RATE * SECONDS) as usize {
        tick.tick().await;
        let (app, index) = (number % APPLICATIONS, number / APPLICATIONS % DEPLOYMENTS);
        let now = Timestamp::now().to_string();
        let status = json!({ "status": { "conditions": [
            { "type": "Moves", "status": "True", "lastUpdateTime": now, "lastTransitionTime": now },
        ]}});
        let (params, patch) = (PatchParams::default(), Patch::Strategic(&status));
        api.patch_status(&name(app, index), &params, &patch)
            .await
            .unwrap();
    }
}

fn name(app: usize, index: usize) -> String {
    format!("app-{app}-{index}")
}

/// Without replicas, so that what is measured is the status alone.
fn deployments(app: usize) -> String {
    let one = |index| {
        let name = name(app, index);
        format!(
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 0\n  \
             selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    \
             spec: {{containers: [{{name: web, image: nginx}}]}}\n"
        )
    };
    (0..DEPLOYMENTS).map(one).collect()
}
