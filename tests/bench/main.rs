//! The rows of docs/performance.md, measured against today's tools on one control plane, printed as a table.
//! It asserts nothing about speed; it fails only when the work itself was not done.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that can't go on stops and says why"
)]

#[path = "../testbed/harness.rs"]
mod harness;

mod applications;
mod chart;
mod churn;
mod cluster;
mod crowd;
mod fleet;
mod flood;
mod git;
mod kubectl;
mod large;
mod many;
mod measure;
mod monorepo;
mod repositories;
mod seal;
mod sealed;
mod single;
mod table;
mod unit_costs;
mod unseal;
mod upstream;
mod verify;

use table::Table;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    match args.next().as_deref() {
        Some("measure") => measure::child(args),
        first => bench(
            &first
                .map(str::to_owned)
                .into_iter()
                .chain(args)
                .collect::<Vec<_>>(),
        ),
    }
}

/// Runs the groups whose names are given, or all: `seal`, `unseal`, `crowd`, `verify`, `repositories`, `monorepo`, `chart`,
/// `applications`, `thousand`, `large`, `churn`.
fn bench(groups: &[String]) {
    let wanted = |name: &str| groups.is_empty() || groups.iter().any(|group| group == name);
    let cluster = cluster::Cluster::install();
    let costs = unit_costs::UnitCosts::measure(&cluster);
    eprintln!("{costs}");
    let mut table = Table::default();
    if wanted("seal") {
        seal::rows(&costs, &mut table);
    }
    if wanted("unseal") {
        unseal::rows(&cluster, &costs, &mut table);
    }
    if wanted("crowd") {
        crowd::rows(&cluster, &mut table);
    }
    if wanted("verify") {
        verify::rows(&cluster, &costs, &mut table);
    }
    if wanted("repositories") {
        repositories::rows(&cluster, &costs, &mut table);
    }
    if wanted("monorepo") {
        monorepo::rows(&cluster, &costs, &mut table);
    }
    if wanted("chart") {
        chart::rows(&cluster, &mut table);
    }
    if wanted("applications") {
        applications::rows(&cluster, &mut table);
    }
    if wanted("thousand") {
        applications::thousand(&cluster, &mut table);
    }
    if wanted("large") {
        large::rows(&cluster, &costs, &mut table);
    }
    if wanted("churn") {
        churn::rows(&cluster, &mut table);
    }
    println!("{costs}\n\n{table}");
}
