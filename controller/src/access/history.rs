//! Whether all that led to a commit is signed as demanded: each commit back to the first ones, or to one that seals what is before it.
//! It fetches nothing.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use super::{SignatureDemand, SignatureError};
use crate::git::{Ancestors, CommitId, GitError, signature::Trust};

/// Commits that are remembered for one demand, each with some fifty bytes.
const REMEMBERED: usize = 400_000;

/// What was found out about single commits, for one demand and one set of keys: so each is verified once.
#[derive(Debug)]
pub struct Judged {
    trust: Arc<Trust>,
    /// Until when the signature counts, if it does.
    commits: Mutex<HashMap<CommitId, Option<Until>>>,
}

/// In seconds since 1970; none is for ever.
type Until = Option<i64>;

impl Judged {
    #[must_use]
    pub fn new(trust: Arc<Trust>) -> Self {
        Self {
            trust,
            commits: Mutex::default(),
        }
    }

    /// The keys that it holds for.
    #[must_use]
    pub fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }

    fn known(&self, commit: CommitId, now: i64) -> Option<Option<Until>> {
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let known = commits.get(&commit).copied();
        known.filter(|known| !matches!(known, Some(Some(until)) if *until <= now))
    }

    fn remember(&self, commit: CommitId, judgement: Option<Until>) {
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        if commits.len() >= REMEMBERED {
            commits.clear();
        }
        commits.insert(commit, judgement);
    }
}

impl SignatureDemand {
    /// Whether it is one of all commits that led to the one in question, and not of that alone.
    #[must_use]
    pub fn of_whole_history(&self) -> bool {
        self.whole_history
    }

    /// Until when, in seconds since 1970, all that led to a commit is signed as demanded; `now` is the clock. Reads and verifies
    /// what nobody did before: not for async threads.
    ///
    /// # Errors
    /// `Err` when a commit can't be read; `Ok(Err)` when one of those that count is not signed as demanded.
    pub fn check_history(
        &self,
        ancestors: &Ancestors,
        judged: &Judged,
        now: i64,
    ) -> Result<Result<Until, SignatureError>, GitError> {
        let judge = |commit| match judged.known(commit, now) {
            Some(known) => Ok(known),
            None => {
                let judgement = self.judge(ancestors, commit, judged, now)?.ok();
                judged.remember(commit, judgement);
                Ok::<_, GitError>(judgement)
            }
        };
        let mut seals = BTreeSet::new();
        for seal in ancestors.seals() {
            if judge(seal)?.is_some() {
                seals.insert(seal);
            }
        }
        let (mut until, mut refused, mut others) = (None::<i64>, None, 0_usize);
        for commit in ancestors.unsealed(&seals) {
            match (judge(commit)?, refused) {
                (Some(ends), _) => until = until.into_iter().chain(ends).min(),
                (None, None) => refused = Some(commit),
                (None, Some(_)) => others += 1,
            }
        }
        let Some(refused) = refused else {
            return Ok(Ok(until));
        };
        let (why, tip) = (
            self.judge(ancestors, refused, judged, now)?,
            ancestors.tip(),
        );
        Ok(why.map_err(|why| match refused == tip {
            true => why,
            false => SignatureError::InHistory {
                why: Box::new(why),
                tip,
                others,
            },
        }))
    }

    fn judge(
        &self,
        ancestors: &Ancestors,
        commit: CommitId,
        judged: &Judged,
        now: i64,
    ) -> Result<Result<Until, SignatureError>, GitError> {
        let object = format!("commit {commit}");
        Ok(match ancestors.signed(commit)? {
            Ok(signed) => self.check(&signed, &object, &judged.trust, now),
            Err(problem) => Err(SignatureError::Unreadable { object, problem }),
        })
    }
}
