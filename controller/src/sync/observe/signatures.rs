//! Whether a commit is signed as its project demands, by keys that the cluster's admins keep in two ConfigMaps.
//! Each commit is verified once per demand and set of keys; what follows from a refusal is the planner's business.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use k8s_openapi::{api::core::v1::ConfigMap, jiff::Timestamp};
use kube::{Api, Client};
use tokio::{sync::watch, task, time::timeout};

use crate::{
    access::{Denied, Judged, Project, SignatureDemand, SignatureError},
    dialect::{GPG_KEYS_CONFIG_MAP as KEYS, SourceIntent},
    git::{
        CommitId, GitError, Mirrors, Repository, Revision,
        signature::{SignedObject, Store, Trust},
    },
    sync::{
        engine::Engine,
        observe::applications::AppId,
        observe::follow::follow_one,
        observe::sources::Resolved,
        world::{SourceProblem, SourceReason},
    },
};

/// The ConfigMap with the file of allowed signers.
const SIGNERS: &str = crds::names::ALLOWED_SIGNERS_CONFIG_MAP;
/// How long to wait for the first look at the ConfigMaps before saying that they are not known.
const KEYS_WAIT: Duration = Duration::from_secs(30);
/// Verdicts that are kept: more than there are sources in use, and each is some hundred bytes.
const VERDICTS: usize = 4_096;
/// Demands whose single commits are remembered: as many as there are projects with mode `strict`.
const DEMANDS: usize = 64;

/// Data of the two ConfigMaps, as far as they were looked for.
type Found = BTreeMap<&'static str, BTreeMap<String, String>>;

/// The keys of the cluster, and what was found out with them.
#[derive(Debug)]
pub(crate) struct Signatures {
    /// None until both ConfigMaps were looked for.
    trust: watch::Sender<Option<Arc<Trust>>>,
    verdicts: Mutex<HashMap<(SignedObject, SignatureDemand), Verdict>>,
    /// Single commits of histories.
    judged: Mutex<HashMap<SignatureDemand, Arc<Judged>>>,
}

/// What was found out about a signature.
#[derive(Clone, Debug)]
struct Verdict {
    /// Until when the signature counts, in seconds since 1970; none is for ever.
    answer: Result<Option<i64>, SignatureError>,
    /// It holds for these keys only.
    with: Arc<Trust>,
}

impl Signatures {
    pub(crate) fn new() -> Self {
        Self {
            trust: watch::Sender::new(None),
            verdicts: Mutex::default(),
            judged: Mutex::default(),
        }
    }

    /// Follows the two ConfigMaps of a namespace for ever, and tells when what they hold changed.
    pub(crate) async fn follow(&self, client: Client, namespace: &str, tell: impl Fn()) {
        let found = Mutex::new(Found::new());
        let follow = |name: &'static str| {
            let api = Api::<ConfigMap>::namespaced(client.clone(), namespace);
            let data = |map: ConfigMap| map.data.unwrap_or_default();
            let (found, tell) = (&found, &tell);
            follow_one(api, name, data, move |data| {
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                found.insert(name, data.cloned().unwrap_or_default());
                if found.len() == 2 {
                    self.take_over(&found);
                    tell();
                }
            })
        };
        tokio::join!(follow(KEYS), follow(SIGNERS));
    }

    fn take_over(&self, found: &Found) {
        let signers = found[SIGNERS].get(crds::names::ALLOWED_SIGNERS_ENTRY);
        let trust = Trust::read(&found[KEYS], signers.map_or("", String::as_str));
        for problem in [Store::Keys, Store::Signers]
            .map(|store| trust.unread(store))
            .concat()
        {
            tracing::warn!(problem, "a key for signatures of commits can not be read");
        }
        self.trust.send_replace(Some(Arc::new(trust)));
        self.verdicts().clear();
    }

    async fn verdict(
        &self,
        mirrors: &Mirrors,
        repository: &Repository,
        object: SignedObject,
        demand: SignatureDemand,
    ) -> Result<Verdict, SourceProblem> {
        let with = self.trust().await?;
        let now = Timestamp::now().as_second();
        let key = (object, demand);
        let known = self.verdicts().get(&key).cloned();
        let counts = |known: &Verdict| {
            let over = matches!(known.answer, Ok(Some(until)) if until <= now);
            Arc::ptr_eq(&known.with, &with) && !over
        };
        if let Some(known) = known.filter(counts) {
            return Ok(known);
        }
        let name = object.to_string();
        let mut answer = match mirrors.signed(repository, object).await? {
            Ok(signed) => key.1.check(&signed, &name, &with, now),
            Err(problem) => Err(SignatureError::Unreadable {
                object: name,
                problem,
            }),
        };
        if let Ok(until) = answer
            && key.1.of_whole_history()
        {
            let judged = self.judged(&key.1, &with);
            let history = check_history(mirrors, repository, object.commit(), &key.1, judged, now);
            let earlier = |ends: Option<i64>| until.into_iter().chain(ends).min();
            answer = history.await?.map(earlier);
        }
        let verdict = Verdict { answer, with };
        let mut verdicts = self.verdicts();
        if verdicts.len() >= VERDICTS {
            verdicts.clear();
        }
        verdicts.insert(key, verdict.clone());
        Ok(verdict)
    }

    /// What is remembered of single commits for these keys.
    fn judged(&self, demand: &SignatureDemand, with: &Arc<Trust>) -> Arc<Judged> {
        let mut all = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(judged) = all.get(demand)
            && Arc::ptr_eq(judged.trust(), with)
        {
            return Arc::clone(judged);
        }
        if all.len() >= DEMANDS {
            all.clear();
        }
        let judged = Arc::new(Judged::new(Arc::clone(with)));
        all.insert(demand.clone(), Arc::clone(&judged));
        judged
    }

    async fn trust(&self) -> Result<Arc<Trust>, SourceProblem> {
        let mut trust = self.trust.subscribe();
        let known = timeout(KEYS_WAIT, trust.wait_for(Option::is_some)).await;
        let known = known.ok().and_then(|known| known.ok()?.clone());
        known.ok_or_else(|| SourceProblem {
            reason: SourceReason::Fetch,
            message: format!(
                "the ConfigMaps {KEYS} and {SIGNERS} of our namespace are not known yet"
            ),
            hint: None,
        })
    }

    fn verdicts(&self) -> MutexGuard<'_, HashMap<(SignedObject, SignatureDemand), Verdict>> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether all that led to a commit is signed as demanded, away from the async threads.
