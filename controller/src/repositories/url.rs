//! Repository URLs: parsed, compared and shown. A password never gets past this file.

use super::{AccessError, RepositoryKind};

/// A repository URL without password or trailing slash; equal when scheme, host, port and path are.
///
/// Over HTTP the user is left out too: who asks makes no other repository of it. Over ssh the user stays, since servers
/// choose by it what there is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryUrl(String);

/// Where a repository over ssh is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SshTarget {
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As the server's `git-upload-pack` takes it.
    pub(crate) path: String,
}

/// Who asks when a URL over ssh names nobody: all forges are asked so.
const SSH_USER: &str = "git";
const SSH_PORT: u16 = 22;
const NO_SCHEME: &str = "expected https://, http://, ssh:// or user@host:path";

impl RepositoryUrl {
    /// Reads a `repoURL` that names a Git repository.
    ///
    /// # Errors
    /// When it is no URL, of a scheme not supported, or carries a password.
    pub fn parse(url: &str) -> Result<Self, AccessError> {
        let parsed = Self::read(url, false)?;
        if parsed.0.starts_with("oci://") {
            return Err(not_supported(url.trim(), "repositories in an OCI registry"));
        }
        if parsed.path().is_empty() {
            return Err(invalid(url.trim(), "expected a host and a path"));
        }
        Ok(parsed)
    }

    /// Reads the URL of a repository of `kind`. Registries are written with and without `oci://`.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_of(kind: RepositoryKind, url: &str) -> Result<Self, AccessError> {
        match kind {
            RepositoryKind::Git => Self::parse(url),
            RepositoryKind::Helm => Self::read(url, false),
            RepositoryKind::Oci => Self::read(url, true),
        }
    }

    /// Reads any URL that a repository Secret or a credential template may hold.
    pub(super) fn read(url: &str, registry: bool) -> Result<Self, AccessError> {
        let url = url.trim();
        if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(invalid(url, "it contains white space"));
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return if registry {
                parse_web("oci", url, url)
            } else {
                parse_scp(url)
            };
        };
        match scheme.to_ascii_lowercase().as_str() {
            scheme @ ("http" | "https" | "oci") => parse_web(scheme, rest, url),
            "file" => parse_file(rest, url),
            "ssh" | "git+ssh" | "ssh+git" => parse_ssh(rest, url),
            _ => Err(invalid(url, NO_SCHEME)),
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

    /// Where it is, when it is reached over ssh.
    pub(crate) fn ssh(&self) -> Option<SshTarget> {
        let (authority, path, absolute) = match self.0.strip_prefix("ssh://") {
            Some(rest) => {
                let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
                (authority, path, true)
            }
            None if self.0.contains("://") => return None,
            None => {
                let (authority, path) = split_scp(&self.0)?;
                (authority, path, false)
            }
        };
        let (user, host) = authority.rsplit_once('@').unwrap_or((SSH_USER, authority));
        let (host, port) = match absolute {
            true => split_port(host),
            false => (host, None),
        };
        let path = match path {
            // As git does: a home directory is written /~ in a URL.
            path if absolute && !path.starts_with('~') => format!("/{path}"),
            path => path.to_owned(),
        };
        Some(SshTarget {
            user: user.to_owned(),
            host: host.trim_matches(['[', ']']).to_owned(),
            port: port.and_then(|port| port.parse().ok()).unwrap_or(SSH_PORT),
            path,
        })
    }

    /// The host, without port; empty for a file.
    #[must_use]
    pub fn host(&self) -> String {
        if let Some(target) = self.ssh() {
            return target.host;
        }
        let rest = self.0.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split('/').next().unwrap_or_default();
        split_port(authority).0.trim_matches(['[', ']']).to_owned()
    }

    /// The path, without slashes at its ends.
    fn path(&self) -> &str {
        let path = match self.0.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
            None => split_scp(&self.0).map_or("", |(_, path)| path),
        };
        path.trim_matches('/')
    }

    /// The first part of the path: on forges, whose repository it is.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.path().split('/').next().unwrap_or_default()
    }

    /// Whether `other` is spelled for the same repository: servers take a URL with and without `.git`, and over ssh in
    /// two forms.
    #[must_use]
    pub fn same_repository(&self, other: &Self) -> bool {
        self.place() == other.place()
    }

    /// Whether this URL is `prefix` or lies below it: same scheme and host, whole parts of the path.
    #[must_use]
    pub fn is_below(&self, prefix: &Self) -> bool {
        let (place, prefix) = (self.place(), prefix.place());
        place
            .strip_prefix(&prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// One spelling for all that mean the same.
    fn place(&self) -> String {
        let place = match split_scp(&self.0).filter(|_| !self.0.contains("://")) {
            Some((authority, path)) => {
                format!("ssh://{authority}/{}", path.trim_start_matches('/'))
            }
            None => self.0.clone(),
        };
        let place = place.trim_end_matches('/');
        place.strip_suffix(".git").unwrap_or(place).to_owned()
    }
}

impl std::fmt::Display for RepositoryUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn parse_web(scheme: &str, rest: &str, url: &str) -> Result<RepositoryUrl, AccessError> {
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (user, host) = authority
        .rsplit_once('@')
        .map_or(("", authority), |(user, host)| (user, host));
    refuse_password(user, url)?;
    refuse_query(rest, url)?;
    let host = host.to_ascii_lowercase();
    let default_port = if scheme == "http" { ":80" } else { ":443" };
    let host = host.strip_suffix(default_port).unwrap_or(&host);
    check_host(host, url)?;
    let path = path.trim_end_matches('/');
    Ok(RepositoryUrl(format!("{scheme}://{host}{path}")))
}

fn parse_ssh(rest: &str, url: &str) -> Result<RepositoryUrl, AccessError> {
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let authority = ssh_authority(authority, url)?;
    refuse_query(path, url)?;
    let authority = authority.strip_suffix(":22").unwrap_or(&authority);
    let path = path.trim_end_matches('/');
    let slash = if path.is_empty() { "" } else { "/" };
    Ok(RepositoryUrl(format!("ssh://{authority}{slash}{path}")))
}

/// `user@host:path`, as git takes it.
fn parse_scp(url: &str) -> Result<RepositoryUrl, AccessError> {
    let Some((authority, path)) = split_scp(url) else {
        return Err(invalid(url, NO_SCHEME));
    };
    if !authority.contains('@') {
        return Err(invalid(url, NO_SCHEME));
    }
    let authority = ssh_authority(authority, url)?;
    refuse_query(path, url)?;
    let path = path.trim_end_matches('/');
    if path.starts_with('-') {
        return Err(invalid(url, "its path begins with -"));
    }
    Ok(RepositoryUrl(format!("{authority}:{path}")))
}

fn split_scp(url: &str) -> Option<(&str, &str)> {
    let start = if url.contains("@[") {
        url.find(']')?
    } else {
        0
    };
    let colon = start + url[start..].find(':')?;
    let (authority, path) = (&url[..colon], &url[colon + 1..]);
    (!authority.is_empty() && !authority.contains('/')).then_some((authority, path))
}

/// `user@host:port` with the host in lower case, when ssh can't take any of it for an option.
fn ssh_authority(authority: &str, url: &str) -> Result<String, AccessError> {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host.to_ascii_lowercase()),
        None => (None, authority.to_ascii_lowercase()),
    };
    refuse_password(user.unwrap_or_default(), url)?;
    check_host(&host, url)?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-._+".contains(c);
    match user {
        Some(user) if user.is_empty() || user.starts_with('-') || !user.chars().all(is_word) => {
            Err(invalid(url, "its user is not a name"))
        }
        Some(user) => Ok(format!("{user}@{host}")),
        None => Ok(host),
    }
}

