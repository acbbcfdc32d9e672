//! Live objects: one index for all Applications, and one watch for each kind in use that keeps it current.
//! It wakes Applications and never looks at what they want.

mod index;
mod seen;
mod slot;
#[cfg(test)]
mod tests;
mod watch;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use health::Customizations;
use kube::{Client, api::DynamicObject, core::ApiResource};

use crate::context::Context;
use crate::restart::Register;
use crate::sync::{
    key::{GroupKind, ObjectKey},
    observe::applications::AppId,
    queue::{Lane, Queue},
};
pub(crate) use index::{Answer, Index};
pub(crate) use seen::Seen;
use slot::Affected;
use watch::{Listing, Watch};

/// How long a pass waits for the first listing of a kind; then it goes on with the kind as not listed.
const FIRST_LISTING: Duration = Duration::from_secs(10);

/// The index and its watches.
pub(crate) struct Live {
    client: Client,
    own_namespace: String,
    restarts: Option<Arc<Register>>,
    queue: Arc<Queue<AppId>>,
    index: Mutex<Index>,
    watches: Mutex<HashMap<GroupKind, Watch>>,
    customizations: Mutex<Arc<Customizations>>,
}

/// A write of ours under way.
pub(crate) struct Writing<'a> {
    index: &'a Mutex<Index>,
    key: &'a ObjectKey,
}

impl<'a> Writing<'a> {
    fn begin(index: &'a Mutex<Index>, key: &'a ObjectKey) -> Self {
        locked(index).writing(key);
        Self { index, key }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        locked(self.index).written(self.key);
    }
}

fn locked(index: &Mutex<Index>) -> MutexGuard<'_, Index> {
    index.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    pub(crate) fn new(context: &Context, queue: Arc<Queue<AppId>>) -> Arc<Self> {
        Arc::new(Live {
            client: context.client.clone(),
            own_namespace: context.namespace.clone(),
            restarts: context.restarts.clone(),
            queue,
            index: Mutex::default(),
            watches: Mutex::default(),
            customizations: Mutex::default(),
        })
    }

    /// The index, for as long as one can do without waiting.
    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        locked(&self.index)
    }

    /// A write of ours to an object begins: until this is dropped, events of it wake nobody. It may be dropped in mid-write.
    pub(crate) fn writing<'a>(&'a self, key: &'a ObjectKey) -> Writing<'a> {
        Writing::begin(&self.index, key)
    }

    /// Makes sure that each of these kinds is watched and waits for their first listings. Answers the kinds whose listing is not
    /// whole: absence means nothing for them.
    pub(crate) async fn watch(self: &Arc<Self>, kinds: Vec<ApiResource>) -> BTreeSet<GroupKind> {
        let states: Vec<_> = kinds
            .into_iter()
            .map(|resource| {
                let kind = GroupKind::new(&*resource.group, &*resource.kind);
                let mut watches = self.watches();
                let watch = watches
                    .entry(kind.clone())
                    .or_insert_with(|| Watch::start(self, resource));
                (kind, watch.listing.clone())
            })
            .collect();
        let mut unlisted = BTreeSet::new();
        for (kind, mut listing) in states {
            let settled = listing.wait_for(|state| *state != Listing::Pending);
            let whole = matches!(tokio::time::timeout(FIRST_LISTING, settled).await, Ok(Ok(state)) if *state == Listing::Whole);
            if !whole {
                unlisted.insert(kind);
            }
        }
        unlisted
    }

    /// Ends the watches of kinds that no Application uses any more.
    pub(crate) fn retire(&self) {
        let in_use = self.index().kinds_in_use();
        let mut ended = Vec::new();
        self.watches().retain(|kind, _| {
            let keep = in_use.contains(kind);
            if !keep {
                ended.push(kind.clone());
            }
            keep
        });
        for kind in ended {
            self.index().drop_kind(&kind);
        }
    }

    /// Ends the watch of a kind that is served no longer, so that the next one to need it starts anew.
    pub(crate) fn end(&self, group: &str) {
        let ended: Vec<GroupKind> = self
            .watches()
            .keys()
            .filter(|kind| kind.group == group)
            .cloned()
            .collect();
        for kind in ended {
            self.watches().remove(&kind);
            self.index().drop_kind(&kind);
        }
    }

    /// By which scripts objects are judged.
    pub(crate) fn customizations(&self) -> Arc<Customizations> {
        self.customizations_now().clone()
    }

    /// Judges by other scripts from now on. Kinds that they judge otherwise are listed anew, for no status is kept.
    pub(crate) fn customize(self: &Arc<Self>, customizations: Customizations) {
        let now = Arc::new(customizations);
        let before = std::mem::replace(&mut *self.customizations_now(), now.clone());
        for (kind, watch) in self.watches().iter_mut() {
            if !before.agree_on(&now, &kind.group, &kind.kind) {
                *watch = Watch::start(self, watch.resource.clone());
            }
        }
    }

    /// Whether objects of a kind are seen whole, or by their metadata.
    pub(crate) fn reads_status(&self, kind: &GroupKind) -> bool {
        health::reads_status(&kind.group, &kind.kind, &self.customizations_now())
    }

    /// Judges and trims a whole object. A script may take its time, so other work goes on meanwhile.
    pub(crate) fn sight(&self, object: DynamicObject, resource: &ApiResource) -> Seen {
        let customizations = self.customizations();
        let look = || Seen::whole(object, resource, &customizations);
        match customizations.has_script(&resource.group, &resource.kind) {
            true => tokio::task::block_in_place(look),
            false => look(),
        }
    }

    fn customizations_now(&self) -> MutexGuard<'_, Arc<Customizations>> {
        let customizations = self.customizations.lock();
        customizations.unwrap_or_else(PoisonError::into_inner)
    }

    /// An object as an answer to a request of ours shows it: the pass that asked looks itself, others are woken.
    pub(crate) fn see(&self, key: &ObjectKey, seen: Seen) {
        let affected = self.index().see(key, seen);
        self.wake(&affected, Lane::Prompt);
    }

    /// An object is gone, as an answer to a request of ours says.
    pub(crate) fn lose(&self, key: &ObjectKey, uid: &str) {
        let affected = self.index().lose(key, Some(uid));
        self.wake(&affected, Lane::Prompt);
    }

    fn wake(&self, affected: &Affected, lane: Lane) {
        for app in &affected.applications {
            self.queue.wake(app, lane);
        }
        for name in &affected.tracking_names {
            self.queue
                .wake(&AppId::of_tracking_name(name, &self.own_namespace), lane);
        }
    }

    fn watches(&self) -> MutexGuard<'_, HashMap<GroupKind, Watch>> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