async fn check_history(
    mirrors: &Mirrors,
    repository: &Repository,
    commit: CommitId,
    demand: &SignatureDemand,
    judged: Arc<Judged>,
    now: i64,
) -> Result<Result<Option<i64>, SignatureError>, GitError> {
    let (ancestors, demand) = (mirrors.ancestors(repository, commit).await?, demand.clone());
    let checked = task::spawn_blocking(move || demand.check_history(&ancestors, &judged, now));
    let checked = checked.await.unwrap_or_else(|error| {
        Err(GitError::Mirror {
            url: repository.url.to_string(),
            cause: error.to_string(),
        })
    });
    if let Err(GitError::Mirror { .. }) = checked {
        mirrors.discard_history(repository);
    }
    checked
}

impl Engine {
    /// Refuses sources of which a commit is not signed as the project demands. `asked_for` are the revisions that the pass is
    /// about: while an operation runs, commits for which the spec may name tags.
    ///
    /// # Errors
    /// When one is not, when that can't be found out, or when the project contradicts itself.
    pub(super) async fn check_signatures(
        &self,
        app: &AppId,
        project: &Project,
        sources: &[SourceIntent],
        asked_for: &[String],
        resolved: &[Resolved],
    ) -> Result<(), SourceProblem> {
        for ((source, asked_for), at) in sources.iter().zip(asked_for).zip(resolved) {
            let revisions = [asked_for, &source.revision]
                .map(|revision| Revision::of(revision, &source.tag_prefix));
            self.check_signature(app, project, revisions, at).await?;
        }
        Ok(())
    }

    pub(super) async fn check_signature(
        &self,
        app: &AppId,
        project: &Project,
        revisions: [Revision; 2],
        at: &Resolved,
    ) -> Result<(), SourceProblem> {
        // A chart is known by its digest; who signed it is not asked yet.
        let Resolved::Commit {
            repository,
            commit,
            sent,
        } = at
        else {
            return Ok(());
        };
        let Some(demand) = project.demanded_signature(repository.url.as_str())? else {
            return Ok(());
        };
        if sent.is_some() {
            return Err(SourceProblem {
                reason: SourceReason::Signature,
                message: format!(
                    "the project demands signed commits of {}: files that were sent have no signature",
                    repository.url
                ),
                hint: None,
            });
        }
        self.memories.with(app, |memory| memory.signed = true);
        let object = self
            .mirrors
            .signed_object(repository, &revisions, *commit)
            .await?;
        let verdict = self
            .signatures
            .verdict(&self.mirrors, repository, object, demand)
            .await?;
        if let Some(until) = verdict.answer? {
            let seconds = u64::try_from(until - Timestamp::now().as_second()).unwrap_or_default();
            let at = Instant::now().checked_add(Duration::from_secs(seconds));
            at.into_iter().for_each(|at| self.queue.wake_at(app, at));
        }
        Ok(())
    }
}

impl From<SignatureError> for SourceProblem {
    fn from(error: SignatureError) -> Self {
        SourceProblem {
            reason: SourceReason::Signature,
            message: error.to_string(),
            hint: Some(error.hint().to_owned()),
        }
    }
}

impl From<Denied> for SourceProblem {
    fn from(denied: Denied) -> Self {
        SourceProblem {
            reason: SourceReason::Signature,
            message: denied.to_string(),
            hint: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_are_known_once_both_config_maps_were_looked_for_and_new_ones_end_all_verdicts() {
        let signatures = Signatures::new();
        assert!(signatures.trust.borrow().is_none());
        let found = Found::from([(KEYS, BTreeMap::new()), (SIGNERS, BTreeMap::new())]);
        signatures.take_over(&found);
        let first = signatures.trust().await.expect("known");
        signatures.take_over(&found);
        let second = signatures.trust().await.expect("known");
        assert!(!Arc::ptr_eq(&first, &second));
    }
}
