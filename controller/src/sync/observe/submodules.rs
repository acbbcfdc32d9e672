//! Submodules that a source turns out to read: fetched while nothing waits for it, as far as the project permits.
//! It finds none itself: whoever reads a tree says what it lacks.

use crate::sync::observe::sources::Sources;
use crate::sync::world::{SourceProblem, SourceReason};
use crate::{
    access::Project,
    git::{Fetched, GitError, Submodule},
    render::{RemoteBase, RenderError, Request},
};

/// Why something was not done with files of a repository.
#[derive(Debug)]
pub(super) enum Undone {
    /// It can be, with the files of this submodule.
    Lacks(Box<Submodule>),
    /// The same of this repository.
    LacksBase(Box<RemoteBase>),
    Problem(SourceProblem),
}

impl From<SourceProblem> for Undone {
    fn from(problem: SourceProblem) -> Self {
        Self::Problem(problem)
    }
}

impl From<GitError> for Undone {
    fn from(error: GitError) -> Self {
        match error {
            GitError::Lacks(submodule) => Self::Lacks(submodule),
            error => Self::Problem(error.into()),
        }
    }
}

impl From<RenderError> for Undone {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Git(error) => error.into(),
            RenderError::LacksBase(base) => Self::LacksBase(base),
            error => Self::Problem(error.into()),
        }
    }
}

impl From<Undone> for SourceProblem {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::Lacks(submodule) => GitError::Lacks(submodule).into(),
            Undone::LacksBase(base) => RenderError::LacksBase(base).into(),
            Undone::Problem(problem) => problem,
        }
    }
}

/// What takes submodules up.
pub(super) trait Supplied: Clone {
    fn supplied(self, fetched: Fetched) -> Result<Self, GitError>;
}

impl Supplied for Vec<Fetched> {
    fn supplied(mut self, fetched: Fetched) -> Result<Self, GitError> {
        self.push(fetched);
        Ok(self)
    }
}

impl Supplied for Request {
    fn supplied(self, fetched: Fetched) -> Result<Self, GitError> {
        self.with(&fetched)
    }
}

impl Sources {
    /// `of` with what was missing for something to be done; or the reason why it can't be.
    ///
    /// # Errors
    /// When it was no submodule that was missing, or one that is not permitted or can't be fetched.
    pub(super) async fn supply<T: Supplied>(
        &self,
        project: &Project,
        of: T,
        undone: Undone,
    ) -> Result<T, SourceProblem> {
        let submodule = match undone {
            Undone::Lacks(submodule) => submodule,
            undone => return Err(undone.into()),
        };
        let fetched = self.submodule(project, &submodule).await;
        let fetched = fetched.map_err(|problem| SourceProblem {
            message: format!("{submodule}: {}", problem.message),
            ..problem
        })?;
        Ok(of.supplied(fetched)?)
    }

    async fn submodule(
        &self,
        project: &Project,
        submodule: &Submodule,
    ) -> Result<Fetched, SourceProblem> {
        let mirrors = &self.mirrors;
        let repository = mirrors
            .submodule_repository(submodule, project.name())
            .await?;
        let own_secret = !repository.access.rests_on(&submodule.top().access);
        project
            .permits_submodule(repository.url.as_str(), own_secret)
            .map_err(|denied| SourceProblem {
                reason: SourceReason::Render,
                message: denied.message,
                hint: None,
            })?;
        Ok(mirrors.submodule(submodule, &repository).await?)
    }
}
