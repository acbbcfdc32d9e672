//! Submodules over HTTP, from the real `git`: which are fetched, with whose login, and what can't be followed.

use controller::{
    git::{Fetched, GitError, MirrorOptions, Repository, Submodule, Tree},
    repositories::Known,
};

use crate::bench::{Bench, labelled, message, open, reached, secret};

/// What a source at a commit reads, with all submodules that it turns out to lack.
struct Reader<'a> {
    bench: &'a Bench,
    source: Repository,
    known: Known,
}

impl<'a> Reader<'a> {
    /// Of the repository at `url`, for somebody to whom local addresses are open.
    fn new(bench: &'a Bench, url: &str) -> Self {
        let server = url.split('/').take(3).collect::<Vec<_>>().join("/");
        Self {
            bench,
            source: open(url),
            known: Known {
                secrets: vec![labelled("repo-creds", &server, &[])],
                ..Known::default()
            },
        }
    }

    async fn fetch(&self, submodule: &Submodule) -> Result<Fetched, GitError> {
        let mirrors = &self.bench.mirrors;
        mirrors.learn(self.known.clone());
        let repository = mirrors.submodule_repository(submodule, "default").await?;
        mirrors.submodule(submodule, &repository).await
    }

    async fn read<T>(
        &self,
        commit: &str,
        path: &str,
        read: impl Fn(&Tree) -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        let (mirrors, commit) = (&self.bench.mirrors, commit.parse().unwrap());
        let mut submodules = Vec::new();
        loop {
            let tree = mirrors.tree_with(&self.source, &commit, path, &submodules);
            match tree.await.and_then(|tree| read(&tree)) {
                Err(GitError::Lacks(submodule)) => submodules.push(self.fetch(&submodule).await?),
                done => return done,
            }
        }
    }

    /// Paths and contents of all files below `path`.
    async fn files(&self, commit: &str, path: &str) -> Result<Vec<String>, GitError> {
        let files = |tree: &Tree| {
            let entries = tree.entries(true)?;
            let shown = entries.iter().map(|entry| {
                let content = String::from_utf8(tree.read(entry)?).unwrap();
                Ok(format!("{} {content}", entry.path))
            });
            shown
                .filter(|shown| !matches!(shown, Ok(shown) if shown.contains(".gitmodules ")))
                .collect()
        };
        self.read(commit, path, files).await
    }
}

#[tokio::test]
async fn files_of_submodules_stand_among_those_of_the_commit_and_only_what_is_read_is_fetched() {
    let bench = Bench::new();
    let (deep, lib) = (bench.origin("team/deep"), bench.origin("team/lib"));
    let deepest = deep.commit(&[("d.yaml", "deep")]);
    lib.submodule("in/deep", "../deep.git", &deepest);
    let pinned = lib.commit(&[("b.yaml", "pinned"), ("c/d.yaml", "c")]);
    lib.commit(&[("b.yaml", "newer")]);
    let app = bench.origin("team/app");
    app.submodule("vendor/lib", "../lib.git", &pinned);
    app.submodule("unused", "https://git.invalid/gone", &pinned);
    let commit = app.commit(&[("a.yaml", "a"), ("vendor/own.yaml", "own")]);
    let server = bench.serve();
    let reader = Reader::new(&bench, &format!("{}/team/app.git", server.url));

    let all = [
        "lib/b.yaml pinned",
        "lib/c/d.yaml c",
        "lib/in/deep/d.yaml deep",
        "own.yaml own",
    ];
    assert_eq!(reader.files(&commit, "vendor").await.unwrap(), all);
    assert_eq!(
        reader.files(&commit, "vendor/lib/c").await.unwrap(),
        ["d.yaml c"]
    );
    let deepest = reader.files(&commit, "vendor/lib/in/deep").await;
    assert_eq!(deepest.unwrap(), ["d.yaml deep"]);
    // Twice asked, once fetched, and nobody listed its branches.
    assert_eq!(server.requests("GET /team/lib.git"), 1);
    let top = reader.read(&commit, "", |tree| tree.entries(false)).await;
    assert_eq!(top.unwrap().len(), 2);
    let whole = reader.read(&commit, "", Tree::whole).await;
    let whole = message(whole);
    assert!(
        whole.contains("https://git.invalid/gone: unreachable"),
        "{whole}"
    );
}

