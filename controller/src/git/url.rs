//! Repository URLs: parsed, compared and shown. A user or password never gets past this file.

use super::GitError;

/// A repository URL without user, password or trailing slash; equal when scheme, host, port and path are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryUrl(String);

impl RepositoryUrl {
    /// Reads a `repoURL` of an Application or `url` of a repository Secret.
    ///
    /// # Errors
    /// When it is no URL, of a scheme not supported, or carries a password.
    pub fn parse(_url: &str) -> Result<Self, GitError> {
        todo!()
    }

    /// The URL as it is asked for and shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RepositoryUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
