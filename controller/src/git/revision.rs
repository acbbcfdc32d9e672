//! Revisions: what a branch, tag, range of versions, SHA or HEAD means in a listing of refs. Pure; it asks no server.

use std::collections::BTreeMap;

use gix::ObjectId;
use sealing::go::semver::{Constraint, Version};

use super::{GitError, RepositoryUrl, is_version_range};

/// Git's own minimum for an abbreviated SHA is 4; fewer than 7 digits are more likely a name than a SHA.
const SHORT_SHA_MINIMUM: usize = 7;
/// Digits of a full SHA-1.
const FULL_SHA: usize = 40;

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

/// The refs of a repository as a server listed them: full name to commit, annotated tags peeled; and the annotated tags
/// themselves, by the same names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Refs(
    pub(super) BTreeMap<String, ObjectId>,
    pub(super) BTreeMap<String, ObjectId>,
);

/// What an Application names: one ref or commit, or the highest version within a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    Named(String),
    Range {
        range: String,
        /// Only tags that begin with this count; the version stands behind it.
        prefix: String,
    },
}

impl Revision {
    /// Reads `targetRevision` with its `tagPrefix`.
    #[must_use]
    pub fn of(revision: &str, tag_prefix: &str) -> Self {
        let revision = revision.trim().to_owned();
        match is_version_range(&revision) {
            true => Self::Range {
                range: revision,
                prefix: tag_prefix.to_owned(),
            },
            false => Self::Named(revision),
        }
    }

    /// A full SHA needs no listing.
    #[must_use]
    pub fn full_sha(&self) -> Option<CommitId> {
        match self {
            Self::Named(name) if name.len() == FULL_SHA => name.parse().ok(),
            _ => None,
        }
    }

    /// A full ref name that no listing has unless it is asked for.
    pub(super) fn unlisted_ref(&self) -> Option<&str> {
        match self {
            Self::Named(name) => {
                let listed = ["refs/heads/", "refs/tags/"];
                let unlisted = !listed.iter().any(|prefix| name.starts_with(prefix));
                (name.starts_with("refs/") && unlisted).then_some(name)
            }
            Self::Range { .. } => None,
        }
    }

    /// Refuses what no ref can be called, and what is no range.
    pub(super) fn check(&self, url: &RepositoryUrl) -> Result<(), GitError> {
        match self {
            Self::Named(name) if is_name(name) => Ok(()),
            Self::Named(name) => Err(not_found(url, name)),
            Self::Range { range, .. } => constraint(url, range).map(drop),
        }
    }
}

impl From<&str> for Revision {
    fn from(revision: &str) -> Self {
        Self::of(revision, "")
    }
}

/// What a revision turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Commit(CommitId),
    /// Looks like an abbreviated SHA, and no ref has it: the mirror may.
    ShortSha(String),
}

impl Refs {
    /// What `revision` means.
    pub(super) fn meaning(
        &self,
        url: &RepositoryUrl,
        revision: &Revision,
    ) -> Result<Meaning, GitError> {
        match revision {
            Revision::Named(name) => self.named(url, name),
            Revision::Range { range, prefix } => self.within(url, range, prefix),
        }
    }

    /// A full ref name, then a branch, then a tag, then the beginning of a listed SHA. Branches win over tags of the
    /// same name, as in Argo CD.
    fn named(&self, url: &RepositoryUrl, name: &str) -> Result<Meaning, GitError> {
        let name = if name.is_empty() { "HEAD" } else { name };
        if let Some(id) = self.called(name) {
            return Ok(Meaning::Commit(CommitId(id)));
        }
        if !is_short_sha(name) {
            return Err(not_found(url, name));
        }
        let short = name.to_ascii_lowercase();
        let mut ids: Vec<_> = self
            .0
            .values()
            .filter(|id| id.to_string().starts_with(&short))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        match ids.as_slice() {
            [] => Ok(Meaning::ShortSha(short)),
            [id] => Ok(Meaning::Commit(CommitId(**id))),
            _ => Err(GitError::RevisionAmbiguous {
                url: url.to_string(),
                revision: name.to_owned(),
            }),
        }
    }

    /// The annotated tag that `revision` names or, of a range, chooses: if there is one, and that leads to `commit`.
    pub(super) fn annotated_tag(&self, revision: &Revision, commit: CommitId) -> Option<ObjectId> {
        let name = match revision {
            Revision::Named(name) => self.full_name(name)?,
            // As it was when it chose this commit: a higher version since then has another one.
            Revision::Range { range, prefix } => {
                let constraint = Constraint::parse(range).ok()?;
                let chosen = self.highest(&constraint, prefix, |id| *id == commit.0);
                chosen?.0.clone()
            }
        };
        let leads_there = self.0.get(&name) == Some(&commit.0);
        self.1.get(&name).filter(|_| leads_there).copied()
    }

    fn called(&self, name: &str) -> Option<ObjectId> {
        self.0.get(&self.full_name(name)?).copied()
    }

    fn full_name(&self, revision: &str) -> Option<String> {
        ["", "refs/heads/", "refs/tags/", "refs/"]
            .iter()
            .map(|prefix| format!("{prefix}{revision}"))
            .find(|name| self.0.contains_key(name))
    }

    /// The commit of the highest version within `range`.
    fn within(&self, url: &RepositoryUrl, range: &str, prefix: &str) -> Result<Meaning, GitError> {
        let constraint = constraint(url, range)?;
        let highest = self.highest(&constraint, prefix, |_| true);
        highest
            .map(|(_, id)| Meaning::Commit(CommitId(*id)))
            .ok_or_else(|| GitError::NoVersion {
                url: url.to_string(),
                range: range.to_owned(),
                prefix: prefix.to_owned(),
            })
    }

    /// The tag with the highest version that is allowed, behind `prefix`, among those that lead `there`; of equal ones the last
    /// by name.
    fn highest(
        &self,
        allowed: &Constraint,
        prefix: &str,
        there: impl Fn(&ObjectId) -> bool,
    ) -> Option<(&String, &ObjectId)> {
        let leading = self.0.iter().filter(|(_, id)| there(id));
        let versions = leading.filter_map(|(name, id)| {
            let tag = name.strip_prefix("refs/tags/")?.strip_prefix(prefix)?;
            let version = Version::parse(tag).ok()?;
            allowed.allows(&version).then_some((version, (name, id)))
        });
        let highest = versions.max_by(|(one, _), (other, _)| one.compare(other));
        highest.map(|(_, tag)| tag)
    }
}

fn is_short_sha(revision: &str) -> bool {
    (SHORT_SHA_MINIMUM..FULL_SHA).contains(&revision.len())
        && revision.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a ref can be called `name`.
fn is_name(name: &str) -> bool {
    let odd = name.starts_with('-')
        || name.contains([' ', ':', '?', '[', '\\', '*', '^', '~'])
        || name.contains("..")
        || name.chars().any(char::is_control);
    let no_full_name = name.starts_with("refs/") && gix::refs::FullName::try_from(name).is_err();
    !odd && !no_full_name
}

fn constraint(url: &RepositoryUrl, range: &str) -> Result<Constraint, GitError> {
    Constraint::parse(range).map_err(|_| GitError::InvalidRange {
        url: url.to_string(),
        range: range.to_owned(),
    })
}

pub(super) fn not_found(url: &RepositoryUrl, revision: &str) -> GitError {
    GitError::RevisionNotFound {
        url: url.to_string(),
        revision: revision.to_owned(),
    }
}

#[cfg(test)]
#[path = "revision/tests.rs"]
mod tests;
