use super::*;

fn url(text: &str) -> RepositoryUrl {
    RepositoryUrl::parse(text).unwrap()
}

fn parsed(text: &str) -> String {
    url(text).to_string()
}

fn refused(url: &str) -> String {
    RepositoryUrl::parse(url).unwrap_err().to_string()
}

#[test]
fn spellings_of_one_url_are_equal() {
    for url in [
        "https://Git.Example/a/b.git",
        "HTTPS://git.example:443/a/b.git/",
        " https://me@git.example/a/b.git ",
    ] {
        assert_eq!(parsed(url), "https://git.example/a/b.git");
    }
    assert_eq!(
        parsed("http://git.example:3000/A"),
        "http://git.example:3000/A"
    );
    assert_eq!(parsed("file:///srv/a.git/"), "file:///srv/a.git");
}

#[test]
fn both_spellings_over_ssh_are_read_as_git_reads_them() {
    for (text, shown, user, host, port, path) in [
        (
            "git@Git.example:a/b.git",
            "git@git.example:a/b.git",
            "git",
            "git.example",
            22,
            "a/b.git",
        ),
        (
            "ssh://me@git.example:22/a",
            "ssh://me@git.example/a",
            "me",
            "git.example",
            22,
            "/a",
        ),
        (
            "git+ssh://git.example:2222/a/",
            "ssh://git.example:2222/a",
            "git",
            "git.example",
            2222,
            "/a",
        ),
        (
            "ssh://git@[2001:db8::1]:7/~me/a",
            "ssh://git@[2001:db8::1]:7/~me/a",
            "git",
            "2001:db8::1",
            7,
            "~me/a",
        ),
        (
            "git@[2001:db8::1]:/a",
            "git@[2001:db8::1]:/a",
            "git",
            "2001:db8::1",
            22,
            "/a",
        ),
    ] {
        let found = url(text);
        assert_eq!(found.as_str(), shown);
        let target = SshTarget {
            user: user.to_owned(),
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        };
        assert_eq!(found.ssh(), Some(target), "{text}");
        assert_eq!(found.host(), host);
    }
    assert_eq!(url("https://git.example/a").ssh(), None);
}

#[test]
fn nothing_over_ssh_can_be_taken_for_an_option() {
    for (text, problem) in [
        ("ssh://-oProxyCommand=id/a", "its host is not a name"),
        ("git@-oProxyCommand:a", "its host is not a name"),
        ("ssh://-l@host/a", "its user is not a name"),
        ("-x@host:a", "its user is not a name"),
        ("ssh://a b@host/a", "it contains white space"),
        ("ssh://$(id)@host/a", "its user is not a name"),
        ("git@host:-upload", "its path begins with -"),
        ("ssh://git@host:x/a", "its port is not a number"),
        ("ssh://git@host:022/a", "its port is not a number"),
    ] {
        assert!(refused(text).ends_with(problem), "{}", refused(text));
    }
}

#[test]
fn a_password_in_a_url_is_refused_and_not_repeated() {
    assert_eq!(
        refused("https://me:hunter2@git.example/a"),
        "https://git.example/a: not a repository URL: it carries a password; put it into a repository Secret"
    );
    for url in [
        "https://me:hunter2/x@git.example/a",
        "ssh://me:hunter2@git.example/a",
        "me:hunter2@git.example",
        "https://me:hunter2@git.example",
    ] {
        assert!(!refused(url).contains("hunter2"), "{}", refused(url));
    }
}

#[test]
fn of_a_query_only_the_revision_is_told() {
    for (url, told) in [
        ("https://h/a.yaml?token=hunter2", "https://h/a.yaml"),
        ("https://h/a?token=hunter2&ref=v1", "https://h/a?ref=v1"),
        (
            "github.com/o/a//b?ref=v1&timeout=90s",
            "github.com/o/a//b?ref=v1",
        ),
        ("https://me:hunt?er2@h/a?version=1", "https://h/a?version=1"),
        ("https://h/a?ref=v1#hunter2", "https://h/a?ref=v1"),
        ("https://h/a#hunter2", "https://h/a"),
        ("https://h/a", "https://h/a"),
    ] {
        assert_eq!(redacted(url), told);
    }
}

#[test]
fn what_is_no_git_repository_is_refused() {
    assert_eq!(
        refused("oci://x/a"),
        "oci://x/a: not supported yet: repositories in an OCI registry"
    );
    for url in [
        "",
        "nonsense",
        "host:path",
        "https://",
        "https://host",
        "https:///path",
        "ftp://h/p",
        "https://h/p?q",
        "ssh://git@h/p?q",
        "git@h:p#q",
        "file://rel",
        "https://h/a b",
        "git@host:",
    ] {
        assert!(refused(url).contains("not a repository URL"), "{url}");
    }
}

#[test]
fn one_repository_has_several_spellings() {
    for (a, b, same) in [
        ("https://h/a.git", "https://h/a", true),
        ("https://h/a", "https://h/ab", false),
        ("http://h/a", "https://h/a", false),
        ("git@h:o/a.git", "ssh://git@h/o/a", true),
        ("git@h:o/a.git", "ssh://me@h/o/a", false),
        ("git@h:o/a", "https://h/o/a", false),
    ] {
        assert_eq!(url(a).same_repository(&url(b)), same, "{a} {b}");
    }
}

#[test]
fn a_prefix_ends_where_a_part_of_the_path_ends() {
    let below =
        |text: &str, prefix: &str| url(text).is_below(&RepositoryUrl::read(prefix, false).unwrap());
    for (text, prefix, expected) in [
        ("https://h/team/a", "https://h/team", true),
        ("https://h/team/a", "https://h/team/", true),
        ("https://h/team/a", "https://h", true),
        ("https://h/teams/a", "https://h/team", false),
        ("https://h.evil/a", "https://h", false),
        ("https://h:8443/a", "https://h", false),
        ("http://h/team/a", "https://h/team", false),
        ("git@h:team/a", "git@h:team", true),
        ("git@h:team/a", "ssh://git@h", true),
        ("git@h:teams/a", "git@h:team", false),
    ] {
        assert_eq!(below(text, prefix), expected, "{text} {prefix}");
    }
}

#[test]
fn charts_and_registries_need_no_path() {
    let of = |kind, text: &str| RepositoryUrl::parse_of(kind, text).map(|url| url.to_string());
    assert_eq!(
        of(RepositoryKind::Helm, "https://charts.example/").unwrap(),
        "https://charts.example"
    );
    for text in [
        "oci://r.example/charts",
        "r.example/charts",
        "OCI://R.example:443/charts/",
    ] {
        assert_eq!(
            of(RepositoryKind::Oci, text).unwrap(),
            "oci://r.example/charts"
        );
    }
}
