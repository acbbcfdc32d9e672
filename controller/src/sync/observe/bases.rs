//! Bases that kustomizations have in other repositories: where each stands, and whether a render of it still holds.
//! It finds none itself: the renderer says which it lacks.

use crate::sync::{
    engine::Engine,
    observe::applications::AppId,
    observe::sources::{Resolved, Sources},
    world::{SourceProblem, SourceReason},
};
use crate::{
    access::Project,
    git::{CommitId, Freshness, GitError, Repository, RepositoryUrl, Revision, Tree},
    render::{RemoteBase, RenderError},
};

/// A base, the repository that it means for an Application, and the commit there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BaseAt {
    pub(super) base: RemoteBase,
    /// The repository of the source that reads it.
    reader: RepositoryUrl,
    repository: Repository,
    commit: CommitId,
}

impl Sources {
    /// Where a base of a source stands. A revision that the last listing of refs does not have is looked for in a new one.
    ///
    /// # Errors
    /// When the project does not permit its repository, or that can't be read or has no such revision.
    pub(super) async fn base(
        &self,
        project: &Project,
        reader: &RepositoryUrl,
        base: RemoteBase,
        freshness: Freshness,
    ) -> Result<BaseAt, SourceProblem> {
        let url = &base.url;
        project
            .permits_source(url, true)
            .map_err(|denied| SourceProblem {
                reason: SourceReason::Render,
                message: format!("remote base {base}: {}", denied.message),
                hint: None,
            })?;
        let found = async {
            let mirrors = &self.mirrors;
            let repository = mirrors
                .other_repository(url, reader, project.name())
                .await?;
            let resolve = async |freshness| {
                let revision = Revision::of(&base.revision, "");
                mirrors.resolve(&repository, revision, freshness).await
            };
            let commit = match resolve(freshness).await {
                Err(GitError::RevisionNotFound { .. }) => resolve(Freshness::Latest).await?,
                resolved => resolved?,
            };
            Ok((repository, commit))
        };
        let found: Result<_, GitError> = found.await;
        let (repository, commit) = found.map_err(|error| about(&base, error.into()))?;
        Ok(BaseAt {
            base,
            reader: reader.clone(),
            repository,
            commit,
        })
    }

    /// The same for a source, whose repository reads it.
    ///
    /// # Errors
    /// As [`Self::base`].
    pub(super) async fn base_of(
        &self,
        project: &Project,
        source: &Resolved,
        base: RemoteBase,
        freshness: Freshness,
    ) -> Result<BaseAt, SourceProblem> {
        match source {
            Resolved::Commit { repository, .. } => {
                self.base(project, &repository.url, base, freshness).await
            }
            // Helm renders it, which knows no bases.
            Resolved::Chart { .. } => Err(RenderError::LacksBase(Box::new(base)).into()),
        }
    }

    /// The root of its repository.
    ///
    /// # Errors
    /// When the commit can't be fetched.
    pub(super) async fn base_tree(&self, at: &BaseAt) -> Result<Tree, SourceProblem> {
        let tree = self.mirrors.tree(&at.repository, &at.commit, "").await;
        tree.map_err(|error| about(&at.base, error.into()))
    }
}

impl Engine {
    /// Whether all bases stand where they stood, and as the project demands.
    ///
    /// # Errors
    /// When that can't be found out, or the project does not permit one any more.
    pub(super) async fn bases_stand(
        &self,
        app: &AppId,
        project: &Project,
        bases: &[BaseAt],
        freshness: Freshness,
    ) -> Result<bool, SourceProblem> {
        for known in bases {
            let base = known.base.clone();
            let now = self.sources.base(project, &known.reader, base, freshness);
            if now.await? != *known {
                return Ok(false);
            }
        }
        self.check_bases(app, project, bases).await?;
        Ok(true)
    }

    /// Refuses bases of which the commit is not signed as the project demands. One that is named by its full id is part of what
    /// its reader signed, as a submodule is.
    ///
    /// # Errors
    /// When one is not, or that can't be found out.
    pub(super) async fn check_bases(
        &self,
        app: &AppId,
        project: &Project,
        bases: &[BaseAt],
    ) -> Result<(), SourceProblem> {
        for at in bases {
            let revision = Revision::of(&at.base.revision, "");
            if revision.full_sha().is_some() {
                continue;
            }
            let resolved = Resolved::Commit {
                repository: Box::new(at.repository.clone()),
                commit: at.commit,
                sent: None,
            };
            let revisions = [revision.clone(), revision];
            let checked = self.check_signature(app, project, revisions, &resolved);
            checked.await.map_err(|problem| about(&at.base, problem))?;
        }
        Ok(())
    }
}

fn about(base: &RemoteBase, problem: SourceProblem) -> SourceProblem {
    SourceProblem {
        message: format!("remote base {base}: {}", problem.message),
        ..problem
    }
}