fn parse_file(path: &str, url: &str) -> Result<RepositoryUrl, AccessError> {
    let path = path.trim_end_matches('/');
    if !path.starts_with('/') {
        return Err(invalid(url, "expected file:///absolute/path"));
    }
    Ok(RepositoryUrl(format!("file://{path}")))
}

fn refuse_password(user: &str, url: &str) -> Result<(), AccessError> {
    if user.contains(':') {
        return Err(invalid(
            url,
            "it carries a password; put it into a repository Secret",
        ));
    }
    Ok(())
}

fn refuse_query(rest: &str, url: &str) -> Result<(), AccessError> {
    match rest.contains(['?', '#']) {
        true => Err(invalid(url, "it carries a query or fragment")),
        false => Ok(()),
    }
}

fn check_host(host: &str, url: &str) -> Result<(), AccessError> {
    let (name, port) = split_port(host);
    if name.is_empty() {
        return Err(invalid(url, "expected a host and a path"));
    }
    // One spelling only: a rule for a port must not miss the same one with zeros in front.
    let sound = |port: &str| !port.starts_with('0') && port.parse::<u16>().is_ok();
    if !port.is_none_or(sound) {
        return Err(invalid(url, "its port is not a number"));
    }
    let bare = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let is_host = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !name.starts_with('-')
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        }
    };
    is_host
        .then_some(())
        .ok_or_else(|| invalid(url, "its host is not a name"))
}

/// The host and the port behind it; an IPv6 address keeps its brackets.
fn split_port(host: &str) -> (&str, Option<&str>) {
    let start = host.rfind(']').unwrap_or(0);
    match host[start..].find(':') {
        Some(colon) => (&host[..start + colon], Some(&host[start + colon + 1..])),
        None => (host, None),
    }
}

fn invalid(url: &str, problem: &'static str) -> AccessError {
    AccessError::InvalidUrl {
        url: redacted(url),
        problem,
    }
}

fn not_supported(url: &str, what: &str) -> AccessError {
    AccessError::NotSupported {
        url: redacted(url),
        what: what.to_owned(),
    }
}

/// Whether `host` has no port or one that is a number. A password with a slash makes what looks like another port.
fn has_sound_port(host: &str) -> bool {
    split_port(host)
        .1
        .is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// `url` for a message, whether or not it is one: without what stands before an `@` of the host, and of its query with what names
/// a revision alone.
#[must_use]
pub fn redacted(url: &str) -> String {
    without_query(&without_login(url))
}

/// Without what of its query names no revision, and its fragment, which names nothing that anybody fetches.
pub(crate) fn without_query(url: &str) -> String {
    let url = url.split_once('#').map_or(url, |(url, _)| url);
    let Some((place, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let names_revision = |pair: &&str| pair.starts_with("ref=") || pair.starts_with("version=");
    let kept: Vec<&str> = query.split('&').filter(names_revision).collect();
    match kept.is_empty() {
        true => place.to_owned(),
        false => format!("{place}?{}", kept.join("&")),
    }
}

fn without_login(url: &str) -> String {
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
#[path = "url/tests.rs"]
mod tests;
