//! Rows of sync: 100 Applications of four objects in one repository, a commit, a deletion, and nothing at all; and 1,000.

use std::time::Duration;

use super::cluster::{Cluster, account};
use super::many::{self, Many};
use super::measure;
use super::single::{self, Single};
use super::table::{Row, Table};

const REPEATS: usize = 20;
const IDLE: Duration = Duration::from_secs(30);

pub(crate) fn rows(cluster: &Cluster, table: &mut Table) {
    let work = "100 Applications × 4 objects";
    let many = Many::create(cluster, table, work, 100);
    let singles = || (0..REPEATS).map(|number| (number, single(cluster, &many, number)));
    let commits = singles().map(|(number, single)| {
        let text = many::manifests(&many.namespace, number, "second");
        single.commit(&many::file(number), &text)
    });
    table.push(single::row("commit → applied", commits.collect()));
    let deletions = singles().map(|(_, single)| single.delete());
    table.push(single::row("delete → back", deletions.collect()));
    let work = "idle, CPU per second";
    table.push(idle(cluster, work, many.controller.pid()));
    many.delete(cluster);
}

/// Ten times as many, and no more than ten times as much of everything.
pub(crate) fn thousand(cluster: &Cluster, table: &mut Table) {
    let work = "1,000 Applications × 4 objects";
    let many = Many::create(cluster, table, work, 1000);
    let work = "idle with 1,000, CPU per second";
    table.push(idle(cluster, work, many.controller.pid()));
    many.delete(cluster);
}

fn single<'a>(cluster: &'a Cluster, many: &'a Many, number: usize) -> Single<'a> {
    let name = format!("app-{number}");
    Single {
        cluster,
        repository: &many.repository,
        application: name.clone(),
        namespace: &many.namespace,
        name,
    }
}

/// CPU per second and requests while nobody touches anything.
fn idle(cluster: &Cluster, work: &'static str, pid: u32) -> Row {
    // What was done before is over first.
    std::thread::sleep(Duration::from_secs(5));
    let (start, cpu) = (cluster.testbed.audit_end(), measure::cpu(pid));
    std::thread::sleep(IDLE);
    let cpu = (measure::cpu(pid) - cpu) / IDLE.as_secs_f64();
    let requests = cluster.requests(&account(), start).len();
    Row {
        work,
        ours: cpu,
        notes: format!(
            "{requests} requests but for watches and the Lease in {} s",
            IDLE.as_secs()
        ),
        ..Row::default()
    }
}
