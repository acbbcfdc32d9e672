//! Rows "seal one" and "seal 2,000": whole processes, beside kubeseal with the same input.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use super::harness::{Testbed, repository_root};
use super::measure::{Cost, runs};
use super::table::{Row, Table};
use super::unit_costs::UnitCosts;

/// A stream of `count` Secrets of two values.
pub(crate) fn secrets(count: usize, namespace: &str) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        write!(
            text,
            "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: s-{number}\n  namespace: {namespace}\n\
             stringData:\n  username: admin-{number}\n  password: correct-horse-battery-staple\n"
        )
        .expect("a String takes any text");
        text
    })
}

pub(crate) fn rows(costs: &UnitCosts, table: &mut Table) {
    let certificate = repository_root().join("tests/vectors/sealed-secrets/test-cert-4096.pem");
    let compare = |work, count, times| {
        let input = file(&format!("secrets-{count}.yaml"), &secrets(count, "bench"));
        let certificate = format!("--cert={}", certificate.display());
        let signet = std::env::var("SIGNET").expect("tests/bench/run names the signet to measure");
        let ours = runs(times, &input, &[&signet, "seal", &certificate]);
        let peer = runs(times, &input, &["kubeseal", &certificate, "--format=yaml"]);
        Row {
            work,
            ours: ours.wall,
            floor: Some(2.0 * count as f64 * costs.seal / costs.cores.min(2.0 * count as f64)),
            peer: Some(peer.wall),
            notes: format!("{}; peer {}", cpu_and_memory(&ours), cpu_and_memory(&peer)),
        }
    };
    table.push(compare("seal one", 1, 50));
    table.push(compare("seal 2,000", 2000, 5));
}

fn cpu_and_memory(cost: &Cost) -> String {
    format!("{:.1} CPU-ms, {:.1} MiB", cost.cpu * 1e3, cost.memory)
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = Testbed::get().path(name);
    fs::write(&path, text).unwrap();
    path
}
