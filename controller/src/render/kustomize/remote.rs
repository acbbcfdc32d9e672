//! Which repository, revision and directory a base by URL means, as kustomize reads such a URL. It fetches nothing.

use reqwest::Url;

use crate::{git::redacted, render::RemoteBase};

/// Servers' word for where the repositories of a project begin.
const AZURE: &str = "_git/";
const SUFFIX: &str = ".git";
const SCHEMES: [&str; 4] = ["ssh://", "https://", "http://", "file://"];
/// How many parts of a path are a repository's where nothing tells: an owner and a name.
const REPOSITORY: usize = 2;

/// A base and its directory there; none where the text is no such URL.
pub(super) fn parse(reference: &str) -> Option<(RemoteBase, String)> {
    if reference.starts_with('/') {
        return None;
    }
    let (location, query) = reference.split_once('?').unwrap_or((reference, ""));
    let (server, path) = server(location)?;
    let (repository, directory) = split(path, server == "file://")?;
    if repository.is_empty() || leaves(directory) {
        return None;
    }
    let base = RemoteBase {
        url: format!("{server}{repository}"),
        revision: revision(query),
    };
    let parts = directory.split('/').filter(|part| !part.is_empty());
    Some((base, parts.collect::<Vec<_>>().join("/")))
}

/// Whether the text is a URL, whatever lies there.
pub(super) fn is_url(reference: &str) -> bool {
    reference.contains("://") || parse(reference).is_some()
}

/// Whether the URL is that of one file, which has no revision.
pub(super) fn is_file(directory: &str) -> bool {
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|ending| directory.ends_with(ending))
}

/// Everything up to the path of the repository, and the rest. Without a scheme it is a login and a host before a colon;
/// GitHub needs neither.
fn server(location: &str) -> Option<(String, &str)> {
    let location = without(location, "git::").unwrap_or(location);
    let scheme = SCHEMES
        .into_iter()
        .find_map(|scheme| Some((scheme, without(location, scheme)?)));
    let (scheme, rest) = scheme.unwrap_or(("", location));
    if scheme == "file://" {
        return Some((scheme.to_owned(), rest));
    }
    let (login, rest) = login(rest);
    let is_github = ["github.com/", "github.com:"]
        .iter()
        .any(|host| without(rest, host).is_some());
    let is_short = scheme.is_empty() && (!login.is_empty() || is_github);
    if scheme.is_empty() && !is_short {
        return None;
    }
    let slash = rest.find('/');
    let colon = rest.find(':').filter(|at| is_short && *at > 0);
    let end = match (slash, colon) {
        (Some(slash), Some(colon)) => slash.min(colon),
        (slash, colon) => slash.or(colon)?,
    };
    let (host, path) = rest.split_at(end + 1);
    let server = match is_github {
        true if scheme == "ssh://" || !login.is_empty() => format!("{login}github.com:"),
        true => "https://github.com/".to_owned(),
        false => format!("{scheme}{login}{host}"),
    };
    Some((server, path))
}

/// `git@` and the like, which may be empty, and what follows it.
fn login(text: &str) -> (&str, &str) {
    let plain = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    match text.find('@') {
        Some(at) if plain(&text[..at]) => text.split_at(at + 1),
        _ => ("", text),
    }
}

/// The path of the repository, and that of the directory in it.
fn split(path: &str, whole: bool) -> Option<(&str, &str)> {
    if let Some(at) = path.find(AZURE) {
        let name = at + AZURE.len();
        let end = path[name..].find('/').map_or(path.len(), |end| name + end);
        return Some(path.split_at(end));
    }
    if let Some((repository, directory)) = path.split_once("//") {
        return Some((repository, directory));
    }
    if let Some(at) = path.find(SUFFIX) {
        return Some(path.split_at(at + SUFFIX.len()));
    }
    if whole {
        return Some((path, ""));
    }
    let mut slashes = path.match_indices('/').map(|(at, _)| at);
    match slashes.nth(REPOSITORY - 1) {
        Some(at) => Some(path.split_at(at)),
        None => (path.split('/').count() >= REPOSITORY).then_some((path, "")),
    }
}

