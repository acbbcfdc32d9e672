//! Rows "cold start", "restart" and "ten keys": 2,000 SealedSecrets of two values, beside upstream's controller.

use std::time::{Duration, Instant};

use super::cluster::{Cluster, NAMESPACE, account, until};
use super::measure;
use super::sealed::{Batch, KeyPair, put_keys};
use super::table::{Row, Table};
use super::unit_costs::UnitCosts;
use super::upstream::Upstream;

const OBJECTS: usize = 2000;

/// How long nothing may happen before a restarted controller counts as done.
const QUIET: Duration = Duration::from_secs(3);

pub(crate) fn rows(cluster: &Cluster, costs: &UnitCosts, table: &mut Table) {
    let oldest = [KeyPair::oldest()];
    // Two values are opened, a Secret and a status are written for each; the status costs about what a Secret does.
    let floor = OBJECTS as f64 * (2.0 * costs.open + 2.0 * costs.secret_write) / costs.cores;
    let (ours, batch) = ours(cluster, &oldest);
    let restart = restart_ours(cluster);
    batch.delete();
    let (mut upstream, peer, batch) = upstream(cluster, &oldest);
    let peer_restart = restart_upstream(cluster, &mut upstream);
    upstream.stop();
    batch.delete();
    table.push(cold(
        "cold start, 2,000 SealedSecrets × 2",
        floor,
        &ours,
        &peer,
    ));
    table.push(Row {
        work: "restart, nothing changed",
        ours: restart.start.wall,
        floor: None,
        peer: Some(peer_restart.start.wall),
        notes: format!("{restart}; peer {peer_restart}"),
    });
    ten_keys(cluster, floor, table);
}

/// What opens 2,000 SealedSecrets must not try ten keys for each.
fn ten_keys(cluster: &Cluster, floor: f64, table: &mut Table) {
    let newer = (0..9).map(KeyPair::generate);
    let keys: Vec<KeyPair> = [KeyPair::oldest()].into_iter().chain(newer).collect();
    let (ours, batch) = ours(cluster, &keys);
    batch.delete();
    let (running, peer, batch) = upstream(cluster, &keys);
    running.stop();
    batch.delete();
    table.push(cold(
        "the same with ten keys, sealed with the oldest",
        floor,
        &ours,
        &peer,
    ));
}

fn cold(work: &'static str, floor: f64, ours: &Start, peer: &Start) -> Row {
    Row {
        work,
        ours: ours.wall,
        floor: Some(floor),
        peer: Some(peer.wall),
        notes: format!("{ours}; peer {peer}"),
    }
}

/// What one start cost.
struct Start {
    wall: f64,
    cpu: f64,
    memory: f64,
}

impl Start {
    fn cost(wall: f64, pid: u32) -> Self {
        Self {
            wall,
            cpu: measure::cpu(pid),
            memory: measure::peak_memory(pid),
        }
    }
}

impl std::fmt::Display for Start {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} CPU-s, {:.0} MiB", self.cpu, self.memory)
    }
}

/// A start with nothing to do, and the writes it made all the same.
struct Restart {
    start: Start,
    writes: usize,
}

impl std::fmt::Display for Restart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {} writes", self.start, self.writes)
    }
}

fn ours<'a>(cluster: &'a Cluster, keys: &[KeyPair]) -> (Start, Batch<'a>) {
    put_keys(cluster, NAMESPACE, keys);
    let batch = Batch::create(cluster, "cold", OBJECTS);
    let start = Instant::now();
    let controller = cluster.controller(&["--only=sealing"]);
    batch.await_synced(OBJECTS);
    let cold = Start::cost(start.elapsed().as_secs_f64(), controller.pid());
    controller.stop();
    (cold, batch)
}

fn restart_ours(cluster: &Cluster) -> Restart {
    let before = cluster.testbed.audit_end();
    let start = Instant::now();
    let controller = cluster.controller(&["--only=sealing"]).ready();
    let wall = quiet(cluster, &account(), start);
    let restart = Restart {
        start: Start::cost(wall, controller.pid()),
        writes: writes(cluster, &account(), before),
    };
    controller.stop();
    restart
}

fn upstream<'a>(cluster: &'a Cluster, keys: &[KeyPair]) -> (Upstream<'a>, Start, Batch<'a>) {
    let batch = Batch::create(cluster, "cold-upstream", OBJECTS);
    let upstream = Upstream::start(cluster, keys, &[]);
    let start = Instant::now();
    batch.await_synced(OBJECTS);
    let cold = Start::cost(start.elapsed().as_secs_f64(), upstream.pid);
    (upstream, cold, batch)
}

fn restart_upstream(cluster: &Cluster, upstream: &mut Upstream<'_>) -> Restart {
    let account = upstream.account();
    quiet(cluster, &account, Instant::now());
    let before = cluster.testbed.audit_end();
    upstream.restart();
    let start = Instant::now();
    let wall = quiet(cluster, &account, start);
    Restart {
        start: Start::cost(wall, upstream.pid),
        writes: writes(cluster, &account, before),
    }
}

/// Seconds from `start` to the account's last request before it was quiet.
pub(crate) fn quiet(cluster: &Cluster, account: &str, start: Instant) -> f64 {
    let (mut seen, mut last) = (cluster.testbed.audit_end(), Instant::now());
    until("the controller is quiet", || {
        std::thread::sleep(Duration::from_millis(200));
        let end = cluster.testbed.audit_end();
        if !cluster.requests(account, seen).is_empty() {
            last = Instant::now();
        }
        seen = end;
        last.elapsed() > QUIET
    });
    (last - start).as_secs_f64()
}

/// Writes to what people and other controllers look at.
pub(crate) fn writes(cluster: &Cluster, account: &str, start: u64) -> usize {
    let watched = ["sealedsecrets", "secrets", "events", "applications"];
    let requests = cluster.requests(account, start);
    let writes = requests
        .iter()
        .filter(|request| request.is_write() && watched.contains(&request.resource.as_str()));
    writes.count()
}
