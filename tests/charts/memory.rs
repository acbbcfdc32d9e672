//! What an index costs: the largest public ones have some 45 MB, and a controller has better uses for its memory.

use controller::git::Freshness;

use crate::{
    bench::{Bench, anybody},
    http_server::{HttpServer, Reply},
    packed::gzip,
};

/// Where the process that reads finds the server.
const SERVER: &str = "SIGNET_TEST_LARGE_INDEX";
const CHARTS: usize = 130;
const VERSIONS: usize = 300;
const INDEX_BYTES: usize = 44_000_000;
const PEAK_BYTES: usize = 64 << 20;

/// An index of [`INDEX_BYTES`], each version with all that Helm writes.
fn large_index() -> String {
    let count = CHARTS * VERSIONS;
    let mut text = String::from("apiVersion: v1\nentries:\n");
    for chart in 0..CHARTS {
        text += &format!("  chart-{chart}:\n");
        for version in 0..VERSIONS {
            let entry = format!(
                "  - annotations:\n      category: Infrastructure\n    apiVersion: v2\n    appVersion: 1.{version}.0\n    \
                 created: \"2024-05-01T12:00:00.000000001Z\"\n    dependencies:\n    - name: common\n      repository: \
                 oci://registry.example/charts\n      version: 2.x.x\n    digest: {:064x}\n    home: https://example.org\n    \
                 keywords:\n    - web\n    - proxy\n    maintainers:\n    - name: jo\n      url: https://example.org/jo\n    \
                 name: chart-{chart}\n    urls:\n    - https://charts.example.org/stable/archives/chart-{chart}-1.{version}.0.tgz\n    \
                 version: 1.{version}.0\n",
                chart * VERSIONS + version
            );
            text += &entry;
            let share = (chart * VERSIONS + version + 1) * (INDEX_BYTES - 100) / count;
            let missing = share.saturating_sub(text.len() + "    description: \n".len());
            text += &format!("    description: {}\n", "word ".repeat(missing / 5));
        }
    }
    text
}

#[test]
fn an_index_of_44_mb_costs_no_more_than_64_mb() {
    let text = large_index();
    assert!(
        (42_000_000..46_000_000).contains(&text.len()),
        "{}",
        text.len()
    );
    let packed = gzip(text.as_bytes());
    let server = HttpServer::start(move |request| match request.target.as_str() {
        "/packed/index.yaml" => Reply::with(
            packed.clone(),
            vec![("Content-Encoding", "gzip".to_owned())],
        ),
        _ => Reply::ok(text.clone()),
    });
    for path in ["plain", "packed"] {
        let reading = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "memory::in_a_process_of_its_own"])
            .env(SERVER, format!("{}/{path}", server.url))
            .output()
            .unwrap();
        assert!(
            reading.status.success(),
            "{}",
            String::from_utf8_lossy(&reading.stdout)
        );
        assert_eq!(server.requests(path), 1);
    }
}

#[tokio::test]
#[ignore = "an_index_of_44_mb_costs_no_more_than_64_mb runs it"]
async fn in_a_process_of_its_own() {
    let url = std::env::var(SERVER).unwrap();
    let bench = Bench::new();
    for chart in 0..CHARTS {
        let chart = format!("chart-{chart}");
        let newest = bench
            .charts
            .resolve(&url, &anybody(), &chart, "", Freshness::Cached)
            .await;
        assert_eq!(newest.unwrap(), format!("1.{}.0", VERSIONS - 1));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kilobytes: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes * 1024 <= PEAK_BYTES, "{kilobytes} KiB");
}
