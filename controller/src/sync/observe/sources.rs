//! What Git holds for an Application: its revision resolved, its tree rendered, each render made once and shared.
//! It asks no cluster and compares nothing.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Semaphore;

use crate::sync::world::{SourceProblem, SourceReason};
use crate::{
    dialect::SourceIntent,
    git::{CommitId, Freshness, GitError, Mirrors, Repository},
    render::{BuildEnvironment, RenderError, RenderKey, Rendered, Renderer, Request, Root},
};

/// Renders at once: they are CPU time, and Applications of one commit mostly find the render of another.
const RENDERS: usize = 2;
/// Manifests that are kept for Applications with the same source: a few megabytes, and more than a wave of Applications needs.
const KEPT_MANIFESTS: usize = 2_000;

/// Renders, and the repositories they come from.
#[derive(Debug)]
pub(crate) struct Sources {
    mirrors: Arc<Mirrors>,
    renderer: Arc<Renderer>,
    turns: Semaphore,
    recent: Mutex<VecDeque<Arc<Rendered>>>,
}

impl Sources {
    pub(crate) fn new(mirrors: Arc<Mirrors>, renderer: Renderer) -> Self {
        Sources {
            mirrors,
            renderer: Arc::new(renderer),
            turns: Semaphore::new(RENDERS),
            recent: Mutex::default(),
        }
    }

    /// The commit that `revision` of the source means. With `insist`, a revision that the last listing does not have is looked for in
    /// a new one.
    ///
    /// # Errors
    /// When the repository can't be read or has no such revision.
    pub(crate) async fn resolve(
        &self,
        source: &SourceIntent,
        project: &str,
        revision: &str,
        freshness: Freshness,
        insist: bool,
    ) -> Result<(Repository, CommitId), SourceProblem> {
        let repository = self
            .mirrors
            .repository(&source.repo_url, project)
            .await
            .map_err(SourceProblem::from)?;
        let commit = match self.mirrors.resolve(&repository, revision, freshness).await {
            Err(GitError::RevisionNotFound { .. }) if insist => {
                self.mirrors
                    .resolve(&repository, revision, Freshness::Latest)
                    .await
            }
            resolved => resolved,
        };
        let commit = commit.map_err(SourceProblem::from)?;
        Ok((repository, commit))
    }

    /// What is to be rendered of the source at a commit. What the cluster says of itself is not in it yet.
    ///
    /// # Errors
    /// When the commit can't be fetched, or has no such path.
    pub(crate) async fn request(
        &self,
        source: &SourceIntent,
        repository: &Repository,
        commit: &CommitId,
        environment: BuildEnvironment,
    ) -> Result<Request, SourceProblem> {
        let tree = self
            .mirrors
            .tree(repository, commit, &source.path)
            .await
            .map_err(SourceProblem::from)?;
        Ok(Request {
            options: source.options.clone(),
            root: Root::Tree(tree),
            overridable: true,
            references: BTreeMap::new(),
            environment,
            cluster: Arc::default(),
            dependencies: Vec::new(),
        })
    }

    /// Whether what the cluster says of itself must be put into the request.
    ///
    /// # Errors
    /// When it can't be told how the source is rendered.
    pub(crate) async fn needs_cluster(&self, request: &Request) -> Result<bool, SourceProblem> {
        let (renderer, request) = (self.renderer.clone(), request.clone());
        blocking(move || renderer.needs_cluster(&request)).await
    }

    /// The objects of the source.
    ///
    /// # Errors
    /// When something in it is no manifest, or its program refuses it.
    pub(crate) async fn render(&self, request: Request) -> Result<Arc<Rendered>, SourceProblem> {
        let _turn = self.turns.acquire().await;
        let renderer = self.renderer.clone();
        let (request, key) =
            blocking(move || renderer.key(&request).map(|key| (request, key))).await?;
        if let Some(rendered) = self.recall(&key) {
            return Ok(rendered);
        }
        let renderer = self.renderer.clone();
        let rendered = Arc::new(blocking(move || renderer.render(&request)).await?);
        self.keep(rendered.clone());
        Ok(rendered)
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
        }),
    }
}

impl From<GitError> for SourceProblem {
    fn from(error: GitError) -> Self {
        SourceProblem {
            reason: SourceReason::Fetch,
            message: error.to_string(),
        }
    }
}

impl From<RenderError> for SourceProblem {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Git(error) => error.into(),
            error => SourceProblem {
                reason: SourceReason::Render,
                message: match error.hint() {
                    Some(hint) => format!("{error} (hint: {hint})"),
                    None => error.to_string(),
                },
            },
        }
    }
}
