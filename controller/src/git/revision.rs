//! Revisions: what a branch, tag, SHA or HEAD means in a listing of refs. Pure; it asks no server.

use std::collections::BTreeMap;

use gix::ObjectId;

use super::{GitError, RepositoryUrl};

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

/// What a revision turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Commit(CommitId),
    /// Looks like an abbreviated SHA, and no ref has it: the mirror may.
    ShortSha,
}

/// A full SHA needs no listing.
pub(super) fn full_sha(revision: &str) -> Option<CommitId> {
    (revision.len() == FULL_SHA)
        .then(|| revision.parse().ok())
        .flatten()
}

impl Refs {
    /// What `revision` means: a full ref name, then a branch, then a tag, then the beginning of a listed SHA.
    /// Branches win over tags of the same name, as in Argo CD.
    pub(super) fn meaning(&self, url: &RepositoryUrl, revision: &str) -> Result<Meaning, GitError> {
        let revision = if revision.is_empty() {
            "HEAD"
        } else {
            revision
        };
        if let Some(id) = self.named(revision) {
            return Ok(Meaning::Commit(CommitId(id)));
        }
        if !is_short_sha(revision) {
            return Err(not_found(url, revision));
        }
        let mut ids: Vec<_> = self
            .0
            .values()
            .filter(|id| id.to_string().starts_with(&revision.to_ascii_lowercase()))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        match ids.as_slice() {
            [] => Ok(Meaning::ShortSha),
            [id] => Ok(Meaning::Commit(CommitId(**id))),
            _ => Err(GitError::RevisionAmbiguous {
                url: url.to_string(),
                revision: revision.to_owned(),
            }),
        }
    }

    /// The annotated tag that `revision` names, if it names one and that leads to `commit`.
    pub(super) fn annotated_tag(&self, revision: &str, commit: CommitId) -> Option<ObjectId> {
        let name = self.full_name(revision)?;
        let leads_there = self.0.get(&name) == Some(&commit.0);
        self.1.get(&name).filter(|_| leads_there).copied()
    }

    fn named(&self, revision: &str) -> Option<ObjectId> {
        self.0.get(&self.full_name(revision)?).copied()
    }

    fn full_name(&self, revision: &str) -> Option<String> {
        ["", "refs/heads/", "refs/tags/", "refs/"]
            .iter()
            .map(|prefix| format!("{prefix}{revision}"))
            .find(|name| self.0.contains_key(name))
    }
}

fn is_short_sha(revision: &str) -> bool {
    (SHORT_SHA_MINIMUM..FULL_SHA).contains(&revision.len())
        && revision.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A revision that no listing can know: version ranges are named, since Argo CD's users write them.
pub(super) fn refuse_unsupported(url: &RepositoryUrl, revision: &str) -> Result<(), GitError> {
    let range = revision.contains(['*', '^', '~'])
        || revision.starts_with(['<', '>', '='])
        || revision.contains("||");
    if range {
        return Err(GitError::NotSupported {
            url: url.to_string(),
            what: format!("revision {revision:?}: a range of versions"),
        });
    }
    let no_ref_name = revision.starts_with('-')
        || revision.contains([' ', ':', '?', '[', '\\'])
        || revision.contains("..");
    let no_full_name =
        revision.starts_with("refs/") && gix::refs::FullName::try_from(revision).is_err();
    if no_ref_name || no_full_name || revision.chars().any(char::is_control) {
        return Err(not_found(url, revision));
    }
    Ok(())
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
        match refs().meaning(&url(), revision) {
            Ok(Meaning::Commit(id)) => id.to_string(),
            Ok(Meaning::ShortSha) => "short".to_owned(),
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

    #[test]
    fn a_version_range_is_refused_by_name() {
        for range in ["1.*", "^1.2", "~1", ">=1.0.0", "<2"] {
            let message = refuse_unsupported(&url(), range).unwrap_err().to_string();
            assert!(message.ends_with("a range of versions"), "{message}");
        }
        for no_name in [
            "a..b",
            "-x",
            "refs/a//b",
            "refs/a.lock",
            "a:b",
            "refs/heads/",
        ] {
            assert!(refuse_unsupported(&url(), no_name).is_err(), "{no_name}");
        }
        assert!(refuse_unsupported(&url(), "feature/x-1.2_3").is_ok());
    }
}
