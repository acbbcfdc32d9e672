//! Repository URLs as project rules see them: one spelling, and nothing that reads differently to a Git server.
//! It must not connect anywhere.

use super::{Denied, Project};

/// The URL in the spelling that patterns are compared with, so that one repository has one: lower case; without
/// `.git`, user, default port and empty parts of the path; `git@host:path` and `ssh://git@host/path` as `git@host/path`.
pub(super) fn normalise(url: &str) -> String {
    let url = url.trim().to_lowercase();
    let url = match url.split_once("://") {
        Some(("https", rest)) => format!("https://{}", web(rest, ":443")),
        Some(("http", rest)) => format!("http://{}", web(rest, ":80")),
        Some(("ssh" | "git+ssh" | "ssh+git", rest)) => ssh(rest),
        Some(_) => url,
        None => match split_scp(&url) {
            Some((host, path)) => ssh(&format!("{host}/{path}")),
            None => url,
        },
    };
    let url = url.trim_end_matches('/');
    url.strip_suffix(".git").unwrap_or(url).to_owned()
}

/// A pattern for such URLs, in their spelling.
pub(super) fn normalise_pattern(url: &str) -> String {
    match url.strip_prefix('!') {
        Some(url) => format!("!{}", normalise(url)),
        None => normalise(url),
    }
}

/// Who asks makes no other repository of it.
fn web(rest: &str, port: &str) -> String {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    parts(&format!("{host}/{path}"), port)
}

/// Over ssh, who asks may make another repository of it; nobody is `git`, as when we connect.
fn ssh(rest: &str) -> String {
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.contains('@') {
        true => parts(rest, ":22"),
        false => parts(&format!("git@{rest}"), ":22"),
    }
}

/// `host:path`, where the host may be an IPv6 address in brackets.
fn split_scp(url: &str) -> Option<(&str, &str)> {
    let start = url.find(']').unwrap_or_default();
    let colon = start + url[start..].find(':')?;
    let (host, path) = (&url[..colon], &url[colon + 1..]);
    (!host.contains('/')).then_some((host, path))
}

fn parts(rest: &str, port: &str) -> String {
    let mut parts = rest.split('/').filter(|part| !part.is_empty());
    let authority = parts.next().unwrap_or_default();
    let authority = authority.strip_suffix(port).unwrap_or(authority);
    std::iter::once(authority)
        .chain(parts)
        .collect::<Vec<_>>()
        .join("/")
}

/// What keeps a URL from being compared with patterns at all: a server or a client could read it as another one.
pub(super) fn ambiguity(url: &str) -> Option<&'static str> {
    let odd = |c: char| matches!(c, '?' | '#' | '\\') || c.is_whitespace() || c.is_control();
    if url.contains(odd) {
        return Some("it has one of ? # \\ or a blank in it");
    }
    if !url.is_ascii() {
        return Some("it has letters other than ASCII in it");
    }
    if has_needless_escape(url) {
        return Some("it escapes with % what needs no escape");
    }
    let (authority, path) = split(url);
    if authority.contains(".:") || authority.ends_with('.') {
        return Some("its host ends in a dot");
    }
    path.split('/')
        .any(|part| matches!(part, "." | ".."))
        .then_some("it has . or .. in its path")
}

impl Project {
    /// Whether Applications of this project may read the repository as a submodule of one that they may read. Argo CD asks
    /// nothing here and reads it with the login of the other one; so only what has a Secret of its own, `own_secret`, has to be
    /// in `sourceRepos`.
    ///
    /// # Errors
    /// When they may not.
    pub fn permits_submodule(&self, url: &str, own_secret: bool) -> Result<(), Denied> {
        match ambiguity(url) {
            // Whether it is in our file system is asked where the submodule is found.
            None if !own_secret => Ok(()),
            _ => self.permits_source(url, true),
        }
    }
}

/// The host with all around it, and the path.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').unwrap_or((rest, ""))
}

/// A letter, digit, dot or slash written as `%2e` is the same to a server and another text to a pattern.
fn has_needless_escape(url: &str) -> bool {
    url.split('%').skip(1).any(|rest| {
        let code = rest
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        code.is_some_and(|c| c.is_ascii_alphanumeric() || b"-._~/\\%".contains(&c))
    })
}

