//! Why a chart could not be had: a closed set of reasons, each with a remedy.
//! It never carries what a server answered, nor a credential; of an index or a registry it names only charts and versions.

use std::fmt;

/// Why a chart could not be had. `at` is the repository, with the chart where one was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// The text is no URL of a chart repository.
    #[error("{at}: not a chart repository URL: {problem}")]
    InvalidUrl { at: String, problem: &'static str },
    /// The chart's name could not be one.
    #[error("{at}: {chart:?} is no name of a chart")]
    InvalidName { at: String, chart: String },
    /// What was asked for is neither a version nor a range of versions.
    #[error("{at}: {version:?} is neither a version nor a range of versions")]
    InvalidVersion { at: String, version: String },
    /// Something that a repository, a chart or a Secret may say and that is not honoured.
    #[error("{at}: not supported: {what}")]
    NotSupported { at: String, what: &'static str },
    /// There is no index at the repository's URL.
    #[error("{at}: no chart repository found")]
    RepositoryNotFound { at: String },
    /// The repository has no chart of this name, or hides it from us.
    #[error("{at}: chart {chart:?} not found{closest}")]
    ChartNotFound {
        at: String,
        chart: String,
        closest: Names,
    },
    /// The chart has no such version.
    #[error("{at}: version {version:?} not found{newest}")]
    VersionNotFound {
        at: String,
        version: String,
        newest: Names,
    },
    /// The index or the manifest names an archive that is not there.
    #[error("{at}: the archive is not there, though the repository lists it")]
    ArchiveNotFound { at: String },
    /// The server wants credentials and no repository Secret has any for this URL.
    #[error("{at}: authentication required")]
    AuthenticationRequired { at: String },
    /// The server refuses the credentials.
    #[error("{at}: authentication failed with the credentials of Secret {secret}")]
    AuthenticationFailed { at: String, secret: String },
    /// The server knows who asks and refuses.
    #[error("{at}: access denied")]
    Forbidden { at: String },
    /// The answer is a redirect that is not followed.
    #[error("{at}: the server redirects {whither}")]
    Redirected { at: String, whither: &'static str },
    /// The server's address is one of our own machine or network segment.
    #[error("{at}: a loopback or link-local address is not allowed")]
    AddressNotAllowed { at: String },
    /// The server can't be reached, or breaks off.
    #[error("{at}: unreachable: {cause}")]
    Unreachable { at: String, cause: String },
    /// No answer in time.
    #[error("{at}: no answer within {seconds} s")]
    TimedOut { at: String, seconds: u64 },
    /// Something answers there that has no index of charts.
    #[error("{at}: not a Helm repository: {problem}")]
    NotARepository { at: String, problem: String },
    /// Something answers there that does not speak the registry's protocol.
    #[error("{at}: not an OCI registry: {problem}")]
    NotARegistry { at: String, problem: String },
    /// What was fetched is no chart.
    #[error("{at}: not a Helm chart: {problem}")]
    NotAChart { at: String, problem: String },
    /// What was fetched is not what the repository lists.
    #[error("{at}: the {what} has another SHA-256 digest than the repository lists")]
    DigestMismatch { at: String, what: &'static str },
    /// More than is read from a server.
    #[error("{at}: the {what} exceeds the limit of {limit}")]
    TooLarge {
        at: String,
        what: &'static str,
        limit: String,
    },
    /// The archive can't be written to our own disk.
    #[error("{at}: can not be unpacked: {cause}")]
    Unpack { at: String, cause: String },
}

/// A few names, for a message: ` (closest: a, b)`, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    label: &'static str,
    names: Vec<String>,
}

/// Longer names are nobody's idea of a name or version, and messages stay short.
const SHOWN_NAME: usize = 80;

impl Names {
    pub(super) fn new(label: &'static str, names: impl IntoIterator<Item = String>) -> Self {
        let shown = |name: &String| {
            let printable = |byte: u8| byte.is_ascii_graphic();
            name.len() <= SHOWN_NAME && name.bytes().all(printable)
        };
        Self {
            label,
            names: names.into_iter().filter(shown).collect(),
        }
    }
}

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.names.is_empty() {
            return Ok(());
        }
        write!(f, " ({}: {})", self.label, self.names.join(", "))
    }
}

impl ChartError {
    /// What somebody can do about it, where that is not the reason itself turned round.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::InvalidUrl { .. } => {
                Some("write repoURL as https://HOST/PATH, or as oci://HOST/PATH for a registry")
            }
            Self::InvalidVersion { .. } => {
                Some("write targetRevision as a version, or as a range such as ~1.2 or >=1.2 <2")
            }
            Self::NotSupported { .. } => None,
            Self::RepositoryNotFound { .. } => Some(
                "check repoURL: index.yaml must lie below it; for a registry write oci:// before it",
            ),
            Self::InvalidName { .. } | Self::ChartNotFound { .. } => {
                Some("check chart, and whether the credentials may see it")
            }
            Self::VersionNotFound { .. } => Some(
                "check targetRevision; a range means pre-releases only where it names one, as >=1.2-0 does",
            ),
            Self::ArchiveNotFound { .. } => {
                Some("ask who keeps the repository; another version may be whole")
            }
            Self::AuthenticationRequired { .. } => Some(
                "check repoURL and chart; for a private repository add a repository Secret with url, username and password",
            ),
            Self::AuthenticationFailed { .. } => Some("check username and password in that Secret"),
            Self::Forbidden { .. } => Some("grant the account read access to the chart"),
            Self::Redirected { .. } => Some("set repoURL to the URL that the server redirects to"),
            Self::AddressNotAllowed { .. } => Some("allow it in the repository's Secret"),
            Self::Unreachable { .. } | Self::TimedOut { .. } => Some(
                "check that the controller's pod can reach the server; it tries again by itself",
            ),
            Self::NotARepository { .. } => {
                Some("check repoURL: it must be the URL that `helm repo add` takes")
            }
            Self::NotARegistry { .. } => {
                Some("check repoURL: it must be what `helm pull` takes, without the chart's name")
            }
            Self::NotAChart { .. } => Some("check that `helm pull` and `helm lint` take it"),
            Self::DigestMismatch { .. } => {
                Some("it was replaced or damaged: ask who keeps the repository")
            }
            Self::TooLarge { .. } => Some("ask who keeps the repository to prune it"),
            Self::Unpack { .. } => {
                Some("check the volume of --data-dir: free space and permissions")
            }
        }
    }
}
