//! What one process remembers of an Application between passes: what saves work. All of it can be found again after a restart.
//! No state of an operation is here: that is in the Application's status.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::sync::{
    desired::{Desired, WantedHash},
    key::ObjectKey,
    kinds::Kinds,
    observe::applications::AppId,
    observe::bases::BaseAt,
    plan::{HeldBack, UNDECIDED_AGAIN},
    report::Event,
    revisions::Revisions,
};
use crate::{
    dialect::{ObjectDefaults, SourceIntent},
    ignore::Rules,
    render::{
        BuildEnvironment, ClusterFacts, KustomizeSettings, Manifest, RenderKey, Rendered, Variables,
    },
};

/// First and longest pause after the API server was away during a pass.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));

/// Memories of all Applications.
#[derive(Debug, Default)]
pub(crate) struct Memories {
    of: Mutex<HashMap<AppId, Memory>>,
}

/// What is remembered of one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// The last render.
    pub(crate) render: Option<Render>,
    /// What was last made of a render.
    pub(crate) desired: Option<(DesiredKey, Arc<Desired>)>,
    /// SealedSecrets that the keyring opened.
    pub(crate) opened: HashMap<ObjectKey, WantedHash>,
    /// Groups of kinds that the cluster does not know.
    pub(crate) unknown: BTreeSet<String>,
    /// A SealedSecret could not be opened: another key may help.
    pub(crate) locked: bool,
    /// Its project demands signatures: other keys change what they are worth.
    pub(crate) signed: bool,
    /// Why it was left alone the last time.
    pub(crate) left_alone: Option<String>,
    /// A newer commit that may not begin.
    pub(crate) held_back: Option<HeldBack>,
    /// When objects were last compared closely: what could not be is not tried again soon.
    pub(crate) tried_again: Option<Instant>,
    /// When objects of kinds that can't be listed were last asked for one by one.
    pub(crate) asked_unlisted: Option<Instant>,
    /// Workloads that could not be restarted the last time, with what was told of it.
    pub(crate) restart_failures: BTreeMap<ObjectKey, String>,
    /// When the status was last written.
    pub(crate) written: Option<Instant>,
    /// Passes in a row that ended because the API server was away.
    failures: u32,
}

/// Whether something that nothing tells of is to be tried again, which was last done then.
pub(super) fn is_due_again(last: Option<Instant>) -> bool {
    last.is_none_or(|last| last.elapsed() >= UNDECIDED_AGAIN.unsigned_abs())
}

impl Memory {
    /// Of what became of restarts what is news: one that fails again for the same reason is none.
    pub(crate) fn news_of(&mut self, restarts: &BTreeMap<ObjectKey, Option<Event>>) -> Vec<Event> {
        let mut is_news = |(key, event): &(&ObjectKey, &Option<Event>)| {
            let failure = event.as_ref().filter(|event| event.warning);
            let Some(Event { message, .. }) = failure else {
                self.restart_failures.remove(*key);
                return true;
            };
            let before = self
                .restart_failures
                .insert((*key).clone(), message.clone());
            before.as_ref() != Some(message)
        };
        let news = restarts.iter().filter(|restart| is_news(restart));
        news.filter_map(|(_, event)| event.clone()).collect()
    }
}

/// A render and all that it depends on, so that a pass for another reason does not look into the repository.
#[derive(Clone, Debug)]
pub(crate) struct Render {
    pub(crate) sources: Vec<SourceIntent>,
    /// One for each source, with its revision in it.
    pub(crate) environments: Vec<BuildEnvironment>,
    /// What the cluster said of itself, where that matters.
    pub(crate) cluster: Option<Arc<ClusterFacts>>,
    /// What was set about kustomize.
    pub(crate) kustomize: Arc<KustomizeSettings>,
    /// Values that were substituted in the objects; none where nothing was.
    pub(crate) variables: Option<Arc<Variables>>,
    pub(crate) revisions: Revisions,
    /// What the operation stays at that ran when this was rendered, and that gives the very same.
    pub(crate) like: Option<Revisions>,
    /// Bases in other repositories that kustomizations have.
    pub(crate) bases: Vec<BaseAt>,
    /// One for each source that renders.
    pub(crate) rendered: Vec<Arc<Rendered>>,
    /// The same before values were substituted: while we have it, nobody has to render it again.
    pub(crate) _unsubstituted: Vec<Arc<Rendered>>,
}

impl Render {
    /// How it is told apart from others: equal keys, equal objects.
    pub(crate) fn keys(&self) -> Vec<RenderKey> {
        self.rendered.iter().map(|one| one.key.clone()).collect()
    }

    /// The objects of all sources, in their order.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.rendered
            .iter()
            .flat_map(|rendered| rendered.manifests())
    }
}

/// All that a `Desired` depends on beside the Application's name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DesiredKey {
    pub(crate) renders: Vec<RenderKey>,
    pub(crate) namespace: String,
    pub(crate) defaults: ObjectDefaults,
    pub(crate) kinds: Arc<Kinds>,
    pub(crate) scaled: BTreeSet<ObjectKey>,
    pub(crate) ignored: Rules,
    pub(crate) predecessor: Option<Arc<str>>,
}

impl Memories {
    /// A copy of what is remembered: cheap, all that is large is shared.
    pub(crate) fn get(&self, app: &AppId) -> Memory {
        self.with(app, |memory| memory.clone())
    }

    /// Changes what is remembered.
    pub(crate) fn with<T>(&self, app: &AppId, change: impl FnOnce(&mut Memory) -> T) -> T {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        change(of.entry(app.clone()).or_default())
    }

    /// The Applications whose objects, as they were last wanted, are such.
    pub(crate) fn wanting(&self, is: impl Fn(&Desired) -> bool) -> Vec<AppId> {
        let of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let wanting = of.iter().filter(|(_, memory)| {
            let desired = memory.desired.as_ref();
            desired.is_some_and(|(_, desired)| is(desired))
        });
        wanting.map(|(app, _)| app.clone()).collect()
    }

    /// The Application is gone.
    pub(crate) fn forget(&self, app: &AppId) {
        self.of
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(app);
    }

    /// A pass ended because the API server was away: how long to wait before the next.
    pub(crate) fn failed(&self, app: &AppId) -> Duration {
        self.with(app, |memory| {
            memory.failures = memory.failures.saturating_add(1);
            let factor = 1_u32 << (memory.failures - 1).min(10);
            (PAUSES.0 * factor).min(PAUSES.1)
        })
    }

    /// A pass went through.
    pub(crate) fn succeeded(&self, app: &AppId) {
        self.with(app, |memory| memory.failures = 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_that_fails_again_for_the_same_reason_is_told_once() {
        let event = |warning: bool, message: &str| {
            Some(Event {
                warning,
                reason: "",
                message: message.to_owned(),
            })
        };
        let key = ObjectKey::new(
            &crate::sync::key::GroupKind::new("apps", "Deployment"),
            None,
            "web",
        );
        let mut memory = Memory::default();
        for (event, is_told) in [
            (event(true, "no"), true),
            (event(true, "no"), false),
            (event(true, "still no"), true),
            (event(false, "yes"), true),
            (event(false, "yes"), true),
            (event(true, "still no"), true),
            (None, false),
            (event(true, "still no"), true),
        ] {
            let news = memory.news_of(&[(key.clone(), event.clone())].into());
            assert_eq!(!news.is_empty(), is_told, "{event:?}");
        }
    }
}
