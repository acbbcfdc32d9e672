//! The real helm, and our chart.

use std::process::Command;

use crate::harness::{Output, repository_root, run};

/// Runs helm.
#[track_caller]
pub(crate) fn helm(args: &[&str]) -> Output {
    run(Command::new("helm").args(args), None)
}

/// The folder of the chart.
pub(crate) fn chart() -> String {
    let folder = repository_root().join("deploy/helm/signet");
    folder.display().to_string()
}

/// What the chart renders.
#[track_caller]
pub(crate) fn template(release: &str, namespace: &str, args: &[&str]) -> Output {
    let chart = chart();
    let command = ["template", release, &chart, "--namespace", namespace];
    helm(&[&command, args].concat())
}
