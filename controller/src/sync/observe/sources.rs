//! What Git holds for an Application: revisions resolved, trees rendered, each render made once and shared.
//! It asks no cluster and compares nothing.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future;
use tokio::sync::Semaphore;

use crate::sync::revisions::Revisions;
use crate::sync::world::{SourceProblem, SourceReason};
use crate::{
    dialect::{Intent, SourceIntent},
    git::{CommitId, Freshness, GitError, Mirrors, Repository, Revision, Tree},
    render::{self, RenderError, RenderKey, Rendered},
};

/// Renders at once: they are CPU time, and Applications of one commit mostly find the render of another.
const RENDERS: usize = 2;
/// Manifests that are kept for Applications with the same source: a few megabytes, and more than a wave of Applications needs.
const KEPT_MANIFESTS: usize = 2_000;

/// Where a source stands: its repository as it may be read, and the commit.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(super) repository: Repository,
    pub(super) commit: CommitId,
}

/// The revisions of all sources.
pub(crate) fn revisions(resolved: &[Resolved]) -> Revisions {
    let commits = resolved.iter().map(|source| source.commit.to_string());
    Revisions::new(commits.collect())
}

/// Renders, and the repositories they come from.
#[derive(Debug)]
pub(crate) struct Sources {
    mirrors: Arc<Mirrors>,
    turns: Semaphore,
    recent: Mutex<VecDeque<Arc<Rendered>>>,
}

impl Sources {
    pub(crate) fn new(mirrors: Arc<Mirrors>) -> Self {
        Sources {
            mirrors,
            turns: Semaphore::new(RENDERS),
            recent: Mutex::default(),
        }
    }

    /// What each source stands at. With `insist`, a revision that the last listing does not have is looked for in a new one.
    ///
    /// # Errors
    /// When a repository can't be read or has no such revision.
    pub(crate) async fn resolve(
        &self,
        intent: &Intent,
        revisions: &[String],
        freshness: Freshness,
        insist: bool,
    ) -> Result<Vec<Resolved>, SourceProblem> {
        let resolved = intent
            .sources
            .iter()
            .zip(revisions)
            .map(|(source, revision)| {
                self.resolve_one(source, &intent.project, revision, freshness, insist)
            });
        future::try_join_all(resolved).await
    }

    async fn resolve_one(
        &self,
        source: &SourceIntent,
        project: &str,
        revision: &str,
        freshness: Freshness,
        insist: bool,
    ) -> Result<Resolved, SourceProblem> {
        let repository = self.mirrors.repository(&source.repo_url, project).await?;
        let revision = Revision::of(revision, &source.tag_prefix);
        let resolve = async |freshness| {
            self.mirrors
                .resolve(&repository, revision.clone(), freshness)
                .await
        };
        let commit = match resolve(freshness).await {
            Err(GitError::RevisionNotFound { .. } | GitError::NoVersion { .. }) if insist => {
                resolve(Freshness::Latest).await
            }
            resolved => resolved,
        };
        Ok(Resolved {
            repository,
            commit: commit?,
        })
    }

    /// The objects of all sources, in their order.
    ///
    /// # Errors
    /// When a commit can't be fetched, has no such path, or holds something that is no manifest: then there are none at all.
    pub(crate) async fn render(
        &self,
        sources: &[SourceIntent],
        resolved: &[Resolved],
    ) -> Result<Arc<Rendered>, SourceProblem> {
        let rendering = sources
            .iter()
            .zip(resolved)
            .filter(|(source, _)| source.renders)
            .map(|(source, resolved)| self.render_one(source, resolved));
        let mut rendered = future::try_join_all(rendering).await?;
        match rendered.len() {
            1 => Ok(rendered.remove(0)),
            _ => Ok(Arc::new(Rendered::joined(&rendered))),
        }
    }

    async fn render_one(
        &self,
        source: &SourceIntent,
        resolved: &Resolved,
    ) -> Result<Arc<Rendered>, SourceProblem> {
        let Resolved { repository, commit } = resolved;
        let tree = self.mirrors.tree(repository, commit, &source.path).await?;
        let options = source.directory.clone();
        let _turn = self.turns.acquire().await;
        let (tree, key) =
            blocking(move || render::key(&tree, &options).map(|key| (tree, key))).await?;
        if let Some(rendered) = self.recall(&key) {
            return Ok(rendered);
        }
        let rendered = Arc::new(self.directory(tree, source).await?);
        self.keep(rendered.clone());
        Ok(rendered)
    }

    async fn directory(
        &self,
        tree: Tree,
        source: &SourceIntent,
    ) -> Result<Rendered, SourceProblem> {
        let options = source.directory.clone();
        blocking(move || render::directory(&tree, &options)).await
    }

    fn recall(&self, key: &RenderKey) -> Option<Arc<Rendered>> {
        self.recent()
            .iter()
            .find(|rendered| rendered.key == *key)
            .cloned()
    }

    fn keep(&self, rendered: Arc<Rendered>) {
        let mut recent = self.recent();
        recent.push_front(rendered);
        let mut manifests = 0;
        let fits = |rendered: &&Arc<Rendered>| {
            manifests += rendered.manifests.len();
            manifests <= KEPT_MANIFESTS
        };
        let kept = recent.iter().take_while(fits).count();
        recent.truncate(kept);
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<Arc<Rendered>>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Trees are read and parsed away from the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RenderError> + Send + 'static,
) -> Result<T, SourceProblem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(SourceProblem::from),
        Err(broken) => Err(SourceProblem {
            reason: SourceReason::Render,
            message: format!("rendering broke off: {broken}"),
            hint: None,
        }),
    }
}

impl From<GitError> for SourceProblem {
    fn from(error: GitError) -> Self {
        SourceProblem {
            reason: SourceReason::Fetch,
            message: error.to_string(),
            hint: error.hint().map(str::to_owned),
        }
    }
}

impl From<RenderError> for SourceProblem {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Git(error) => error.into(),
            error => SourceProblem {
                reason: SourceReason::Render,
                message: error.to_string(),
                hint: error.hint().map(str::to_owned),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_or_a_render_can_not_do_comes_with_its_remedy() {
        let missing = GitError::RevisionAmbiguous {
            url: "https://git.example.com/shop.git".to_owned(),
            revision: "c0ffee".to_owned(),
        };
        let text = "https://git.example.com/shop.git: revision \"c0ffee\" is ambiguous; write the full SHA";
        assert_eq!(SourceProblem::from(missing.clone()).to_string(), text);
        assert_eq!(
            SourceProblem::from(RenderError::from(missing)).to_string(),
            text
        );
        let too_much = RenderError::Limit {
            what: "the source".to_owned(),
            limit: "10 MiB".to_owned(),
        };
        assert_eq!(
            SourceProblem::from(too_much).to_string(),
            "the source exceeds the limit of 10 MiB; spread the manifests over several Applications"
        );
    }
}
