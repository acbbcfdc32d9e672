//! Why a repository could not be read: a closed set of reasons, each with a remedy.
//! It never carries what a server answered, nor a credential: URLs are shown without user and password.

use super::Submodule;
use crate::repositories::AccessError;

/// Why a repository, a revision or a path could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// It is not known, or not permitted, how to reach the repository.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A kind of repository or content that is not supported.
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
    /// No key of the ssh server is known.
    #[error("{url}: the host key of {host} is not known")]
    HostKeyUnknown { url: String, host: String },
    /// The ssh server has another key than the known one: a new server, or somebody in between.
    #[error("{url}: the host key of {host} is not the known one")]
    HostKeyChanged { url: String, host: String },
    /// The program is missing beside the controller.
    #[error("{url}: there is no ssh program")]
    NoSshProgram { url: String },
    /// The ssh program does not work for a user without a name.
    #[error("{url}: the user that the controller runs as has no entry in /etc/passwd")]
    NoSshUser { url: String },
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
    /// No tag is a version within the range.
    #[error("{url}: no tag is a version within {range:?}{}", beginning(prefix))]
    NoVersion {
        url: String,
        range: String,
        prefix: String,
    },
    /// The range can't be read.
    #[error("{url}: {range:?} is not a range of versions")]
    InvalidRange { url: String, range: String },
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
    /// A submodule whose files nobody fetched so far.
    #[error("{0} is not fetched")]
    Lacks(Box<Submodule>),
    /// What the repository says of a submodule can't be followed.
    #[error("{url}: submodule {path:?} {problem}")]
    InvalidSubmodule {
        url: String,
        path: String,
        problem: String,
    },
    /// The repository of a submodule does not give its commit.
    #[error("{url}: the server does not give commit {commit}")]
    SubmoduleCommit { url: String, commit: String },
    /// A submodule is needed and none is read.
    #[error("{url}: submodules are not fetched")]
    SubmodulesOff { url: String },
    /// The server would send all files of all commits, where the commits alone are asked for.
    #[error(
        "{url}: the server gives no commits without their files, which mode strict of sourceIntegrity asks for"
    )]
    NoFilter { url: String },
    /// More commits lead to a revision than are looked at.
    #[error(
        "{url}: the history is longer than {limit}, which is more than mode strict of sourceIntegrity looks at"
    )]
    HistoryTooLong { url: String, limit: String },
    /// The mirror below the data directory can't be written or read.
    #[error("{url}: the mirror below --data-dir can not be used: {cause}")]
    Mirror { url: String, cause: String },
}

impl GitError {
    /// What somebody can do about it, where that is not the reason itself turned round.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Access(error) => error.hint(),
            Self::NotSupported { .. } | Self::Lacks(_) => None,
            Self::InvalidSubmodule { .. } => Some("correct .gitmodules"),
            Self::SubmoduleCommit { .. } => Some(
                "push the commit to a branch there; others are given only where uploadpack.allowReachableSHA1InWant or allowAnySHA1InWant is set",
            ),
            Self::SubmodulesOff { .. } => Some("start the controller with --git-submodules"),
            Self::FileNotAllowed { .. } => {
                Some("start the controller with --allow-file-repositories")
            }
            Self::NotFound { .. } => {
                Some("check the URL, and whether the credentials may see the repository")
            }
            Self::AuthenticationRequired { .. } => Some(
                "check the URL; for a private repository add a repository Secret with its url and a login",
            ),
            Self::AuthenticationFailed { .. } => {
                Some("check the login in that Secret, and whether it may read the repository")
            }
            Self::HostKeyUnknown { .. } => Some(
                "compare the output of ssh-keyscan with what the server's owner publishes, and put it into key ssh_known_hosts of ConfigMap argocd-ssh-known-hosts-cm",
            ),
            Self::HostKeyChanged { .. } => Some(
                "ask the server's owner whether the key was replaced; then replace its line in ConfigMap argocd-ssh-known-hosts-cm",
            ),
            Self::NoSshProgram { .. } | Self::NoSshUser { .. } => Some(
                "use an image of the controller that has ssh, and a user with an entry in /etc/passwd",
            ),
            Self::Forbidden { .. } => Some("grant the account read access to the repository"),
            Self::Redirected { .. } => Some("use the URL that the server redirects to"),
            Self::Unreachable { .. } | Self::TimedOut { .. } => Some(
                "check that the controller's pod can reach the server; it tries again by itself",
            ),
            Self::NotAGitServer { .. } => {
                Some("check the URL: it must be the one that `git clone` takes")
            }
            Self::RevisionNotFound { .. } => Some(
                "check targetRevision; a commit that no branch or tag reaches can be had only where the server allows it, by its full SHA",
            ),
            Self::NoVersion { .. } => {
                Some("check targetRevision; a pre-release counts only when the range names one")
            }
            Self::InvalidRange { .. } => Some("write a range as in >=1.2 <2, ^1.2, ~1.2 or 1.2.*"),
            Self::RevisionAmbiguous { .. } => Some("write the full SHA"),
            Self::PathNotFound { .. } | Self::InvalidPath { .. } => {
                Some("check spec.source.path: a directory, relative to the root of the repository")
            }
            Self::NoFilter { .. } => {
                Some("set uploadpack.allowFilter at the server, or use mode head")
            }
            Self::HistoryTooLong { .. } => Some("use mode head"),
            Self::Mirror { .. } => {
                Some("check the volume of --data-dir: free space and permissions")
            }
        }
    }
}

fn beginning(prefix: &str) -> String {
    match prefix {
        "" => String::new(),
        prefix => format!(" behind {prefix:?}"),
    }
}
