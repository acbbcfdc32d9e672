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
    pub(super) fn full_sha(&self) -> Option<CommitId> {
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
            Revision::Range { range, prefix } => self.highest(url, range, prefix),
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

    /// The annotated tag that `revision` names, if it names one and that leads to `commit`.
    pub(super) fn annotated_tag(&self, revision: &str, commit: CommitId) -> Option<ObjectId> {
        let name = self.full_name(revision)?;
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

    /// The highest version within `range` that a tag has behind `prefix`; of equal ones the last by name.
    fn highest(&self, url: &RepositoryUrl, range: &str, prefix: &str) -> Result<Meaning, GitError> {
        let constraint = constraint(url, range)?;
        let versions = self.0.iter().filter_map(|(name, id)| {
            let tag = name.strip_prefix("refs/tags/")?.strip_prefix(prefix)?;
            let version = Version::parse(tag).ok()?;
            constraint.allows(&version).then_some((version, id))
        });
        let highest = versions.max_by(|(one, _), (other, _)| one.compare(other));
        highest
            .map(|(_, id)| Meaning::Commit(CommitId(*id)))
            .ok_or_else(|| GitError::NoVersion {
                url: url.to_string(),
                range: range.to_owned(),
                prefix: prefix.to_owned(),
            })
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
mod tests {
    use super::*;

    const A: &str = "aaaaaaaa00000000000000000000000000000001";
    const B: &str = "aaaaaaaa00000000000000000000000000000002";
    const C: &str = "cccccccc00000000000000000000000000000003";
    const TAG: &str = "dddddddd00000000000000000000000000000004";

    fn url() -> RepositoryUrl {
        RepositoryUrl::parse("https://git.example/a").unwrap()
    }

    fn refs() -> Refs {
        let listed = [
            ("HEAD", A),
            ("refs/heads/main", A),
            ("refs/heads/v1", C),
            ("refs/tags/v1", B),
            ("refs/tags/v2", B),
            ("refs/heads/deadbeef", C),
        ];
        Refs(
            listed
                .iter()
                .map(|(name, id)| ((*name).to_owned(), id.parse::<CommitId>().unwrap().0))
                .collect(),
            ["refs/tags/v1", "refs/tags/v2"]
                .map(|name| (name.to_owned(), TAG.parse::<CommitId>().unwrap().0))
                .into(),
        )
    }

    fn meaning(revision: &str) -> String {
        match refs().meaning(&url(), &revision.into()) {
            Ok(Meaning::Commit(id)) => id.to_string(),
            Ok(Meaning::ShortSha(_)) => "short".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn head_is_meant_by_its_name_and_by_nothing() {
        assert_eq!(meaning("HEAD"), A);
        assert_eq!(meaning(""), A);
    }

    #[test]
    fn a_branch_wins_over_a_tag_of_its_name_and_over_a_sha() {
        assert_eq!(meaning("v1"), C);
        assert_eq!(meaning("refs/tags/v1"), B);
        assert_eq!(meaning("tags/v1"), B);
        assert_eq!(meaning("v2"), B);
        assert_eq!(meaning("deadbeef"), C);
    }

    #[test]
    fn a_tag_is_found_where_the_revision_names_it_and_no_branch_hides_it() {
        let tag = |revision, commit: &str| {
            let tag = refs().annotated_tag(revision, commit.parse().unwrap());
            tag.map(|id| id.to_string())
        };
        assert_eq!(tag("v2", B), Some(TAG.to_owned()));
        assert_eq!(tag("refs/tags/v1", B), Some(TAG.to_owned()));
        assert_eq!(tag("v2", A), None);
        assert_eq!(tag("v1", C), None);
        assert_eq!(tag("main", A), None);
    }

    #[test]
    fn the_beginning_of_a_sha_means_the_one_commit_that_has_it() {
        assert_eq!(meaning("ccccccc"), C);
        assert_eq!(meaning("CCCCCCCC00"), C);
        assert_eq!(
            meaning("aaaaaaaa"),
            "https://git.example/a: revision \"aaaaaaaa\" is ambiguous"
        );
        assert_eq!(meaning("bbbbbbb"), "short");
        assert_eq!(
            meaning("cccccc"),
            "https://git.example/a: revision \"cccccc\" not found"
        );
    }

    fn highest(tags: &[&str], range: &str, prefix: &str) -> String {
        let listed = tags.iter().enumerate().map(|(number, tag)| {
            let id = format!("{number:040x}").parse::<CommitId>().unwrap();
            (format!("refs/tags/{tag}"), id.0)
        });
        let mut refs = Refs(listed.collect(), BTreeMap::new());
        refs.0.insert(
            "refs/heads/9.9.9".to_owned(),
            A.parse::<CommitId>().unwrap().0,
        );
        match refs.meaning(&url(), &Revision::of(range, prefix)) {
            Ok(Meaning::Commit(id)) => {
                let number = usize::from_str_radix(&id.to_string(), 16).unwrap();
                tags[number].to_owned()
            }
            Ok(Meaning::ShortSha(_)) => "short".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_range_means_the_highest_version_in_it_that_a_tag_has() {
        let tags = [
            "1.2.3",
            "v1.10.0",
            "1.9.9",
            "2.0.0",
            "3.0.0-rc.1",
            "nightly",
            "1.x",
        ];
        for (range, expected) in [
            ("1.*", "v1.10.0"),
            ("^1.2", "v1.10.0"),
            ("~1.9", "1.9.9"),
            (">=1 <2", "v1.10.0"),
            (">=1.2, <1.9", "1.2.3"),
            ("*", "2.0.0"),
            (">=3.0.0-0", "3.0.0-rc.1"),
            ("1.2.* || 2.*", "2.0.0"),
        ] {
            assert_eq!(highest(&tags, range, ""), expected, "{range}");
        }
        assert_eq!(
            highest(&tags, "4.*", ""),
            "https://git.example/a: no tag is a version within \"4.*\""
        );
    }

    #[test]
    fn with_a_prefix_only_tags_behind_it_count() {
        let tags = ["web-1.0.0", "web-1.1.0", "api-2.0.0", "3.0.0"];
        assert_eq!(highest(&tags, "*", "web-"), "web-1.1.0");
        assert_eq!(highest(&tags, "*", "api-"), "api-2.0.0");
        assert_eq!(highest(&tags, "*", ""), "3.0.0");
        assert_eq!(
            highest(&tags, "2.*", "web-"),
            "https://git.example/a: no tag is a version within \"2.*\" behind \"web-\""
        );
    }

    #[test]
    fn what_no_ref_is_called_is_not_looked_for() {
        for no_name in [
            "a..b",
            "-x",
            "refs/a//b",
            "refs/a.lock",
            "a:b",
            "refs/heads/",
            "main^",
            "main~1",
        ] {
            assert!(
                Revision::of(no_name, "").check(&url()).is_err(),
                "{no_name}"
            );
        }
        assert!(Revision::of("feature/x-1.2_3", "").check(&url()).is_ok());
    }
}
