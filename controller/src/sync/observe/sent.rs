//! Files that somebody sent to see what would become of them, in place of those of the repository.
//! Nothing of them is kept: they go with the look that they were sent for.

use std::sync::Arc;

use crate::git::Tree;
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
        let mut tree: Option<Tree> = None;
        let several =
            "the sources are of several repositories, so it is not clear of which the files are";
        for source in &mut resolved {
            let Resolved::Commit {
                repository,
                commit,
                sent,
            } = source
            else {
                continue;
            };
            let files = match tree.take() {
                Some(files) if files.is_of(repository) => files,
                Some(_) => return Err(problem(several)),
                None => {
                    let read = self.mirrors.uploaded(repository, *commit, archive.clone());
                    read.await.map_err(|why| problem(&why))?
                }
            };
            tree = Some(files.clone());
            *sent = Some(files);
        }
        match tree {
            Some(_) => Ok(resolved),
            None => Err(problem("no source is a Git repository")),
        }
    }
}

fn problem(why: &str) -> SourceProblem {
    SourceProblem {
        reason: SourceReason::Fetch,
        message: format!("the files that were sent can't be looked at: {why}"),
        hint: None,
    }
}
