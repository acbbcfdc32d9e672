//! What carries the signature of a revision: the annotated tag that was asked for by name, else the commit itself.
//! It must not judge a signature.

use gix::ObjectId;
use tokio::task;

use super::{
    super::{CommitId, Freshness, GitError, Mirrors, Repository, Revision},
    Signed,
};

/// A commit or tag with a longer text is not verified: git's own tools wrap lines far earlier.
const LONGEST: u64 = 1024 * 1024;

/// The object whose signature counts, before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignedObject {
    id: ObjectId,
    commit: CommitId,
}

impl std::fmt::Display for SignedObject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, commit } = self;
        match *id == commit.0 {
            true => write!(f, "commit {commit}"),
            false => write!(f, "tag {id} of commit {commit}"),
        }
    }
}

impl SignedObject {
    /// The commit that it is, or leads to.
    #[must_use]
    pub fn commit(&self) -> CommitId {
        self.commit
    }
}

impl Mirrors {
    /// What has to be signed for `commit`: an annotated tag that leads to it, when one of the `revisions` names or chooses such a
    /// tag (Argo CD's rule), else the commit.
    ///
    /// # Errors
    /// When the refs can't be listed.
    pub async fn signed_object(
        &self,
        repository: &Repository,
        revisions: &[Revision],
        commit: CommitId,
    ) -> Result<SignedObject, GitError> {
        let mut id = commit.0;
        let names = || {
            let names = revisions.iter();
            names.filter(|revision| revision.full_sha().is_none())
        };
        if names().next().is_some() {
            let refs = self.mirror(repository)?.refs(Freshness::Cached).await?;
            let mut tags = names().filter_map(|name| refs.annotated_tag(name, commit));
            id = tags.next().unwrap_or(id);
        }
        Ok(SignedObject { id, commit })
    }

    /// Reads the object, fetched when the mirror does not have it.
    ///
    /// # Errors
    /// `Err` when it can't be fetched or read; `Ok(Err)` when it is none that could carry a signature of the commit.
    pub async fn signed(
        &self,
        repository: &Repository,
        object: SignedObject,
    ) -> Result<Result<Signed, &'static str>, GitError> {
        let SignedObject { id, commit } = object;
        // A server gives a tag by its id as it gives a commit.
        let store = self.mirror(repository)?.store_with(CommitId(id)).await?;
        let failed = |cause: String| GitError::Mirror {
            url: repository.url.to_string(),
            cause,
        };
        let read = task::spawn_blocking(move || read(&store.open(), id, commit));
        let read = read.await.map_err(|error| failed(error.to_string()))?;
        read.map_err(|error| failed(error.to_string()))
    }
}

/// A commit, or a tag that leads to `commit`, as an object of `repository`.
pub(in crate::git) fn read(
    repository: &gix::Repository,
    id: ObjectId,
    commit: CommitId,
) -> gix::Result<Result<Signed, &'static str>> {
    if repository.find_header(id)?.size() > LONGEST {
        return Ok(Err("it is longer than 1 MiB"));
    }
    let object = repository.find_object(id)?;
    Ok(match object.kind {
        gix::object::Kind::Commit => Signed::commit(&object.data),
        gix::object::Kind::Tag => of_tag(&object.data, commit),
        _ => Err("it is neither a commit nor a tag"),
    })
}

/// The listing said that the tag leads to the commit; only the tag itself says so in what is signed.
fn of_tag(raw: &[u8], commit: CommitId) -> Result<Signed, &'static str> {
    let leads_to = raw
        .strip_prefix(b"object ")
        .and_then(|rest| rest.split(|byte| *byte == b'\n').next());
    match leads_to {
        Some(id) if id == commit.to_string().as_bytes() => Signed::tag(raw),
        _ => Err("the tag does not lead to the commit"),
    }
}
