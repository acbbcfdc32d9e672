//! The real helm, and our chart.

use std::process::Command;

use crate::harness::{Output, repository_root, run};

/// Runs helm.
#[track_caller]
pub(crate) fn helm(args: &[&str]) -> Output {
    run(Command::new("helm").args(args), None)
}

/// Runs helm with something on its standard input.
#[track_caller]
pub(crate) fn helm_with_input(args: &[&str], input: &str) -> Output {
    run(Command::new("helm").args(args), Some(input))
}

/// The folder of the chart.
pub(crate) fn chart() -> String {
    let folder = repository_root().join("deploy/helm/signet");
    folder.display().to_string()
}

/// What the chart renders as the release that the plain manifests are.
#[track_caller]
pub(crate) fn template(args: &[&str]) -> Output {
    let chart = chart();
    let command = ["template", "signet", &chart, "--namespace=signet"];
    helm(&[&command, args].concat())
}
