//! How a repository may be reached: login, TLS, proxy, host keys and addresses, as Secrets and ConfigMaps say.
//! None of it is ever shown: not in Debug, not in errors, not in URLs.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{AccessError, RepositoryUrl, github_app::GitHubApp, guard, signing::SigningKey};

/// The three kinds of repositories that a Secret may be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RepositoryKind {
    Git,
    /// Charts behind an index over HTTP.
    Helm,
    /// Charts and artifacts in an OCI registry.
    Oci,
}

/// How a repository may be reached, by all that Secrets and ConfigMaps say; the default is that they say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `namespace/name` of the Secret that holds the login; without a login, of the one for this repository.
    pub secret: Option<String>,
    /// `namespace/name` of the Secret for this repository, when the login comes from a credential template.
    pub settings: Option<String>,
    pub login: Login,
    pub tls: Tls,
    pub proxy: Option<ProxySettings>,
    /// `insecureOCIForceHttp`: a registry is asked over plain HTTP.
    pub plain_http: bool,
    pub host_keys: HostKeys,
    /// Annotation [`super::ALLOW_LOCAL_ADDRESSES`]: loopback and link-local addresses are not refused.
    pub allow_local_addresses: bool,
}

/// As whom to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Login {
    #[default]
    None,
    Basic {
        username: Confidential,
        password: Confidential,
    },
    Bearer(Confidential),
    SshKey(SigningKey),
    GitHubApp(GitHubApp),
}

/// Which certificates are trusted, and which one is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Take any certificate.
    pub insecure: bool,
    /// PEM certificates of the authorities for this host, in place of the system's.
    pub authorities: Option<Arc<str>>,
    /// A PEM certificate and its PEM key, to identify us.
    pub identity: Option<Confidential>,
}

/// A forward proxy for one repository, in place of those in the environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySettings {
    /// May carry a password.
    pub url: Confidential,
    /// Hosts to reach without it, as in the variable `NO_PROXY`.
    pub no_proxy: String,
}

/// Whom ssh takes for the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostKeys {
    /// Only these, in the format of ssh's `known_hosts`.
    Known(Arc<str>),
    /// Anybody: `insecureIgnoreHostKey` or `insecure`.
    Any,
}

impl Default for HostKeys {
    fn default() -> Self {
        Self::Known(Arc::default())
    }
}

impl Access {
    /// The value of an HTTP `Authorization` header, when the login has one that needs no asking elsewhere.
    pub(crate) fn authorization(&self) -> Option<Confidential> {
        match &self.login {
            Login::Basic { username, password } => {
                Some(basic(username.expose(), password.expose()))
            }
            Login::Bearer(token) => Some(Confidential::of(format!("Bearer {}", token.expose()))),
            Login::None | Login::SshKey(_) | Login::GitHubApp(_) => None,
        }
    }

    /// Refuses a URL whose host is written as an address of our own machine or link. Names are looked at when they
    /// resolve, by the client.
    ///
    /// # Errors
    /// [`AccessError::LocalAddress`].
    pub fn admit(&self, url: &str) -> Result<(), AccessError> {
        let host = reqwest::Url::parse(url)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned));
        match host {
            Some(host) if !self.allow_local_addresses && guard::is_local_literal(&host) => {
                Err(AccessError::LocalAddress {
                    url: super::redacted(url),
                    host,
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether no Secret says how to reach this repository but those that say so of `other`.
    #[must_use]
    pub fn rests_on(&self, other: &Self) -> bool {
        let of_other = [&other.secret, &other.settings];
        [&self.secret, &self.settings]
            .into_iter()
            .all(|secret| secret.is_none() || of_other.contains(&secret))
    }

    /// Refuses a login that the scheme of `url` has no use for: somebody meant another URL.
    pub(super) fn fits(&self, url: &RepositoryUrl) -> Result<(), AccessError> {
        let over_ssh = url.ssh().is_some();
        let (key, over) = match &self.login {
            Login::SshKey(_) if !over_ssh => ("sshPrivateKey", "over HTTP"),
            Login::Basic { .. } if over_ssh => ("password", "over ssh"),
            Login::Bearer(_) if over_ssh => ("bearerToken", "over ssh"),
            Login::GitHubApp(_) if over_ssh => ("githubAppPrivateKey", "over ssh"),
            _ if over_ssh && self.proxy.is_some() => ("proxy", "over ssh"),
            _ => return Ok(()),
        };
        Err(AccessError::NotSupported {
            url: url.to_string(),
            what: format!(
                "key {key} of Secret {} for a repository {over}",
                self.secret.as_deref().unwrap_or_default()
            ),
        })
    }
}

pub(super) fn basic(username: &str, password: &str) -> Confidential {
    let pair = Zeroizing::new(format!("{username}:{password}"));
    let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
    Confidential::of(format!("Basic {}", *encoded))
}

/// Text that is shown nowhere and leaves no copy in memory when it goes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Confidential(Zeroizing<String>);

impl Confidential {
    #[must_use]
    pub fn of(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Confidential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(redacted)")
    }
}