fn leaves(directory: &str) -> bool {
    let mut depth = 0_usize;
    directory.split('/').any(|part| match part {
        "" | "." => false,
        ".." if depth == 0 => true,
        ".." => {
            depth -= 1;
            false
        }
        _ => {
            depth += 1;
            false
        }
    })
}

/// `ref`, else `version`; none is the server's `HEAD`.
fn revision(query: &str) -> String {
    let Ok(query) = Url::parse(&format!("https://server/?{query}")) else {
        return String::new();
    };
    let value = |name: &str| {
        let mut pairs = query.query_pairs();
        let found = pairs.find(|(key, value)| key == name && !value.is_empty());
        found.map(|(_, value)| value.into_owned())
    };
    value("ref")
        .or_else(|| value("version"))
        .unwrap_or_default()
}

/// What follows `prefix`, in whatever letters.
fn without<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

impl RemoteBase {
    /// The repository, fit to be told.
    pub(super) fn shown(&self) -> String {
        redacted(&self.url)
    }

    /// A file of it, as a kustomization would name it.
    pub(super) fn at(&self, path: &str) -> String {
        let url = self.shown();
        match self.revision.as_str() {
            "" => format!("{url}//{path}"),
            revision => format!("{url}//{path}?ref={revision}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_as_kustomize_reads_it() {
        const HUB: &str = "https://github.com/org/repo";
        for (reference, url, directory, revision) in [
            ("https://github.com/org/repo", HUB, "", ""),
            ("https://github.com/org/repo//a/b?ref=v1", HUB, "a/b", "v1"),
            (
                "https://github.com/org/repo/a/b/?version=v2",
                HUB,
                "a/b",
                "v2",
            ),
            ("github.com/org/repo/a?version=v1&ref=v2", HUB, "a", "v2"),
            ("git::https://GitHub.com/org/repo?ref=a%2Fb", HUB, "", "a/b"),
            (
                "https://github.com/org/repo.git/a",
                "https://github.com/org/repo.git",
                "a",
                "",
            ),
            (
                "git@github.com:org/repo//a",
                "git@github.com:org/repo",
                "a",
                "",
            ),
            (
                "ssh://git@github.com/org/repo",
                "git@github.com:org/repo",
                "",
                "",
            ),
            (
                "git@git.example.com:team/sub/repo.git//a",
                "git@git.example.com:team/sub/repo.git",
                "a",
                "",
            ),
            (
                "ssh://git@git.example.com:2222/team/repo/a",
                "ssh://git@git.example.com:2222/team/repo",
                "a",
                "",
            ),
            (
                "https://git.example.com/team/sub/repo//a?ref=main&submodules=false",
                "https://git.example.com/team/sub/repo",
                "a",
                "main",
            ),
            (
                "https://me@dev.azure.com/org/project/_git/repo/a/b",
                "https://me@dev.azure.com/org/project/_git/repo",
                "a/b",
                "",
            ),
            ("file:///srv/repo.git//a", "file:///srv/repo.git", "a", ""),
            ("file:///srv/repo?ref=v1", "file:///srv/repo", "", "v1"),
        ] {
            let (url, revision) = (url.to_owned(), revision.to_owned());
            let expected = Some((RemoteBase { url, revision }, directory.to_owned()));
            assert_eq!(parse(reference), expected, "{reference}");
        }
    }

    #[test]
    fn paths_and_what_leaves_its_repository_are_no_bases() {
        for reference in [
            "../base",
            "base",
            "/srv/repo",
            "gitlab.com/org/repo",
            "github.com/org",
            "https://git.example.com/repo",
            "https://git.example.com",
            "https://github.com/org/repo//../../etc",
            "web@2.yaml",
            "",
        ] {
            assert_eq!(parse(reference), None, "{reference}");
        }
        assert!(is_url("https://git.example.com/base.yaml") && !is_url("web@2.yaml"));
        assert!(is_file("manifests/install.yaml") && !is_file("manifests"));
    }
}
