//! Files that somebody sent to see what would become of them, in place of those of the repository.
//! Nothing of them is kept: they go with the look that they were sent for.

use std::sync::Arc;

use crate::git::RepositoryUrl;
use crate::sync::observe::sources::{Resolved, Sources};
use crate::sync::world::{SourceProblem, SourceReason};

impl Sources {
    /// The same sources with the files of an archive, which has to be of the one repository that they are from.
    ///
    /// # Errors
    /// When they are from several or from none, and when the archive can't be read.
    pub(super) async fn with_sent(
        &self,
        mut resolved: Vec<Resolved>,
        archive: &Arc<[u8]>,
    ) -> Result<Vec<Resolved>, SourceProblem> {
        let mut of: Option<&RepositoryUrl> = None;
        for source in &resolved {
            let Resolved::Commit { repository, .. } = source else {
                continue;
            };
            if of.is_some_and(|of| !of.same_repository(&repository.url)) {
                return Err(problem(
                    "the sources are of several repositories, so it is not clear of which the files are",
                ));
            }
            of = Some(&repository.url);
        }
        if of.is_none() {
            return Err(problem("no source is a Git repository"));
        }
        for source in &mut resolved {
            if let Resolved::Commit {
                repository,
                commit,
                sent,
            } = source
            {
                let tree = self.mirrors.uploaded(repository, *commit, archive.clone());
                *sent = Some(tree.await.map_err(|why| problem(&why))?);
            }
        }
        Ok(resolved)
    }
}

fn problem(why: &str) -> SourceProblem {
    SourceProblem {
        reason: SourceReason::Fetch,
        message: format!("the files that were sent can't be looked at: {why}"),
        hint: None,
    }
}
