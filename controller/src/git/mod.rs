//! Config repositories: lists their refs, mirrors the commits in use, and hands out trees to read.
//! It never writes to a repository, makes no work tree and knows nothing of Applications.

mod agent;
mod ancestry;
mod error;
mod failure;
mod held;
mod history;
mod http;
mod metrics;
mod mirror;
mod mirrors;
mod place;
mod range;
mod readers;
mod revision;
mod run;
pub mod signature;
mod snapshot;
mod ssh;
mod store;
mod submodule;
mod tree;
mod turn;
mod uploaded;
mod walk;
mod wire;

use crate::repositories::Access;
pub use crate::repositories::{RepositoryUrl, redacted};
pub use error::GitError;
pub(crate) use failure::why_no_connection;
pub use history::Ancestors;
pub use mirrors::{Changed, Freshness, MirrorOptions, Mirrors};
pub use range::is_version_range;
pub use revision::{CommitId, Revision};
pub use run::{poll, run};
pub use submodule::{Fetched, Submodule};
pub use tree::{Entry, EntryKind, Found, Target, Tree};
pub(crate) use walk::join;

/// A repository as an Application names it, with the access that its project has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    pub url: RepositoryUrl,
    pub access: Access,
}

impl Repository {
    /// A repository of which no Secret says anything.
    ///
    /// # Errors
    /// When `url` is no URL, of a scheme not supported, or carries a password.
    pub fn public(url: &str) -> Result<Self, GitError> {
        Ok(Self {
            url: RepositoryUrl::parse(url)?,
            access: Access::default(),
        })
    }
}
