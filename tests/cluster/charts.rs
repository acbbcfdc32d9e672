//! Charts that the real helm packed, indexed and pushed to a real registry: we find and read them as helm does.
//! Needs no cluster, but the programs of the testbed.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "../testbed/harness/http_server.rs"]
mod http_server;

use std::{fs, path::Path, process::Command};

use controller::{
    charts::{ChartError, ChartOptions, Charts, Fetch},
    git::Freshness,
    repositories::Access,
};
use harness::{Registry, run};
use http_server::{HttpServer, Reply};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// None begins with `v`: helm overlooks such tags in a registry, Argo CD and we do not.
const VERSIONS: [&str; 6] = [
    "0.1.0",
    "0.2.0",
    "0.2.1+build.5",
    "0.10.0",
    "1.0.0-rc.1",
    "1.0.0-rc.10",
];
/// What `targetRevision` may say; what helm takes for a range as well.
const RANGES: [&str; 12] = [
    "",
    "*",
    "~0.1",
    "0.2.x",
    ">=0.1.0 <0.3",
    "^0.2.1-0",
    ">0-0",
    "0.1.0",
    "0.2 - 0.3",
    "!=0.10.0",
    "<0.2 || >0.9",
    "1.x",
];

/// Packages of a chart with a template, a file with a long name and a dependency, one for each version.
fn packages() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    helm(&["create", &shown(&root.join("demo"))]);
    helm(&["create", &shown(&root.join("demo/charts/part"))]);
    let long = format!("templates/{}.yaml", "x".repeat(150));
    fs::write(root.join("demo").join(long), "{}").unwrap();
    for version in VERSIONS {
        helm(&[
            "package",
            &shown(&root.join("demo")),
            "--version",
            version,
            "--destination",
            &shown(&root.join("packages")),
        ]);
    }
    directory
}

#[track_caller]
fn helm(args: &[&str]) -> String {
    run(Command::new("helm").args(args), None).success()
}

/// The version that helm takes a range for; `None` when it finds none.
fn helms_choice(args: &[&str], range: &str) -> Option<String> {
    let mut all = vec!["show", "chart", "--plain-http"];
    all.extend(args);
    if !range.is_empty() {
        all.extend(["--version", range]);
    }
    let output = Command::new("helm").args(all).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let version = text.lines().find_map(|line| line.strip_prefix("version: "));
    version.map(|version| version.trim_matches(['"', '\'']).to_owned())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Of a server on this machine without TLS.
fn access() -> Access {
    Access {
        plain_http: true,
        allow_local_addresses: true,
        ..Access::default()
    }
}

async fn our_choice(charts: &Charts, url: &str, range: &str) -> Option<String> {
    let chosen = charts
        .resolve(url, &access(), "demo", range, Freshness::Cached)
        .await;
    match chosen {
        Ok(version) => Some(version),
        Err(ChartError::VersionNotFound { .. }) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// Each version as we fetch it is the package that helm made, and unpacks to the files in it, which helm renders.
async fn fetched_are_the_packages(charts: &Charts, url: &str, root: &Path) {
    for version in VERSIONS {
        let package = root.join(format!("packages/demo-{version}.tgz"));
        let fetched = charts
            .fetch(url, &access(), "demo", version, Fetch::default())
            .await
            .unwrap();
        let digest = Sha256::digest(fs::read(&package).unwrap());
        assert_eq!(
            fetched.digest,
            digest
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        );
        assert_eq!(
            (fetched.name.as_str(), fetched.version.as_str()),
            ("demo", version)
        );

        let directory = tempfile::tempdir().unwrap();
        let ours = fetched.unpack(directory.path()).unwrap();
        let theirs = directory.path().join("tar");
        fs::create_dir(&theirs).unwrap();
        let mut tar = Command::new("tar");
        tar.args(["--extract", "--file"]).arg(&package);
        run(tar.arg("--directory").arg(&theirs), None).success();
        run(
            Command::new("diff")
                .arg("--recursive")
                .args([&ours, &theirs.join("demo")]),
            None,
        )
        .success();
        helm(&["template", &shown(&ours)]);
    }
}

#[tokio::test]
async fn an_index_that_helm_wrote_means_what_it_means_to_helm() {
    let packages = packages();
    let root = packages.path().to_owned();
    helm(&["repo", "index", &shown(&root.join("packages"))]);
    let served = root.join("packages");
    let server = HttpServer::start(move |request| {
        match fs::read(served.join(request.target[1..].replace("%2B", "+"))) {
            Ok(content) => Reply::ok(content),
            Err(_) => Reply::status(404),
        }
    });
    let charts = Charts::new(ChartOptions::default());
    for range in RANGES {
        let theirs = helms_choice(&["demo", "--repo", &server.url], range);
        assert_eq!(
            our_choice(&charts, &server.url, range).await,
            theirs,
            "{range}"
        );
    }
    fetched_are_the_packages(&charts, &server.url, &root).await;
}

#[tokio::test]
async fn a_chart_that_helm_pushed_is_pulled_as_helm_pulls_it() {
    let packages = packages();
    let root = packages.path();
    let registry = Registry::start();
    let url = format!("oci://localhost:{}/charts", registry.port);
    for version in VERSIONS {
        let package = root.join(format!("packages/demo-{version}.tgz"));
        helm(&["push", &shown(&package), &url, "--plain-http"]);
    }
    let charts = Charts::new(ChartOptions::default());
    for range in RANGES {
        let theirs = helms_choice(&[&format!("{url}/demo")], range);
        assert_eq!(our_choice(&charts, &url, range).await, theirs, "{range}");
    }
    fetched_are_the_packages(&charts, &url, root).await;
}
