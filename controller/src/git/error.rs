//! Why a repository could not be read: a closed set of reasons, each with a remedy.
//! It never carries what a server answered, nor a credential: URLs are shown without user and password.

/// Why a repository, a revision or a path could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// The text is no URL of a repository.
    #[error("{url}: not a repository URL: {problem}")]
    InvalidUrl { url: String, problem: &'static str },
    /// A scheme, a kind of credentials or of revision that another release will support.
    #[error("{url}: not supported yet: {what}")]
    NotSupported { url: String, what: String },
    /// `file://` without the flag that allows it.
    #[error("{url}: file repositories are not allowed")]
    FileNotAllowed { url: String },
    /// The server knows no such repository, or hides it from us.
    #[error("{url}: repository not found")]
    NotFound { url: String },
    /// The server wants credentials and no repository Secret has any for this URL.
    #[error("{url}: authentication required")]
    AuthenticationRequired { url: String },
    /// The server refuses the credentials.
    #[error("{url}: authentication failed with the credentials of Secret {secret}")]
    AuthenticationFailed { url: String, secret: String },
    /// The server knows who asks and refuses.
    #[error("{url}: access denied")]
    Forbidden { url: String },
    /// The answer is a redirect that is not followed, because credentials would go with it.
    #[error("{url}: the server redirects to another URL")]
    Redirected { url: String },
    /// The server can't be reached, or breaks off.
    #[error("{url}: unreachable: {cause}")]
    Unreachable { url: String, cause: String },
    /// No answer in time.
    #[error("{url}: no answer within {seconds} s")]
    TimedOut { url: String, seconds: u64 },
    /// Something answers there that does not speak Git's protocol.
    #[error("{url}: not a Git server: {cause}")]
    NotAGitServer { url: String, cause: String },
    /// No ref and no commit of this name.
    #[error("{url}: revision {revision:?} not found")]
    RevisionNotFound { url: String, revision: String },
    /// A short SHA that several commits begin with.
    #[error("{url}: revision {revision:?} is ambiguous")]
    RevisionAmbiguous { url: String, revision: String },
    /// The commit has no such path.
    #[error("{url}: path {path:?} not found in commit {commit}")]
    PathNotFound {
        url: String,
        commit: String,
        path: String,
    },
    /// The path is a file, or leaves the repository.
    #[error("{url}: path {path:?} {problem} in commit {commit}")]
    InvalidPath {
        url: String,
        commit: String,
        path: String,
        problem: &'static str,
    },
    /// The repository Secrets could not be read from the cluster.
    #[error("{url}: the repository Secrets of our namespace are not known yet")]
    SecretsUnknown { url: String },
    /// The mirror below the data directory can't be written or read.
    #[error("{url}: the mirror below --data-dir can not be used: {cause}")]
    Mirror { url: String, cause: String },
}

impl GitError {
    /// What somebody can do about it, where that is not the reason itself turned round.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::InvalidUrl { .. } => Some("write repoURL as https://HOST/PATH"),
            Self::NotSupported { .. } => None,
            Self::FileNotAllowed { .. } => {
                Some("start the controller with --allow-file-repositories")
            }
            Self::NotFound { .. } => {
                Some("check repoURL, and whether the credentials may see the repository")
            }
            Self::AuthenticationRequired { .. } => Some(
                "check repoURL; for a private repository add a repository Secret with url, username and password",
            ),
            Self::AuthenticationFailed { .. } => Some("check username and password in that Secret"),
            Self::Forbidden { .. } => Some("grant the account read access to the repository"),
            Self::Redirected { .. } => Some("set repoURL to the URL that the server redirects to"),
            Self::Unreachable { .. } | Self::TimedOut { .. } => Some(
                "check that the controller's pod can reach the server; it tries again by itself",
            ),
            Self::NotAGitServer { .. } => {
                Some("check repoURL: it must be the URL that `git clone` takes")
            }
            Self::RevisionNotFound { .. } => Some(
                "check targetRevision; a commit that no branch or tag reaches can be had only where the server allows it, by its full SHA",
            ),
            Self::RevisionAmbiguous { .. } => Some("write the full SHA"),
            Self::PathNotFound { .. } | Self::InvalidPath { .. } => {
                Some("check spec.source.path: a directory, relative to the root of the repository")
            }
            Self::SecretsUnknown { .. } => {
                Some("check that the controller may list and watch Secrets in its namespace")
            }
            Self::Mirror { .. } => {
                Some("check the volume of --data-dir: free space and permissions")
            }
        }
    }
}
