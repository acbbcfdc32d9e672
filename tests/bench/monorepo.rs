//! Row "500 Applications of one repository": a commit that touches one path of it, told of by a webhook.

use std::path::PathBuf;
use std::time::Instant;

use futures::{Stream, TryStreamExt as _};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::Api;
use kube::runtime::watcher;
use serde_json::json;

use super::cluster::Cluster;
use super::fleet::{self, Member};
use super::git;
use super::harness::{Controller, GitRepository, Port, send};
use super::measure;
use super::table::{Row, Table, median};
use super::unit_costs::UnitCosts;

const APPLICATIONS: usize = 500;
/// ConfigMaps of each.
const OBJECTS: usize = 5;
const REPEATS: usize = 10;

pub(crate) fn rows(cluster: &Cluster, costs: &UnitCosts, table: &mut Table) {
    let namespace = cluster.testbed.namespace("monorepo");
    let repository = GitRepository::create("monorepo");
    let files: Vec<(String, String)> = (0..APPLICATIONS)
        .map(|app| (file(app), config_maps(app, "first")))
        .collect();
    fleet::commit(&repository, &files);
    let data = cluster.testbed.path("monorepo-data");
    let controller = cluster
        .controller(&[
            "--git-poll-interval=0s",
            "--webhook-allow-unsigned",
            &format!("--data-dir={}", data.display()),
        ])
        .ready();
    fleet::create(
        cluster,
        Member::folders(&repository, &namespace, APPLICATIONS),
    );
    fleet::await_status(cluster, APPLICATIONS, |status| {
        status["sync"]["status"] == "Synced"
    });
    let scene = Scene {
        cluster,
        repository,
        namespace,
        controller,
        data,
    };
    let clone = scene.clone();
    let all: Vec<Commit> = (0..REPEATS)
        .map(|number| scene.commit(number * APPLICATIONS / REPEATS, &clone))
        .collect();
    let memory = measure::peak_memory(scene.controller.pid());
    scene.controller.stop();
    fleet::delete_all(cluster);
    table.push(row(&all, memory, costs));
}

fn row(all: &[Commit], memory: f64, costs: &UnitCosts) -> Row {
    let of = |figure: fn(&Commit) -> f64| median(all.iter().map(figure).collect());
    let slowest = all.iter().map(|commit| commit.applied).fold(0.0, f64::max);
    Row {
        work: "500 Applications, one path touched",
        ours: of(|commit| commit.applied),
        floor: Some(of(|commit| commit.git) + costs.small_apply),
        notes: format!(
            "slowest of {REPEATS}: {:.0} ms; {:.0} render, {:.0} listing, {:.0} fetch of {:.0} KiB; all at the commit after \
             {:.0} ms; {:.0} CPU-ms, {memory:.0} MiB",
            slowest * 1e3,
            of(|commit| commit.renders),
            of(|commit| commit.listings),
            of(|commit| commit.fetches),
            of(|commit| commit.bytes) / 1024.0,
            of(|commit| commit.settled) * 1e3,
            of(|commit| commit.cpu) * 1e3
        ),
        ..Row::default()
    }
}

fn file(app: usize) -> String {
    format!("app-{app}/all.yaml")
}

fn config_maps(app: usize, value: &str) -> String {
    let one = |number| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: app-{app}-{number}}}\ndata: {{value: {value}}}\n"
        )
    };
    (0..OBJECTS).map(one).collect()
}

struct Scene<'a> {
    cluster: &'a Cluster,
    repository: GitRepository,
    namespace: String,
    controller: Controller,
    /// Where the controller keeps its mirrors.
    data: PathBuf,
}

/// What one commit cost. Seconds, and how often.
struct Commit {
    /// From the webhook to the last object of the path.
    applied: f64,
    /// Until every Application says that it is at the commit.
    settled: f64,
    cpu: f64,
    renders: f64,
    listings: f64,
    fetches: f64,
    /// By which the mirror grew.
    bytes: f64,
    /// What the real git takes to list the refs and fetch the commit.
    git: f64,
}

impl Scene<'_> {
    /// A shallow clone, for the real git to fetch into.
    fn clone(&self) -> PathBuf {
        let (url, root) = (self.repository.url(), self.cluster.testbed.path(""));
        git::timed(
            &root,
            &["clone", "--quiet", "--depth=1", url, "monorepo-clone"],
        );
        root.join("monorepo-clone")
    }

    fn commit(&self, app: usize, clone: &std::path::Path) -> Commit {
        let text = config_maps(app, "second");
        let commit = self.repository.commit(&[(&file(app), &text)], "second");
        let before = self.counts();
        let name = format!("app-{app}-{}", OBJECTS - 1);
        let (start, applied) = self.cluster.runtime.block_on(async {
            let mut seen = std::pin::pin!(self.watch(&name));
            while !matches!(
                seen.try_next().await.unwrap(),
                Some(watcher::Event::InitDone)
            ) {}
            let start = Instant::now();
            self.tell();
            loop {
                if let Some(watcher::Event::Apply(map)) = seen.try_next().await.unwrap()
                    && map.data.is_some_and(|data| data["value"] == "second")
                {
                    return (start, start.elapsed().as_secs_f64());
                }
            }
        });
        fleet::await_status(self.cluster, APPLICATIONS, |status| {
            status["sync"]["revision"] == commit.as_str() && status["sync"]["status"] == "Synced"
        });
        let settled = start.elapsed().as_secs_f64();
        let after = self.counts();
        let url = self.repository.url();
        Commit {
            applied,
            settled,
            cpu: after[0] - before[0],
            renders: after[1] - before[1],
            listings: after[2] - before[2],
            fetches: after[3] - before[3],
            bytes: after[4] - before[4],
            git: git::timed(clone, &["ls-remote", url])
                + git::timed(clone, &["fetch", "--quiet", "--depth=1", "origin", "main"]),
        }
    }

    fn counts(&self) -> [f64; 5] {
        let metric = |series| measure::metric(&self.controller, series);
        [
            measure::cpu(self.controller.pid()),
            metric("signet_render_seconds_count{source_type=\"Directory\"}"),
            metric(measure::LISTINGS),
            metric(measure::FETCHES),
            measure::bytes_below(&self.data) as f64,
        ]
    }

    fn watch(
        &self,
        name: &str,
    ) -> impl Stream<Item = Result<watcher::Event<ConfigMap>, watcher::Error>> + use<> {
        let maps: Api<ConfigMap> = Api::namespaced(self.cluster.client.clone(), &self.namespace);
        let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
        watcher(maps, config)
    }

    /// Tells of a push as Gitea does.
    fn tell(&self) {
        let url = self.repository.url();
        let body = json!({
            "ref": "refs/heads/main",
            "repository": { "html_url": url.trim_end_matches(".git"), "clone_url": url },
        });
        let headers = [
            ("Content-Type", "application/json"),
            ("X-Gitea-Event", "push"),
        ];
        let webhook = format!("{}/api/webhook", self.controller.url(Port::Web));
        let answer = send(&webhook, &headers, &body.to_string()).unwrap();
        assert_eq!(answer.0, 200, "the webhook: {}", answer.1);
    }
}