#[tokio::test]
async fn links_lead_from_one_repository_into_the_other_and_not_out_of_both() {
    let bench = Bench::new();
    let (lib, app) = (bench.origin("lib"), bench.origin("app"));
    for (link, target) in [("up.yaml", "../../a.yaml"), ("out.yaml", "../../../x")] {
        std::os::unix::fs::symlink(target, lib.work.join(link)).unwrap();
    }
    let pinned = lib.commit(&[("b.yaml", "b")]);
    app.submodule("vendor/lib", "../lib.git", &pinned);
    std::os::unix::fs::symlink("vendor/lib/b.yaml", app.work.join("link.yaml")).unwrap();
    let commit = app.commit(&[("a.yaml", "a")]);
    let server = bench.serve();
    let reader = Reader::new(&bench, &server.url_of("app"));
    for (path, expected) in [
        ("link.yaml", "File vendor/lib/b.yaml"),
        ("vendor/lib/up.yaml", "File a.yaml"),
        ("vendor/lib/out.yaml", "Outside"),
        ("vendor/lib/none.yaml", "Missing"),
    ] {
        let found = reader.read(&commit, "", |tree| tree.look_up(path)).await;
        let found = match found.unwrap().0 {
            controller::git::Found::File(file) => format!("File {}", file.path),
            other => format!("{other:?}"),
        };
        assert_eq!(found, expected, "{path}");
    }
}

#[tokio::test]
async fn each_submodule_is_fetched_with_the_login_for_its_own_url() {
    let bench = Bench::new();
    let lib = bench.origin("private/lib");
    let pinned = lib.commit(&[("b.yaml", "b")]);
    let app = bench.origin("private/app");
    let server = bench.serve();
    let url = format!("{}/private/lib.git", server.url);
    app.submodule("lib", "../lib.git", &pinned);
    let commit = app.commit(&[("a.yaml", "a")]);
    let mut reader = Reader::new(&bench, &format!("{}/private/app.git", server.url));

    let login = [("username", "signet"), ("password", "testbed")];
    let own = secret(reader.source.url.as_str(), &login);
    reader.known.secrets.push(own);
    reader.source = reached(&reader.known, reader.source.url.as_str()).unwrap();
    let refused = message(reader.files(&commit, "").await);
    assert_eq!(refused, format!("{url}: authentication required"));
    assert_eq!(
        server.requests("lib.git/info/refs?service=git-upload-pack +auth"),
        0
    );

    let mut changes = bench.mirrors.changed();
    reader.known.secrets.push(secret(&url, &login));
    let files = reader.files(&commit, "").await.unwrap();
    assert_eq!(files, ["a.yaml a", "lib/b.yaml b"]);
    let news = changes.recv().await.unwrap();
    let readers = bench.mirrors.readers(&news);
    assert_eq!(readers.into_iter().collect::<Vec<_>>(), [reader.source.url]);
}

#[tokio::test]
async fn the_login_of_a_repository_goes_to_no_other_server() {
    let bench = Bench::new();
    let pinned = bench.origin("private/lib").commit(&[("b.yaml", "b")]);
    let app = bench.origin("private/app");
    let (server, other) = (bench.serve(), bench.serve());
    let url = format!("{}/private/lib.git", other.url);
    app.submodule("lib", &url, &pinned);
    let commit = app.commit(&[("a.yaml", "a")]);
    let mut reader = Reader::new(&bench, &format!("{}/private/app.git", server.url));
    let login = [("username", "signet"), ("password", "testbed")];
    let both = [(&server, &login[..]), (&other, &[])];
    let both = both.map(|(server, login)| labelled("repo-creds", &server.url, login));
    reader.known.secrets = both.into();
    reader.source = reached(&reader.known, reader.source.url.as_str()).unwrap();
    let refused = message(reader.files(&commit, "").await);
    assert_eq!(refused, format!("{url}: authentication required"));
    assert_eq!(other.requests("+auth"), 0);
}

