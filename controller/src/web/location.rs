//! Where a repository is, however its URL is spelled: over HTTP or ssh, with a user, a port, `.git`, in any case.
//! It is for comparing alone: nothing is ever fetched from what a webhook says.

/// Longer than any URL that a server gives a repository; what is longer names none of ours.
const LONGEST: usize = 2048;
/// Ways to reach a repository over the network.
const SCHEMES: [&str; 6] = ["http", "https", "ssh", "git", "git+ssh", "ssh+git"];
/// Hosts under which servers offer ssh where another host has the web pages.
const SSH_HOSTS: [&str; 2] = ["ssh.", "altssh."];

/// Host and path of a repository; equal for all spellings of its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location(String);

impl Location {
    /// Reads `https://host/path`, `ssh://user@host:port/path`, `user@host:path` or `host/path`; else there is none.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let url = url.trim().to_lowercase();
        if url.len() > LONGEST || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let (host, path) = match url.split_once("://") {
            Some((scheme, rest)) if SCHEMES.contains(&scheme) => with_scheme(rest)?,
            Some(_) => return None,
            None => without_scheme(&url)?,
        };
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let host = SSH_HOSTS
            .iter()
            .find_map(|prefix| host.strip_prefix(prefix))
            .filter(|rest| rest.contains('.'))
            .unwrap_or(host);
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        if host.is_empty() || path.is_empty() {
            return None;
        }
        Some(Self(format!("{host}/{}", azure_path(host, path))))
    }
}

#[cfg(any(test, fuzzing))]
impl Location {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Host without its port, and path.
fn with_scheme(rest: &str) -> Option<(&str, &str)> {
    let (authority, path) = rest.split_once('/')?;
    let port = authority
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    Some((port.map_or(authority, |(host, _)| host), path))
}

/// As ssh writes it, `host:path`, or as people do, `host/path`.
fn without_scheme(url: &str) -> Option<(&str, &str)> {
    url.split_at_checked(url.find([':', '/'])?)
        .map(|(host, path)| (host, path.trim_start_matches(':')))
}

/// Azure DevOps writes `v3/organisation/project/repository` over ssh and `organisation/project/_git/repository` elsewhere.
fn azure_path(host: &str, path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["v3", organisation, project, repository] if host == "dev.azure.com" => {
            format!("{organisation}/{project}/_git/{repository}")
        }
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(url: &str) -> String {
        Location::of(url).expect("the URL of a repository").0
    }

    #[test]
    fn all_spellings_of_a_url_are_one_place() {
        for url in [
            "https://git.example/team/config",
            "https://git.example/team/config.git",
            "http://me@Git.Example:3000/Team/Config.git/",
            "HTTPS://git.example:443//team/config/",
            "ssh://git@git.example:2222/team/config.git",
            "ssh://git@ssh.git.example:443/team/config.git",
            "git@altssh.git.example:team/config",
            "git@git.example:/team/config.git",
            "git.example/team/config",
        ] {
            assert_eq!(location(url), "git.example/team/config", "{url}");
        }
    }

    #[test]
    fn another_host_path_or_prefix_is_another_place() {
        let place = location("https://git.example/team/config");
        for url in [
            "https://git.example.evil/team/config",
            "https://evil/git.example/team/config",
            "https://git.example@evil/team/config",
            "https://git.example/team/config-2",
            "https://git.example/team/config/sub",
            "https://git.example/config",
            "git@git.example:2222/team/config.git",
        ] {
            assert_ne!(location(url), place, "{url}");
        }
        assert_eq!(location("https://ssh.internal/a"), "ssh.internal/a");
    }

    #[test]
    fn azure_devops_spells_its_ssh_paths_differently() {
        for url in [
            "https://dev.azure.com/acme/shop/_git/config",
            "https://acme@dev.azure.com/acme/shop/_git/config",
            "git@ssh.dev.azure.com:v3/acme/shop/config",
        ] {
            assert_eq!(location(url), "dev.azure.com/acme/shop/_git/config");
        }
    }

    #[test]
    fn what_is_no_url_of_a_repository_is_no_place() {
        let long = format!("https://git.example/{}", "a".repeat(LONGEST));
        for url in [
            "",
            "nonsense",
            "https://",
            "https://host",
            "https:///path",
            "file:///srv/a.git",
            "https://h/a b",
            "/a",
            &long,
        ] {
            assert_eq!(Location::of(url), None, "{url:?}");
        }
    }
}
