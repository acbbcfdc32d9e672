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
    let text = message(bench.latest(&open(refused), "main").await);
    assert!(
        text.starts_with("http://127.0.0.1:1/a.git: unreachable: ") && text.contains("refused"),
        "{text}"
    );
}

#[tokio::test]
async fn a_pack_that_is_cut_off_is_an_error_and_the_next_whole_one_is_read() {
    let bench = Bench::new();
    let origin = bench.origin("cut/app");
    // Random enough that the pack is larger than all that surrounds it.
    let noise: String = (0..20_000_u32)
        .map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    origin.commit(&[("a.yaml", "x"), ("noise", &noise)]);
    let server = bench.serve();
    let cut = open(&server.url_of("cut/app"));
    let error = bench
        .read(&cut, &origin.git(&["rev-parse", "HEAD"]), "a.yaml")
        .await;
    let url = &cut.url;
    assert_eq!(
        message(error),
        format!("{url}: unreachable: the server broke off its answer")
    );
    std::os::unix::fs::symlink(bench.root.join("cut/app.git"), bench.root.join("app.git")).unwrap();
    let whole = open(&server.url_of("app"));
    assert_eq!(bench.read(&whole, "main", "a.yaml").await.unwrap(), "x");
}

#[tokio::test]
async fn a_repository_that_goes_is_named_and_read_again_once_it_is_back() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    origin.commit(&[("a.yaml", "one")]);
    let server = bench.serve();
    let repository = open(&server.url_of("app"));
    assert_eq!(
        bench.read(&repository, "main", "a.yaml").await.unwrap(),
        "one"
    );
    let away = origin.bare.with_extension("away");
    std::fs::rename(&origin.bare, &away).unwrap();
    let gone = format!("{}: repository not found", repository.url);
    assert_eq!(message(bench.latest(&repository, "main").await), gone);
    std::fs::rename(&away, &origin.bare).unwrap();
    origin.commit(&[("a.yaml", "two")]);
    assert_eq!(
        bench.read(&repository, "main", "a.yaml").await.unwrap(),
        "two"
    );
}

#[tokio::test]
async fn a_volume_that_can_not_be_written_is_named_and_used_again_once_it_can() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    origin.commit(&[("a.yaml", "one")]);
    let server = bench.serve();
    let repository = open(&server.url_of("app"));
    let commit = origin.git(&["rev-parse", "HEAD"]);
    let data = bench.root.with_file_name("data");
    let aside = bench.root.with_file_name("aside");
    // Root may write where nobody may; a folder that is gone stops everybody.
    std::fs::rename(&data, &aside).unwrap();
    let error = message(bench.read(&repository, &commit, "a.yaml").await);
    assert!(
        error.starts_with(&format!(
            "{}: the mirror below --data-dir can not be used: ",
            repository.url
        )),
        "{error}"
    );
    std::fs::rename(&aside, &data).unwrap();
    assert_eq!(
        bench.read(&repository, &commit, "a.yaml").await.unwrap(),
        "one"
    );
}
