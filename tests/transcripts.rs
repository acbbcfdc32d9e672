//! Runs the real `signet` and compares what it says with `tests/transcripts/*.trycmd`.
//! `TRYCMD=overwrite` writes down what it says now. It needs no cluster: `transcripts/api.rs` answers in its place.

#[path = "transcripts/api.rs"]
mod api;
#[path = "transcripts/completeness.rs"]
mod completeness;

use std::path::{Path, PathBuf};

const SIGNET: &str = env!("CARGO_BIN_EXE_signet");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/transcripts")
}

#[test]
fn the_transcripts_are_what_signet_says() {
    let api = api::Api::start(&folder());
    let programs = Path::new(SIGNET)
        .parent()
        .expect("a program is in a folder");
    let links = tempfile::tempdir().expect("a folder");
    let kubeseal = links.path().join("kubeseal");
    std::os::unix::fs::symlink(SIGNET, &kubeseal).expect("linked");
    let path = std::env::var("PATH").unwrap_or_default();
    trycmd::TestCases::new()
        .env(
            "PATH",
            format!("{}:{}:{path}", programs.display(), links.path().display()),
        )
        .env("KUBECONFIG", api.kubeconfig().display().to_string())
        .env("API", api.url())
        .env("SIGNET_CERT", "")
        .env("COLUMNS", "100")
        .env("LC_ALL", "C.UTF-8")
        .register_bin("signet", Path::new(SIGNET))
        .register_bin("kubeseal", kubeseal.as_path())
        .register_bin("sh", Path::new("/bin/sh"))
        .insert_var("[API]", api.url())
        .expect("a well-formed variable")
        .insert_var("[KUBESEAL]", kubeseal.display().to_string())
        .expect("a well-formed variable")
        .case(folder().join("*.trycmd"))
        .case(folder().join("kubeseal/*.trycmd"))
        .run();
}
