//! What registries do wrong: it is named, and their words are not repeated.

use crate::{
    bench::{Bench, anybody, message},
    http_server::{HttpServer, Reply},
    packed::{chart, sha256},
    registries::{CHART_CONFIG, manifest, url_of},
};

#[tokio::test]
async fn what_a_registry_does_wrong_is_named_and_its_words_are_not_repeated() {
    let bench = Bench::impatient();
    let server = HttpServer::start(|request| {
        let archive = chart("nginx", "1.0.0", "text");
        let (_, last) = request.target.rsplit_once('/').unwrap();
        match last.strip_prefix("1.0.0-").unwrap_or(last) {
            "hang" => Reply::Hang,
            "drip" => Reply::Drip(Vec::new()),
            "page" => Reply::ok("<html>hunter2</html>"),
            "moved" => Reply::redirect("http://127.0.0.1:1/".to_owned()),
            "loop" => Reply::redirect("1.0.0-loop".to_owned()),
            "lying" => Reply::with(
                manifest(CHART_CONFIG, &archive),
                vec![("Docker-Content-Digest", "sha256:00".to_owned())],
            ),
            "huge" => Reply::ok(vec![b' '; 5 << 20]),
            "replaced" => Reply::ok(manifest(CHART_CONFIG, b"good")),
            "gone" => Reply::ok(manifest(CHART_CONFIG, b"gone")),
            "list?n=1000" => Reply::ok("hunter2"),
            good if good.ends_with(&sha256(b"good")) => Reply::ok("evil"),
            status => Reply::status(status.parse().unwrap_or(404)),
        }
    });
    let url = url_of(&server);
    for (fault, problem) in [
        ("hang", "no answer within 1 s"),
        ("drip", "no answer within 5 s"),
        (
            "page",
            "not a Helm chart: its manifest is not one of an OCI image",
        ),
        ("moved", "the server redirects to another host"),
        ("loop", "the server redirects again and again"),
        (
            "lying",
            "the manifest has another SHA-256 digest than the repository lists",
        ),
        ("huge", "the manifest exceeds the limit of 4 MiB"),
        (
            "replaced",
            "the archive has another SHA-256 digest than the repository lists",
        ),
        (
            "gone",
            "the archive is not there, though the repository lists it",
        ),
        ("403", "access denied"),
        ("500", "unreachable: HTTP status 500"),
    ] {
        let version = format!("1.0.0-{fault}");
        let fetched = bench.fetch(&url, &anybody(), &version).await;
        assert_eq!(
            message(fetched),
            format!("{url}/nginx:{version}: {problem}")
        );
    }
    assert_eq!(
        message(bench.version(&url, &anybody(), "").await),
        format!("{url}/nginx: not an OCI registry: its list of tags is not understood")
    );
}
