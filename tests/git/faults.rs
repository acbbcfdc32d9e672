//! Servers that refuse, hang, break off and answer nonsense: each is named, none is quoted, all is well again by itself.

use std::time::Duration;

use controller::git::MirrorOptions;

use crate::bench::{Bench, message, open};

#[tokio::test]
async fn what_a_server_does_wrong_is_named_and_its_words_are_not_repeated() {
    let bench = Bench::with(MirrorOptions {
        timeout: Duration::from_secs(1),
        ..MirrorOptions::default()
    });
    bench.origin("half/a").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    for (path, problem) in [
        ("/none.git", "repository not found"),
        ("/status/403/a.git", "access denied"),
        ("/status/503/a.git", "unreachable: HTTP status 503"),
        ("/status/429/a.git", "unreachable: HTTP status 429"),
        ("/status/418/a.git", "not a Git server: HTTP status 418"),
        (
            "/page/a.git",
            "not a Git server: it does not speak Git's smart protocol",
        ),
        ("/half/a.git", "authentication required"),
        ("/hang/a.git", "no answer within 1 s"),
        ("/drip/a.git", "no answer within 1 s"),
    ] {
        let url = format!("{}{path}", server.url);
        assert_eq!(
            message(bench.latest(&open(&url), "main").await),
            format!("{url}: {problem}")
        );
    }
    let refused = "http://127.0.0.1:1/a.git";
    let text = message(bench.latest(&open(&refused), "main").await);
    assert!(
        text.starts_with("http://127.0.0.1:1/a.git: unreachable: ") && text.contains("refused"),
        "{text}"
    );
}
