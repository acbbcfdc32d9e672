//! Rows of sync: 100 Applications of four objects in one repository, a commit, a deletion, and nothing at all.

use std::path::Path;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams};

use super::cluster::{Cluster, account};
use super::fleet::{self, Member};
use super::harness::GitRepository;
use super::measure;
use super::table::{Row, Table, median};
use super::unit_costs::UnitCosts;

const APPLICATIONS: usize = 100;
const REPEATS: usize = 20;
const IDLE: Duration = Duration::from_secs(30);

pub(crate) fn rows(cluster: &Cluster, costs: &UnitCosts, table: &mut Table) {
    let peer = kubectl_apply(cluster);
    let namespace = cluster.testbed.namespace("apps");
    let repository = GitRepository::create("bench");
    let files = files(&namespace);
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    repository.commit(&files, "a hundred applications");
    let controller = cluster.controller(&[]).ready();
    let (before, start) = (measure::cpu(controller.pid()), Instant::now());
    fleet::create(cluster, members(&repository, &namespace));
    fleet::await_status(cluster, APPLICATIONS, |status| {
        status["sync"]["status"] == "Synced" && status["health"]["status"] == "Healthy"
    });
    let wall = start.elapsed().as_secs_f64();
    let applications = APPLICATIONS as f64;
    // Four applies, and at least two writes of the Application's status, each a small write.
    let floor = applications * (costs.deployment_apply + 5.0 * costs.small_apply) / costs.cores;
    table.push(Row {
        work: "100 Applications × 4 objects",
        ours: wall,
        floor: Some(floor),
        peer: Some(peer),
        notes: format!(
            "{:.2} CPU-s, {:.0} MiB",
            measure::cpu(controller.pid()) - before,
            measure::peak_memory(controller.pid())
        ),
    });
    let objects = Objects {
        cluster,
        namespace: &namespace,
    };
    table.push(single(
        "commit → applied",
        (0..REPEATS)
            .map(|number| objects.commit(&repository, number))
            .collect(),
    ));
    table.push(single(
        "delete → back",
        (0..REPEATS).map(|number| objects.delete(number)).collect(),
    ));
    table.push(idle(cluster, controller.pid()));
    controller.stop();
}

fn single(work: &'static str, times: Vec<f64>) -> Row {
    let slowest = times.iter().copied().fold(0.0, f64::max);
    Row {
        work,
        ours: median(times),
        notes: format!("slowest of {REPEATS}: {:.0} ms", slowest * 1e3),
        ..Row::default()
    }
}

/// CPU per second and requests while nobody touches anything.
fn idle(cluster: &Cluster, pid: u32) -> Row {
    // What the last deletions caused is over first.
    std::thread::sleep(Duration::from_secs(5));
    let (requests, cpu) = (cluster.testbed.audited(&account()).len(), measure::cpu(pid));
    std::thread::sleep(IDLE);
    let cpu = (measure::cpu(pid) - cpu) / IDLE.as_secs_f64();
    let requests = cluster.requests(&account(), requests).len();
    Row {
        work: "idle, CPU per second",
        ours: cpu,
        notes: format!(
            "{requests} requests but for watches and the Lease in {} s",
            IDLE.as_secs()
        ),
        ..Row::default()
    }
}

/// Today's tool for the same objects: seconds until all Deployments are available.
fn kubectl_apply(cluster: &Cluster) -> f64 {
    let namespace = cluster.testbed.namespace("kubectl");
    let folder = cluster.testbed.path("kubectl-apply");
    for (path, text) in files(&namespace) {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let start = Instant::now();
    let folder = folder.display().to_string();
    cluster
        .testbed
        .kubectl(&["apply", "--server-side", "--recursive", "-f", &folder]);
    cluster.testbed.kubectl(&[
        "wait",
        "deployment",
        "--all",
        "--for=condition=Available",
        "--namespace",
        &namespace,
        "--timeout=300s",
    ]);
    let wall = start.elapsed().as_secs_f64();
    cluster
        .testbed
        .kubectl(&["delete", "namespace", &namespace]);
    wall
}

fn files(namespace: &str) -> Vec<(String, String)> {
    let file = |number: usize| {
        (
            format!("app-{number}/all.yaml"),
            manifests(namespace, number),
        )
    };
    (0..APPLICATIONS).map(file).collect()
}

fn manifests(namespace: &str, number: usize) -> String {
    let metadata = format!("metadata: {{name: app-{number}, namespace: {namespace}}}");
    format!(
        "apiVersion: v1\nkind: ServiceAccount\n{metadata}\n---\n{}---\n\
         apiVersion: v1\nkind: Service\n{metadata}\nspec: {{selector: {{app: app-{number}}}, ports: [{{port: 80}}]}}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\n{metadata}\nspec:\n  selector: {{matchLabels: {{app: app-{number}}}}}\n  \
         template:\n    metadata: {{labels: {{app: app-{number}}}}}\n    spec:\n      serviceAccountName: app-{number}\n      \
         containers: [{{name: web, image: nginx, envFrom: [{{configMapRef: {{name: app-{number}}}}}]}}]\n",
        config_map(namespace, number, "first")
    )
}

fn config_map(namespace: &str, number: usize, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app-{number}, namespace: {namespace}}}\ndata: {{value: {value}}}\n"
    )
}

fn members(repository: &GitRepository, namespace: &str) -> impl Iterator<Item = Member> {
    (0..APPLICATIONS).map(|number| Member {
        name: format!("app-{number}"),
        url: repository.url().to_owned(),
        path: format!("app-{number}"),
        namespace: namespace.to_owned(),
        automated: true,
    })
}

struct Objects<'a> {
    cluster: &'a Cluster,
    namespace: &'a str,
}

impl Objects<'_> {
    fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.cluster.client.clone(), self.namespace)
    }

    /// Seconds from telling the controller of a commit to the live object.
    fn commit(&self, repository: &GitRepository, number: usize) -> f64 {
        let manifests = manifests(self.namespace, number).replace("value: first", "value: second");
        repository.commit(&[(&format!("app-{number}/all.yaml"), &manifests)], "second");
        let name = format!("app-{number}");
        self.cluster.runtime.block_on(async {
            let start = Instant::now();
            fleet::refresh(self.cluster, &name).await;
            self.until(&name, |map| {
                map.data
                    .as_ref()
                    .is_some_and(|data| data["value"] == "second")
            })
            .await;
            start.elapsed().as_secs_f64()
        })
    }

    /// Seconds from the answer to a deletion to another object under that name.
    fn delete(&self, number: usize) -> f64 {
        let name = format!("app-{number}");
        self.cluster.runtime.block_on(async {
            let old = self.config_maps().get(&name).await.unwrap().metadata.uid;
            self.config_maps()
                .delete(&name, &DeleteParams::default())
                .await
                .unwrap();
            let start = Instant::now();
            self.until(&name, |map| map.metadata.uid != old).await;
            start.elapsed().as_secs_f64()
        })
    }

    async fn until(&self, name: &str, done: impl Fn(&ConfigMap) -> bool) {
        let start = Instant::now();
        while !self
            .config_maps()
            .get_opt(name)
            .await
            .unwrap()
            .is_some_and(|map| done(&map))
        {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "ConfigMap {name} did not change within a minute"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
