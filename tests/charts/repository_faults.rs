//! What Helm repositories do wrong: it is named, and their words are not repeated.

use crate::{
    bench::{Bench, anybody, message},
    http_server::{HttpServer, Reply},
    packed::{chart, entry, gzip, index, sha256},
};

#[tokio::test]
async fn what_a_repository_does_wrong_is_named_and_its_words_are_not_repeated() {
    let bench = Bench::impatient();
    let whole = index("nginx", &[entry("1.0.0", "a.tgz", "")]);
    let server =
        HttpServer::start(
            move |request| match request.target.split('/').nth(1).unwrap() {
                "hang" => Reply::Hang,
                "drip" => Reply::Drip(Vec::new()),
                "cut" => Reply::Cut(whole.clone().into_bytes()),
                "page" => Reply::ok("<html>hunter2</html>"),
                "binary" => Reply::ok(vec![0xff; 100]),
                "cut-gzip" => {
                    let packed = gzip(whole.as_bytes());
                    Reply::with(
                        &packed[..packed.len() / 2],
                        vec![("Content-Encoding", "gzip".to_owned())],
                    )
                }
                "no-gzip" => {
                    Reply::with(whole.clone(), vec![("Content-Encoding", "gzip".to_owned())])
                }
                "brotli" => Reply::with(whole.clone(), vec![("Content-Encoding", "br".to_owned())]),
                "bomb" => {
                    let blanks = "          \n".repeat(10_000);
                    let lines =
                        format!("apiVersion: v1\ndescription: |\n{blanks}x: y\n").into_bytes();
                    let packed = gzip(&lines);
                    Reply::with(
                        packed.repeat(1_000),
                        vec![("Content-Encoding", "gzip".to_owned())],
                    )
                }
                status => Reply::status(status.parse().unwrap()),
            },
        );
    for (path, problem) in [
        ("403", "access denied"),
        ("404", "no chart repository found"),
        ("503", "unreachable: HTTP status 503"),
        ("429", "unreachable: HTTP status 429"),
        ("418", "not a Helm repository: HTTP status 418"),
        ("304", "not a Helm repository: HTTP status 304"),
        ("hang", "no answer within 1 s"),
        ("drip", "no answer within 5 s"),
        ("cut", "unreachable: the answer broke off"),
        ("cut-gzip", "unreachable: the answer broke off"),
        (
            "no-gzip",
            "not a Helm repository: its index.yaml says that it is compressed with gzip, and is not",
        ),
        (
            "brotli",
            "not a Helm repository: its index.yaml is compressed, and not with gzip",
        ),
        (
            "page",
            "not a Helm repository: its index.yaml is no mapping",
        ),
        (
            "binary",
            "not a Helm repository: its index.yaml is not UTF-8 text",
        ),
    ] {
        let url = format!("{}/{path}", server.url);
        assert_eq!(
            message(bench.version(&url, &anybody(), "").await),
            format!("{url}: {problem}")
        );
    }
    let url = format!("{}/bomb", server.url);
    assert_eq!(
        message(bench.version(&url, &anybody(), "").await),
        format!("{url}: the index.yaml exceeds the limit of 100 MiB")
    );
    let refused = message(bench.version("http://127.0.0.1:1", &anybody(), "").await);
    assert!(
        refused.starts_with("http://127.0.0.1:1: unreachable: ") && refused.contains("refused"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_archive_that_is_not_what_the_index_lists_is_refused() {
    let bench = Bench::impatient();
    let good = sha256(&chart("nginx", "1.0.0", "good"));
    let server = HttpServer::start(move |request| match request.target.as_str() {
        "/index.yaml" => {
            let versions = [
                ("1.0.0", "replaced.tgz", good.as_str()),
                ("1.1.0", "gone.tgz", ""),
                ("1.2.0", "page.tgz", ""),
                ("1.3.0", "cut.tgz", ""),
                ("1.4.0", "a.tgz", "sha512:00"),
                ("1.5.0", "ftp://h/a.tgz", ""),
                ("1.6.0", "hang.tgz", ""),
                ("1.7.0", "forbidden.tgz", ""),
                ("1.8.0", "http://charts.invalid/a.tgz", ""),
                ("1.9.0", "large.tgz", ""),
            ];
            Reply::ok(index(
                "nginx",
                &versions.map(|(version, url, digest)| entry(version, url, digest)),
            ))
        }
        "/replaced.tgz" => Reply::ok(chart("nginx", "1.0.0", "evil")),
        "/page.tgz" => Reply::ok("<html>hunter2</html>"),
        "/cut.tgz" => Reply::Cut(chart("nginx", "1.0.0", "good")),
        "/hang.tgz" => Reply::Hang,
        "/forbidden.tgz" => Reply::status(403),
        "/large.tgz" => Reply::ok(vec![0; 21 << 20]),
        _ => Reply::status(404),
    });
    for (version, problem) in [
        (
            "1.0.0",
            "the archive has another SHA-256 digest than the repository lists",
        ),
        (
            "1.1.0",
            "the archive is not there, though the repository lists it",
        ),
        (
            "1.2.0",
            "not a Helm chart: its archive is no whole tar file compressed with gzip",
        ),
        ("1.3.0", "unreachable: the answer broke off"),
        (
            "1.4.0",
            "not supported: a digest in the index that is no SHA-256 digest",
        ),
        (
            "1.5.0",
            "not supported: an archive at a URL that is neither https nor oci",
        ),
        ("1.6.0", "no answer within 1 s"),
        ("1.7.0", "access denied"),
        (
            "1.8.0",
            "not supported: an archive over http without a digest in the index",
        ),
        ("1.9.0", "the archive exceeds the limit of 20 MiB"),
    ] {
        let fetched = bench.fetch(&server.url, &anybody(), version).await;
        assert_eq!(
            message(fetched),
            format!("{} nginx {version}: {problem}", server.url)
        );
    }
}
