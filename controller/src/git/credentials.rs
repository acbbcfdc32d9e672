//! Credentials of repositories, as Argo CD's repository Secrets hold them, and which of them an Application may use.
//! They are shown nowhere: not in Debug, not in errors, not in URLs.

use k8s_openapi::api::core::v1::Secret;
use zeroize::Zeroizing;

use super::{GitError, Repository};

/// User and password for HTTP basic authentication, and the Secret they come from.
#[derive(Clone)]
pub struct Credentials {
    /// `namespace/name` of the Secret, for messages and so that a mirror is not shared across Secrets.
    pub secret: String,
    pub(super) username: Zeroizing<String>,
    pub(super) password: Zeroizing<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credentials(redacted, of Secret {})", self.secret)
    }
}

/// One repository Secret, decoded.
#[derive(Clone, Debug)]
pub struct RepositorySecret {}

impl RepositorySecret {
    /// Decodes a Secret labelled as repository; `None` when it is not about a Git repository.
    #[must_use]
    pub fn decode(_secret: &Secret) -> Option<Self> {
        todo!()
    }
}

/// The repository of `url` as an Application of `project` may read it: with the project's own Secret for it, else with
/// one of no project, else without credentials.
///
/// # Errors
/// When the URL is refused, or the Secret that applies holds credentials of a kind not supported yet.
pub fn repository(
    _url: &str,
    _project: &str,
    _secrets: &[RepositorySecret],
) -> Result<Repository, GitError> {
    todo!()
}
