//! Rows of reading repositories: the first sync of one with a long history, and a hundred that are polled.

use std::path::Path;
use std::time::{Duration, Instant};

use super::cluster::Cluster;
use super::fleet::{self, Member};
use super::git;
use super::harness::GitRepository;
use super::measure;
use super::table::{Row, Table, median};
use super::unit_costs::UnitCosts;

const RUNS: usize = 5;
const POLLED: usize = 100;
/// Each repository is polled after 120 to 180 s: in this time twice.
const WINDOW: Duration = Duration::from_secs(300);

pub(crate) fn rows(cluster: &Cluster, costs: &UnitCosts, table: &mut Table) {
    table.push(long_history(cluster, costs));
    table.push(polled(cluster));
}

fn long_history(cluster: &Cluster, costs: &UnitCosts) -> Row {
    let repository = GitRepository::create("history");
    let bare = cluster.testbed.path("git/history.git");
    git::import_history(&bare, "app/config.yaml", &config_map("config"));
    let history = measure::bytes_below(&bare);
    let syncs: Vec<FirstSync> = (0..RUNS)
        .map(|run| FirstSync::measure(cluster, &repository, run))
        .collect();
    let clones = (0..RUNS).map(|run| clone(cluster, &repository, run));
    // One apply and two writes of the Application's status come after the clone.
    let floor = median(clones.collect()) + 3.0 * costs.small_apply;
    std::fs::remove_dir_all(&bare).unwrap();
    let of = |figure: fn(&FirstSync) -> f64| median(syncs.iter().map(figure).collect());
    Row {
        work: "first sync, 2 GB of history",
        ours: of(|sync| sync.wall),
        floor: Some(floor),
        notes: format!(
            "{:.0} CPU-ms, {:.0} MiB, mirror {:.0} KiB of {:.1} GiB",
            of(|sync| sync.cpu) * 1e3,
            of(|sync| sync.memory),
            of(|sync| sync.mirror) / 1024.0,
            history as f64 / f64::from(1 << 30)
        ),
        ..Row::default()
    }
}

/// What the first sync of a controller that has just become ready cost.
struct FirstSync {
    wall: f64,
    cpu: f64,
    memory: f64,
    /// Bytes of all its files.
    mirror: f64,
}

impl FirstSync {
    fn measure(cluster: &Cluster, repository: &GitRepository, run: usize) -> Self {
        let namespace = cluster.testbed.namespace("history");
        let data = cluster.testbed.path(&format!("history-data-{run}"));
        let controller = cluster
            .controller(&[&format!("--data-dir={}", data.display())])
            .ready();
        let (before, start) = (measure::cpu(controller.pid()), Instant::now());
        fleet::create(
            cluster,
            [Member {
                name: "history".to_owned(),
                url: repository.url().to_owned(),
                path: "app".to_owned(),
                namespace,
                automated: true,
            }],
        );
        fleet::await_status(cluster, 1, |status| status["sync"]["status"] == "Synced");
        let sync = Self {
            wall: start.elapsed().as_secs_f64(),
            cpu: measure::cpu(controller.pid()) - before,
            memory: measure::peak_memory(controller.pid()),
            mirror: measure::bytes_below(&data) as f64,
        };
        controller.stop();
        fleet::delete_all(cluster);
        sync
    }
}

fn clone(cluster: &Cluster, repository: &GitRepository, run: usize) -> f64 {
    let into = format!("history-clone-{run}");
    let args = ["clone", "--quiet", "--depth=1", repository.url(), &into];
    git::timed(&cluster.testbed.path(""), &args)
}

/// CPU per second while a hundred repositories are polled at the default interval and nothing moves.
fn polled(cluster: &Cluster) -> Row {
    let namespace = cluster.testbed.namespace("polled");
    let members: Vec<Member> = (0..POLLED)
        .map(|number| {
            let name = format!("polled-{number}");
            let repository = GitRepository::create(&name);
            let file = ("app/config.yaml", &*config_map(&name));
            repository.commit(&[file], "a small repository");
            Member {
                name,
                url: repository.url().to_owned(),
                path: "app".to_owned(),
                namespace: namespace.clone(),
                automated: true,
            }
        })
        .collect();
    let url = members[0].url.clone();
    let controller = cluster.controller(&[]).ready();
    fleet::create(cluster, members);
    fleet::await_status(cluster, POLLED, |status| {
        status["sync"]["status"] == "Synced"
    });
    let asked = || git::requests(&cluster.testbed, "polled-");
    let listed = || measure::metric(&controller, measure::LISTINGS);
    let (requests, listings, cpu) = (asked(), listed(), measure::cpu(controller.pid()));
    std::thread::sleep(WINDOW);
    let cpu = (measure::cpu(controller.pid()) - cpu) / WINDOW.as_secs_f64();
    let (requests, listings) = ((asked() - requests) as f64, listed() - listings);
    let memory = measure::peak_memory(controller.pid());
    controller.stop();
    fleet::delete_all(cluster);
    let peer = measure::runs(20, Path::new("/dev/null"), &["git", "ls-remote", &url]);
    Row {
        work: "100 repositories polled, CPU per second",
        ours: cpu,
        peer: Some(peer.cpu * listings / WINDOW.as_secs_f64()),
        notes: format!(
            "{:.0} requests a minute for {:.0} listings, {memory:.0} MiB",
            requests * 60.0 / WINDOW.as_secs_f64(),
            listings * 60.0 / WINDOW.as_secs_f64()
        ),
        ..Row::default()
    }
}

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{value: one}}\n")
}
