//! What one process remembers of an Application between passes: what saves work. All of it can be found again after a restart.
//! No state of an operation is here: that is in the Application's status.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::sync::{
    desired::{Desired, WantedHash},
    key::ObjectKey,
    kinds::Kinds,
    observe::applications::AppId,
    observe::bases::BaseAt,
    plan::HeldBack,
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
    /// When the status was last written.
    pub(crate) written: Option<Instant>,
    /// Passes in a row that ended because the API server was away.
    failures: u32,
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
