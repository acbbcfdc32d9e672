//! Config repositories: lists their refs, mirrors the commits in use, and hands out trees to read.
//! It never writes to a repository, makes no work tree and knows nothing of Applications.

pub mod credentials;
mod error;
mod failure;
mod listings;
mod mirror;
mod mirrors;
mod place;
mod revision;
mod run;
mod store;
mod tree;
mod turn;
mod url;
mod walk;
mod wire;

pub use credentials::{Credentials, RepositorySecret};
pub use error::GitError;
pub use mirrors::{Changed, Freshness, MirrorOptions, Mirrors};
pub use revision::CommitId;
pub use run::{poll, run};
pub use tree::{Entry, EntryKind, Found, Target, Tree};
pub use url::{RepositoryUrl, redacted};

/// A repository as an Application names it, with the credentials that its project may use.
#[derive(Clone, Debug)]
pub struct Repository {
    pub url: RepositoryUrl,
    pub credentials: Option<Credentials>,
}

impl Repository {
    /// A repository that is read without credentials.
    ///
    /// # Errors
    /// When `url` is no URL, of a scheme not supported, or carries a password.
    pub fn public(url: &str) -> Result<Self, GitError> {
        Ok(Self {
            url: RepositoryUrl::parse(url)?,
            credentials: None,
        })
    }
}