#[tokio::test]
async fn what_can_not_be_followed_is_refused_with_path_and_reason() {
    let bench = Bench::new();
    let lib = bench.origin("lib");
    let pinned = lib.commit(&[("b.yaml", "b")]);
    let server = bench.serve();
    let gone = "1".repeat(40);
    let local = lib.file_url();
    let at = |name: &str, of: &dyn Fn(&crate::repository::Origin)| {
        let app = bench.origin(name);
        of(&app);
        (server.url_of(name), app.commit(&[("a.yaml", "a")]))
    };
    let with =
        |name: &str, url: &str, commit: &str| at(name, &|app| app.submodule("lib", url, commit));
    let linked = bench.origin("linked");
    let modules = "[submodule \"lib\"]\n\tpath = lib\n\turl = ../lib.git\n";
    linked.commit(&[("modules", modules), ("name", "modules")]);
    let blob = |name: &str| linked.git(&["rev-parse", &format!("HEAD:{name}")]);
    let linked = linked.commit_by_hand(&format!(
        "120000 blob {}\t.gitmodules\n160000 commit {pinned}\tlib\n100644 blob {}\tmodules\n",
        blob("name"),
        blob("modules"),
    ));
    let linked = (server.url_of("linked"), linked);
    let through_a_link = at("through", &|app| {
        app.submodule("link/lib", "../lib.git", &pinned);
        app.git(&["rm", "-q", "--cached", "link/lib"]);
        std::fs::remove_dir_all(app.work.join("link")).unwrap();
        std::os::unix::fs::symlink("real", app.work.join("link")).unwrap();
        app.gitlink("real/lib", &pinned);
    });
    for ((url, commit), expected) in [
        (
            with("option", "--upload-pack=x", &pinned),
            "AT: submodule \"lib\" has no usable URL: ",
        ),
        (
            with("shell", "ext::sh -c id", &pinned),
            "AT: submodule \"lib\" has no usable URL: ",
        ),
        (
            with("opening", "-u@host:x", &pinned),
            "AT: submodule \"lib\" has no usable URL: ",
        ),
        (
            with("leaving", "../../../git.invalid/x", &pinned),
            "AT: submodule \"lib\" has a URL that leaves the server",
        ),
        (
            with("local", &local, &pinned),
            "AT: submodule \"lib\" is a file repository, expected one on a server",
        ),
        (
            with("gone", "../lib.git", &gone),
            &format!(
                "{}: the server does not give commit {gone}",
                server.url_of("lib")
            ),
        ),
        (
            with("nowhere", "../none.git", &pinned),
            &format!("{}: repository not found", server.url_of("none")),
        ),
        (
            with("guarded", "http://169.254.169.254/lib", &pinned),
            "http://169.254.169.254/lib: 169.254.169.254 is a loopback or link-local address",
        ),
        (
            at("unnamed", &|app| app.gitlink("lib", &pinned)),
            "AT: submodule \"lib\" has no .gitmodules to name it",
        ),
        (
            linked,
            "AT: submodule \"lib\" has no .gitmodules to name it",
        ),
        (
            through_a_link,
            "AT: submodule \"real/lib\" has no URL in .gitmodules",
        ),
    ] {
        let reader = Reader::new(&bench, &url);
        let refused = message(reader.files(&commit, "").await);
        assert!(
            refused.starts_with(&expected.replace("AT", &url)),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_path_that_git_would_not_make_names_no_submodule() {
    let bench = Bench::new();
    let pinned = bench.origin("lib").commit(&[("b.yaml", "b")]);
    let app = bench.origin("app");
    app.submodule("lib", "../lib.git", &pinned);
    app.commit(&[("a.yaml", "a")]);
    let commit = app.commit_by_hand(&format!("160000 commit {pinned}\t..\n"));
    let server = bench.serve();
    let reader = Reader::new(&bench, &server.url_of("app"));
    let refused = message(reader.files(&commit, "").await);
    let url = server.url_of("app");
    assert_eq!(
        refused,
        format!("{url}: submodule \"..\" has no .gitmodules to name it")
    );
}

#[tokio::test]
async fn submodules_end_at_a_depth() {
    let bench = Bench::new();
    let mut below: Option<(String, String)> = None;
    for level in 0..12 {
        let origin = bench.origin(&format!("level{level}"));
        if let Some((name, commit)) = &below {
            origin.submodule("s", &format!("../{name}.git"), commit);
        }
        below = Some((format!("level{level}"), origin.commit(&[("a.yaml", "a")])));
    }
    let server = bench.serve();
    let (name, commit) = below.unwrap();
    let reader = Reader::new(&bench, &server.url_of(&name));
    let refused = message(reader.files(&commit, "").await);
    let path = ["s"; 11].join("/");
    let url = server.url_of(&name);
    assert_eq!(
        refused,
        format!("{url}: submodule {path:?} lies within 10 others")
    );
}

#[tokio::test]
async fn without_the_switch_a_submodule_is_refused_where_its_files_are_read() {
    let bench = Bench::with(MirrorOptions {
        submodules: false,
        ..MirrorOptions::default()
    });
    let pinned = bench.origin("lib").commit(&[("b.yaml", "b")]);
    let app = bench.origin("app");
    app.submodule("lib", "../lib.git", &pinned);
    let commit = app.commit(&[("a.yaml", "a"), ("plain/c.yaml", "c")]);
    let server = bench.serve();
    let reader = Reader::new(&bench, &server.url_of("app"));
    assert_eq!(reader.files(&commit, "plain").await.unwrap(), ["c.yaml c"]);
    let refused = message(reader.files(&commit, "").await);
    assert_eq!(
        refused,
        format!("{}: submodules are not fetched", server.url_of("lib"))
    );
}

#[tokio::test]
async fn a_submodule_that_is_there_already_is_taken_as_the_same_and_one_of_another_commit_is_none()
{
    let bench = Bench::new();
    let lib = bench.origin("lib");
    let pinned = lib.commit(&[("b.yaml", "b")]);
    let app = bench.origin("app");
    app.submodule("lib", "../lib.git", &pinned);
    let commit = app.commit(&[("a.yaml", "a")]);
    let next = app.commit(&[("a.yaml", "c")]);
    let server = bench.serve();
    let reader = Reader::new(&bench, &server.url_of("app"));
    let tree = async |commit: &str| {
        let (commit, mirrors) = (commit.parse().unwrap(), &bench.mirrors);
        mirrors.tree(&reader.source, &commit, "").await.unwrap()
    };
    let tree_at = tree(&commit).await;
    let Err(GitError::Lacks(submodule)) = tree_at.entries(true) else {
        panic!("it has no submodule yet");
    };
    let fetched = reader.fetch(&submodule).await.unwrap();
    let once = tree_at.with(&fetched).unwrap();
    let twice = once.with(&fetched).unwrap();
    assert_eq!(twice.entries(true), once.entries(true));
    let other = tree(&next).await.with(&fetched).unwrap();
    assert_eq!(other.submodules().len(), 0);
}

#[tokio::test]
async fn a_repository_stays_while_a_source_that_has_it_as_a_submodule_does() {
    let bench = Bench::new();
    let pinned = bench.origin("lib").commit(&[("b.yaml", "b")]);
    let app = bench.origin("app");
    app.submodule("lib", "../lib.git", &pinned);
    let commit = app.commit(&[("a.yaml", "a")]);
    let server = bench.serve();
    let reader = Reader::new(&bench, &server.url_of("app"));
    let fetches = || server.requests("GET /lib.git");
    for (in_use, expected) in [(true, 1), (false, 2)] {
        reader.files(&commit, "").await.unwrap();
        bench
            .mirrors
            .retain(|url| in_use && *url == reader.source.url);
        reader.files(&commit, "").await.unwrap();
        assert_eq!(fetches(), expected);
    }
}
