//! Why it is not known or not permitted how to reach a repository: a closed set, each with a remedy.
//! It never carries a credential, nor what a server answered.

/// Why there is no way to a repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The text is no URL of a repository.
    #[error("{url}: not a repository URL: {problem}")]
    InvalidUrl { url: String, problem: &'static str },
    /// A scheme, a key of a Secret or a login that another release may support.
    #[error("{url}: not supported yet: {what}")]
    NotSupported { url: String, what: String },
    /// The repository Secrets could not be read from the cluster.
    #[error("{url}: the repository Secrets of our namespace are not known yet")]
    SecretsUnknown { url: String },
    /// A key of the Secret holds what can't be used.
    #[error("{url}: Secret {secret}: {problem}")]
    InvalidSecret {
        url: String,
        secret: String,
        problem: String,
    },
    /// The ConfigMap of certificates holds none for this host that could be read.
    #[error("{url}: key {host} of ConfigMap argocd-tls-certs-cm holds no PEM certificate")]
    InvalidAuthorities { url: String, host: String },
    /// What a Secret says is well-formed, and still no client can work with it.
    #[error("no HTTP client can be made with {what} of the repository Secret")]
    Client { what: &'static str },
    /// The host is our own machine or link, by name or by address.
    #[error("{url}: {host} is a loopback or link-local address")]
    LocalAddress { url: String, host: String },
    /// GitHub gives no token for the App.
    #[error("{url}: no token for the GitHub App of Secret {secret}: {cause}")]
    NoToken {
        url: String,
        secret: String,
        cause: String,
    },
}

impl AccessError {
    /// What somebody can do about it, where that is not the reason itself turned round.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::InvalidUrl { .. } => {
                Some("write it as https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH")
            }
            Self::NotSupported { .. } | Self::InvalidSecret { .. } | Self::Client { .. } => None,
            Self::SecretsUnknown { .. } => Some(
                "check that the controller may list and watch Secrets and ConfigMaps in its namespace",
            ),
            Self::InvalidAuthorities { .. } => {
                Some("put the certificates of the host's authority there, in PEM")
            }
            Self::LocalAddress { .. } => Some(
                "where that is meant, annotate the repository's Secret with signet.dev/allow-local-addresses: \"true\"",
            ),
            Self::NoToken { .. } => Some(
                "check githubAppID, githubAppPrivateKey and githubAppInstallationID, and that the App is installed for the repository's owner",
            ),
        }
    }
}
