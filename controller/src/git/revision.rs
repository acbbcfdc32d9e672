//! Revisions: what a branch, tag, SHA or HEAD means in a listing of refs. Pure; it asks no server.

use gix::ObjectId;

/// A commit, by its full SHA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub(crate) ObjectId);

impl std::fmt::Display for CommitId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::str::FromStr for CommitId {
    type Err = NotACommitId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = ObjectId::from_hex(text.as_bytes()).map_err(|_| NotACommitId(text.to_owned()))?;
        Ok(Self(id))
    }
}

/// A text that is no full commit SHA.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no commit SHA: expected 40 hexadecimal digits")]
pub struct NotACommitId(String);
