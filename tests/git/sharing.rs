//! What many share: listings, fetches, and the news that a repository moved.

use std::{sync::Arc, time::Duration};

use controller::git::{Freshness, MirrorOptions};

use crate::bench::{Bench, open};

#[tokio::test]
async fn a_hundred_applications_share_one_listing_and_one_fetch() {
    let bench = Bench::new();
    let sha = bench.origin("app").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    let repository = open(&format!("{}/app.git", server.url));
    let callers = (0..100).map(|_| {
        let (mirrors, repository) = (Arc::clone(&bench.mirrors), repository.clone());
        tokio::spawn(async move {
            let commit = mirrors
                .resolve(&repository, "main", Freshness::Cached)
                .await
                .unwrap();
            mirrors
                .tree(&repository, &commit, "")
                .await
                .unwrap()
                .commit()
                .to_string()
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        assert_eq!(caller.await.unwrap(), sha);
    }
    // One for the listing, and one for the fetch.
    assert_eq!(
        server.requests("GET /app.git/info/refs"),
        2,
        "{:?}",
        server.log()
    );
}

#[tokio::test]
async fn callers_who_want_the_latest_at_once_share_listings() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    let repository = open(&format!("{}/app.git", server.url));
    let callers = (0..100).map(|_| {
        let (mirrors, repository) = (Arc::clone(&bench.mirrors), repository.clone());
        tokio::spawn(async move {
            mirrors
                .resolve(&repository, "main", Freshness::Latest)
                .await
                .unwrap()
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let listings = server.requests("GET /app.git/info/refs");
    assert!(
        listings <= 2,
        "who asked while the first listing ran needs a newer one, and shares it: {listings}"
    );
}

#[tokio::test]
async fn polling_tells_which_repository_moved() {
    let options = MirrorOptions {
        allow_file: true,
        poll_interval: Duration::from_millis(50),
        poll_jitter: Duration::from_millis(10),
        ..MirrorOptions::default()
    };
    let bench = Bench::with(options);
    let (still, moving) = (bench.origin("still"), bench.origin("moving"));
    let mut changed = bench.mirrors.changed();
    for origin in [&still, &moving] {
        origin.commit(&[("a.yaml", "one")]);
        bench
            .latest(&open(&origin.file_url()), "main")
            .await
            .unwrap();
    }
    let second = moving.commit(&[("a.yaml", "two")]);
    let polled = Arc::clone(&bench.mirrors);
    let polling = tokio::spawn(async move { controller::git::poll(&polled).await });
    assert_eq!(
        changed.recv().await.unwrap().url.as_str(),
        moving.file_url()
    );
    let repository = open(&moving.file_url());
    let cached = bench
        .mirrors
        .resolve(&repository, "main", Freshness::Cached)
        .await
        .unwrap();
    assert_eq!(cached.to_string(), second);
    polling.abort();
}

#[tokio::test]
async fn what_is_due_now_is_listed_at_once_though_nothing_is_polled() {
    let bench = Bench::with(MirrorOptions {
        poll_interval: Duration::ZERO,
        ..MirrorOptions::default()
    });
    let (told, quiet) = (bench.origin("told"), bench.origin("quiet"));
    let server = bench.serve();
    let url = |name: &str| format!("{}/{name}.git", server.url);
    for (name, origin) in [("told", &told), ("quiet", &quiet)] {
        origin.commit(&[("a.yaml", "one")]);
        bench.latest(&open(&url(name)), "main").await.unwrap();
    }
    let mut changed = bench.mirrors.changed();
    let polled = Arc::clone(&bench.mirrors);
    let polling = tokio::spawn(async move { controller::git::poll(&polled).await });
    for origin in [&told, &quiet] {
        origin.commit(&[("a.yaml", "two")]);
    }
    let due = || {
        let due = bench.mirrors.due_now(|known| known.as_str() == url("told"));
        due.into_iter()
            .map(|known| known.to_string())
            .collect::<Vec<_>>()
    };
    for _ in 0..100 {
        assert_eq!(due(), [url("told")]);
    }
    assert_eq!(changed.recv().await.unwrap().url.as_str(), url("told"));
    assert!(server.requests("GET /told.git/info/refs") <= 1 + 2);
    assert_eq!(server.requests("GET /quiet.git/info/refs"), 1);
    polling.abort();
}
