//! Repository URLs: parsed, compared and shown. A user or password never gets past this file.

use super::GitError;

/// A repository URL without user, password or trailing slash; equal when scheme, host, port and path are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryUrl(String);

impl RepositoryUrl {
    /// Reads a `repoURL` of an Application or the `url` of a repository Secret. A user name alone is dropped.
    ///
    /// # Errors
    /// When it is no URL, of a scheme not supported, or carries a password.
    pub fn parse(url: &str) -> Result<Self, GitError> {
        let url = url.trim();
        if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(invalid(url, "it contains white space"));
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(without_scheme(url));
        };
        match scheme.to_ascii_lowercase().as_str() {
            scheme @ ("http" | "https") => parse_http(scheme, rest, url),
            "file" => parse_file(rest, url),
            "ssh" | "git+ssh" | "ssh+git" => Err(not_supported(url, "repositories over ssh")),
            "oci" => Err(not_supported(url, "repositories in an OCI registry")),
            _ => Err(invalid(url, "expected https:// or http://")),
        }
    }

    /// The URL as it is asked for and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this names a directory of our own machine.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.0.starts_with("file://")
    }

    /// Whether `other` is spelled for the same repository: servers take a URL with and without `.git`.
    #[must_use]
    pub fn same_repository(&self, other: &Self) -> bool {
        let bare = |url: &Self| url.0.strip_suffix(".git").unwrap_or(&url.0).to_owned();
        bare(self) == bare(other)
    }

    /// Whether this URL lies below `prefix`, as Argo CD compares credential templates: as plain text.
    #[must_use]
    pub(super) fn has_prefix(&self, prefix: &Self) -> bool {
        self.0.starts_with(prefix.as_str())
    }
}

impl std::fmt::Display for RepositoryUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn parse_http(scheme: &str, rest: &str, url: &str) -> Result<RepositoryUrl, GitError> {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = authority
        .rsplit_once('@')
        .map_or(("", authority), |(user, host)| (user, host));
    if user.contains(':') {
        return Err(invalid(
            url,
            "it carries a password; put it into a repository Secret",
        ));
    }
    if path.contains(['?', '#']) || host.contains(['?', '#']) {
        return Err(invalid(url, "it carries a query or fragment"));
    }
    let host = host.to_ascii_lowercase();
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(default_port).unwrap_or(&host);
    let path = path.trim_end_matches('/');
    if host.is_empty() || path.is_empty() {
        return Err(invalid(url, "expected a host and a path"));
    }
    if !has_sound_port(host) {
        return Err(invalid(url, "its port is not a number"));
    }
    Ok(RepositoryUrl(format!("{scheme}://{host}{path}")))
}

fn parse_file(path: &str, url: &str) -> Result<RepositoryUrl, GitError> {
    let path = path.trim_end_matches('/');
    if !path.starts_with('/') {
        return Err(invalid(url, "expected file:///absolute/path"));
    }
    Ok(RepositoryUrl(format!("file://{path}")))
}

fn without_scheme(url: &str) -> GitError {
    let looks_like_scp = url
        .split_once(':')
        .is_some_and(|(host, _)| !host.is_empty() && !host.contains('/'));
    if looks_like_scp {
        return not_supported(url, "repositories over ssh");
    }
    invalid(url, "expected https:// or http://")
}

fn invalid(url: &str, problem: &'static str) -> GitError {
    GitError::InvalidUrl {
        url: redacted(url),
        problem,
    }
}

fn not_supported(url: &str, what: &str) -> GitError {
    GitError::NotSupported {
        url: redacted(url),
        what: what.to_owned(),
    }
}

/// Whether `host` has no port or one that is a number. A password with a slash makes what looks like another port.
fn has_sound_port(host: &str) -> bool {
    let after_brackets = host.rsplit(']').next().unwrap_or(host);
    match after_brackets.split_once(':') {
        Some((_, port)) => !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()),
        None => true,
    }
}

/// `url` for a message: whatever stands before an `@` of the host is left out, whether or not it is a URL.
#[must_use]
pub fn redacted(url: &str) -> String {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    let user_end = if has_sound_port(&url[start..end]) || url[start..end].contains('@') {
        end
    } else {
        url.len()
    };
    match url[start..user_end].rfind('@') {
        Some(at) => format!("{}{}", &url[..start], &url[start + at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> String {
        RepositoryUrl::parse(url).unwrap().to_string()
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
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        let message = refused("https://me:hunter2@git.example/a");
        assert_eq!(
            message,
            "https://git.example/a: not a repository URL: it carries a password; put it into a repository Secret"
        );
        for url in [
            "https://me:hunter2/x@git.example/a",
            "me:hunter2@git.example",
            "https://me:hunter2@git.example",
        ] {
            assert!(!refused(url).contains("hunter2"), "{}", refused(url));
        }
    }

    #[test]
    fn schemes_of_later_releases_are_refused_by_name() {
        assert_eq!(
            refused("git@github.com:a/b.git"),
            "github.com:a/b.git: not supported yet: repositories over ssh"
        );
        assert_eq!(
            refused("ssh://git@x/a"),
            "ssh://x/a: not supported yet: repositories over ssh"
        );
        assert_eq!(
            refused("oci://x/a"),
            "oci://x/a: not supported yet: repositories in an OCI registry"
        );
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in [
            "",
            "nonsense",
            "https://",
            "https://host",
            "https:///path",
            "ftp://h/p",
            "https://h/p?q",
            "file://rel",
            "https://h/a b",
        ] {
            assert!(refused(url).contains("not a repository URL"), "{url}");
        }
    }

    #[test]
    fn a_url_with_and_without_dot_git_is_one_repository() {
        let url = |text| RepositoryUrl::parse(text).unwrap();
        assert!(url("https://h/a.git").same_repository(&url("https://h/a")));
        assert!(!url("https://h/a").same_repository(&url("https://h/ab")));
    }
}