/// Whether the repository is in this machine's own file system.
pub(super) fn is_file(url: &str) -> bool {
    let lower = url.trim().to_lowercase();
    lower.starts_with("file:") || lower.starts_with(['/', '.', '~'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_repository_are_one() {
        for (url, expected) in [
            (
                "https://Git.Example.org/Shop/Config.git",
                "https://git.example.org/shop/config",
            ),
            (
                "https://git.example.org:443//shop/config.git/",
                "https://git.example.org/shop/config",
            ),
            (
                "https://jo@git.example.org/shop/config",
                "https://git.example.org/shop/config",
            ),
            (
                "http://jo:pw@git.example.org:80/shop/config",
                "http://git.example.org/shop/config",
            ),
            (
                "https://git.example.org:3000/shop/config",
                "https://git.example.org:3000/shop/config",
            ),
            (
                "git@git.example.org:shop/config.git",
                "git@git.example.org/shop/config",
            ),
            (
                "ssh://git@git.example.org:22/shop/config",
                "git@git.example.org/shop/config",
            ),
            (
                "git+ssh://git.example.org/shop/config",
                "git@git.example.org/shop/config",
            ),
            (
                "git@git.example.org:/shop//config",
                "git@git.example.org/shop/config",
            ),
            (
                "git@[2001:db8::1]:shop/config",
                "git@[2001:db8::1]/shop/config",
            ),
            ("file:///srv/git/Config.git", "file:///srv/git/config"),
            (
                "https://git.example.org/shop/**",
                "https://git.example.org/shop/**",
            ),
            ("*", "*"),
        ] {
            assert_eq!(normalise(url), expected, "{url}");
        }
    }

    #[test]
    fn a_url_that_may_be_read_differently_is_ambiguous() {
        for url in [
            "https://git.example.org/shop/../secret",
            "https://git.example.org/shop/..",
            "https://git.example.org/shop/%2e%2e/secret",
            "https://git.example.org/shop/..%2Fsecret",
            "https://git.example.org/shop/%73ecret",
            "https://git.example.org/shop/%252e%252e/secret",
            "https://git.example.org\\@evil.example.com/config",
            "https://evil.example.com?.example.org/config",
            "https://evil.example.com#.example.org/config",
            "https://git.example.org./shop/secret",
            "https://git.example.org.:443/shop/secret",
            "https://\u{ff47}it.example.org/shop/secret",
            "https://git.example.org/shop /config",
        ] {
            assert!(ambiguity(url).is_some(), "{url}");
        }
        for url in [
            "https://git.example.org/shop/config.v1..v2.git",
            "https://git.example.org/shop/%C3%A4",
            "git@git.example.org:shop/config.git",
            "file:///srv/git/config",
        ] {
            assert_eq!(ambiguity(url), None, "{url}");
        }
    }

    #[test]
    fn repositories_in_the_file_system_are_recognised() {
        for (url, file) in [
            ("file:///srv/git", true),
            ("FILE:/srv/git", true),
            ("/srv/git", true),
            ("../git", true),
            ("https://a/b", false),
        ] {
            assert_eq!(is_file(url), file, "{url}");
        }
    }

    #[test]
    fn a_submodule_has_to_be_in_source_repos_once_a_secret_of_its_own_opens_it() {
        let object = serde_json::json!({
            "metadata": {"name": "shop"},
            "spec": {"sourceRepos": ["https://git.example.org/shop/*"]},
        });
        let project = Project::new(&serde_json::from_value(object).unwrap()).unwrap();
        for (url, own_secret, permitted) in [
            ("https://git.example.org/lib", false, true),
            ("https://git.example.org/lib", true, false),
            ("https://git.example.org/shop/lib", true, true),
            ("https://git.example.org/shop/../lib", false, false),
            ("https://git.example.org/shop/%2e%2e/lib", false, false),
        ] {
            let answer = project.permits_submodule(url, own_secret);
            assert_eq!(answer.is_ok(), permitted, "{url} {own_secret}");
        }
    }
}
