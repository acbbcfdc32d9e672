//! The live index: what the cluster holds of the objects that Applications own, want or remember, kept current by watches.
//! It is a pure model that tells whom to wake; it asks the cluster nothing and decides nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use k8s_openapi::jiff::Timestamp;

use super::seen::Seen;
use super::slot::{Affected, Entry, Names, Presence, Slot};
use crate::sync::{
    compare::digest::Digest,
    key::{GroupKind, ObjectKey},
    observe::applications::AppId,
    observe::autoscalers::{self, Scaler},
    world::{Live, LiveState, Take},
};

/// All that is known of live objects.
#[derive(Debug, Default)]
pub(crate) struct Index {
    slots: HashMap<ObjectKey, Slot>,
    /// Keys each Application wants or remembers.
    concerns: HashMap<AppId, BTreeSet<ObjectKey>>,
    /// Keys whose live object carries a tracking id of this tracking name.
    tracked: HashMap<String, HashSet<ObjectKey>>,
    /// Autoscalers of each workload that has one.
    autoscalers: HashMap<ObjectKey, HashSet<ObjectKey>>,
    /// Keys seen by a listing under way, by kind: what is missing at its end is not there.
    listing: HashMap<GroupKind, HashSet<ObjectKey>>,
}

/// What the index says of one key.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Nobody knows: a GET has to tell.
    Unasked,
    /// Not in the cluster.
    Absent,
    /// In the cluster.
    Present(Box<Live>),
}

impl Index {
    /// Records which keys, each named once, an Application wants or remembers; keys that nobody cares for any more are dropped.
    pub(crate) fn concern<'a>(
        &mut self,
        app: &AppId,
        keys: impl Iterator<Item = &'a ObjectKey> + Clone,
    ) {
        let same = |known: &BTreeSet<ObjectKey>| {
            known.len() == keys.clone().count() && keys.clone().all(|key| known.contains(key))
        };
        if self.concerns.get(app).is_some_and(same) {
            return;
        }
        let mut now = BTreeSet::new();
        for key in keys {
            self.slots
                .entry(key.clone())
                .or_default()
                .concerned
                .insert(app.clone());
            now.insert(key.clone());
        }
        let before = self
            .concerns
            .insert(app.clone(), now.clone())
            .unwrap_or_default();
        for key in before.difference(&now) {
            self.release(app, key);
        }
    }

    /// The Application is gone.
    pub(crate) fn forget(&mut self, app: &AppId) {
        for key in self.concerns.remove(app).unwrap_or_default() {
            self.release(app, &key);
        }
    }

    /// Applications that want or remember objects of a group.
    pub(crate) fn concerned_with(&self, group: &str) -> Vec<AppId> {
        let concerned = self
            .concerns
            .iter()
            .filter(|(_, keys)| keys.iter().any(|key| key.group() == group));
        concerned.map(|(app, _)| app.clone()).collect()
    }

    /// Of what an Application wants or remembers, the objects whose replicas somebody has taken over.
    pub(crate) fn scaled_of(&self, app: &AppId) -> BTreeMap<ObjectKey, Scaler> {
        let keys = self.concerns.get(app).into_iter().flatten();
        keys.filter_map(|key| Some((key.clone(), self.scaler(key)?)))
            .collect()
    }

    /// A HorizontalPodAutoscaler scales the object.
    pub(crate) fn has_autoscaler(&self, key: &ObjectKey) -> bool {
        self.autoscalers.contains_key(key)
    }

    /// Kinds of everything that Applications want or remember, and of what says whether an autoscaler is gone.
    pub(crate) fn kinds_in_use(&self) -> HashSet<GroupKind> {
        let keys = || self.concerns.values().flatten();
        let scaled = keys().any(|key| self.scaler(key) == Some(Scaler::Horizontal));
        keys()
            .map(|key| key.group_kind())
            .chain(scaled.then(autoscalers::kind))
            .collect()
    }

    /// Objects that carry a tracking id of this name.
    pub(crate) fn tracked_by(&self, tracking_name: &str) -> impl Iterator<Item = &ObjectKey> {
        self.tracked.get(tracking_name).into_iter().flatten()
    }

    /// Applications that want or remember what carries a tracking id of this name.
    pub(crate) fn sharing_with(&self, tracking_name: &str) -> BTreeSet<AppId> {
        let slots = self
            .tracked_by(tracking_name)
            .filter_map(|key| self.slots.get(key));
        slots
            .flat_map(|slot| slot.concerned.iter().cloned())
            .collect()
    }

    /// True when somebody wants, remembers or tracks an object of this key.
    pub(super) fn cares(&self, key: &ObjectKey) -> bool {
        self.slots.contains_key(key)
    }

    /// Fields of kubectl or Argo CD have to become ours before the object is applied.
    pub(crate) fn needs_adoption(&self, key: &ObjectKey) -> bool {
        matches!(self.slots.get(key), Some(Slot { presence: Presence::Present(entry), .. }) if entry.seen.needs_adoption)
    }

    fn scaler(&self, key: &ObjectKey) -> Option<Scaler> {
        match &self.slots.get(key)?.presence {
            Presence::Present(entry) => entry.seen.scaler,
            _ => None,
        }
    }

    /// Nobody knows whether it is there.
    pub(crate) fn is_unasked(&self, key: &ObjectKey) -> bool {
        let presence = self.slots.get(key).map(|slot| &slot.presence);
        matches!(presence, None | Some(Presence::Unasked))
    }

    /// What is known of a key.
    pub(crate) fn answer(&self, key: &ObjectKey) -> Answer {
        match self.slots.get(key).map(|slot| &slot.presence) {
            None | Some(Presence::Unasked) => Answer::Unasked,
            Some(Presence::Absent) => Answer::Absent,
            Some(Presence::Present(entry)) => Answer::Present(Box::new(entry.live())),
        }
    }

    /// An object as a watch or a GET shows it. Older news than what is known changes nothing.
    pub(crate) fn see(&mut self, key: &ObjectKey, seen: Seen) -> Affected {
        if let Some(listed) = self.listing.get_mut(&key.group_kind()) {
            listed.insert(key.clone());
        }
        let after = Names::of(&seen);
        let slot = match self.slots.get_mut(key) {
            Some(slot) => slot,
            None if after.are_none() => return Affected::default(),
            None => self.slots.entry(key.clone()).or_default(),
        };
        let before = slot.presence.names();
        if !slot.presence.take_in(seen) {
            return Affected::default();
        }
        let mut affected = slot.affected([&before, &after]);
        affected.join(self.rename(key, before, after));
        affected
    }

    /// An object is gone. `uid` guards against news of a predecessor under the same name.
    pub(crate) fn lose(&mut self, key: &ObjectKey, uid: Option<&str>) -> Affected {
        let Some(slot) = self.slots.get_mut(key) else {
            return Affected::default();
        };
        if let (Presence::Present(entry), Some(uid)) = (&slot.presence, uid)
            && entry.seen.uid != uid
        {
            return Affected::default();
        }
        let before = slot.presence.names();
        let was_there = !matches!(slot.presence, Presence::Absent);
        slot.presence = Presence::Absent;
        let mut affected = if was_there {
            slot.affected([&before])
        } else {
            Affected::default()
        };
        affected.join(self.rename(key, before, Names::default()));
        affected
    }

    /// A deletion of ours is under way, unless the object is another one or gone by now.
    pub(crate) fn deleting(&mut self, key: &ObjectKey, uid: &str) {
        if let Some(entry) = self.entry(key).filter(|entry| entry.seen.uid == uid) {
            entry.seen.deleting = true;
        }
    }

    /// A request found nothing under this key. Where a watch told otherwise, the watch is right: it tells of the deletion too.
    pub(crate) fn absent(&mut self, key: &ObjectKey) {
        if let Some(slot) = self.slots.get_mut(key)
            && matches!(slot.presence, Presence::Unasked)
        {
            slot.presence = Presence::Absent;
        }
    }

    /// A write of ours begins: until [`Index::written`], events of this key wake nobody.
    pub(crate) fn writing(&mut self, key: &ObjectKey) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.writing += 1;
        }
    }

    /// The write is over.
    pub(crate) fn written(&mut self, key: &ObjectKey) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.writing = slot.writing.saturating_sub(1);
        }
    }

    /// Remembers how an object compares, if it still is what was compared: a newer one has to be compared anew.
    pub(crate) fn compared(&mut self, key: &ObjectKey, digest: Digest, state: LiveState) {
        if let Some(entry) = self.entry(key)
            && entry.seen.digest == digest
        {
            entry.state = state;
        }
    }

    /// Remembers an apply of ours: it compares as applied until somebody changes it.
    pub(crate) fn applied(&mut self, key: &ObjectKey, digest: Digest, state: LiveState) {
        self.compared(key, digest, state);
        if let Some(entry) = self.entry(key) {
            entry.applied = true;
        }
    }

    /// Remembers why an object could not be compared, until it changes or is tried again.
    pub(crate) fn undecided(&mut self, key: &ObjectKey, state: LiveState) {
        if let Some(entry) = self.entry(key) {
            entry.state = state;
        }
    }

    /// Somebody asks to compare everything of an Application anew.
    pub(crate) fn distrust(&mut self, app: &AppId) {
        for key in self.concerns.get(app).cloned().unwrap_or_default() {
            self.undecided(&key, LiveState::Unverified);
        }
    }

    /// Remembers that somebody took fields of our last apply, and forgets what is too old to matter.
    pub(crate) fn taken(&mut self, key: &ObjectKey, takes: Vec<Take>, since: Timestamp) {
        if let Some(entry) = self.entry(key) {
            entry.takes.retain(|take| take.at >= since);
            if std::mem::take(&mut entry.applied) {
                entry.takes.extend(takes);
            }
        }
    }

    /// A listing of a kind begins.
    pub(crate) fn begin_listing(&mut self, kind: &GroupKind) {
        for (_, slot) in self.slots.iter_mut().filter(|(key, _)| is_of(key, kind)) {
            slot.listed = true;
        }
        self.listing.insert(kind.clone(), HashSet::new());
    }

    /// A listing is whole: what it did not show is not there. Present objects have gone, and nobody needs to ask for the others.
    pub(crate) fn end_listing(&mut self, kind: &GroupKind) -> Affected {
        let Some(listed) = self.listing.remove(kind) else {
            return Affected::default();
        };
        for (_, slot) in self.slots.iter_mut().filter(|(key, _)| is_of(key, kind)) {
            if slot.listed && matches!(slot.presence, Presence::Unasked) {
                slot.presence = Presence::Absent;
            }
        }
        let gone: Vec<_> = self
            .slots
            .iter()
            .filter(|(key, slot)| {
                is_of(key, kind)
                    && matches!(slot.presence, Presence::Present(_))
                    && !listed.contains(*key)
            })
            .map(|(key, _)| key.clone())
            .collect();
        let mut affected = Affected::default();
        for key in gone {
            affected.join(self.lose(&key, None));
        }
        affected
    }

    /// The watch of a kind ended: what it told is no longer kept current.
    pub(crate) fn drop_kind(&mut self, kind: &GroupKind) {
        self.listing.remove(kind);
        let keys: Vec<_> = self
            .slots
            .keys()
            .filter(|key| is_of(key, kind))
            .cloned()
            .collect();
        for key in keys {
            let Some(slot) = self.slots.get_mut(&key) else {
                continue;
            };
            let before = slot.presence.names();
            slot.presence = Presence::Unasked;
            self.rename(&key, before, Names::default());
        }
    }

    fn entry(&mut self, key: &ObjectKey) -> Option<&mut Entry> {
        match &mut self.slots.get_mut(key)?.presence {
            Presence::Present(entry) => Some(entry),
            _ => None,
        }
    }

    fn release(&mut self, app: &AppId, key: &ObjectKey) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.concerned.remove(app);
        }
        self.drop_if_idle(key);
    }

    /// Finds an object by what it names now. Answers who has to look again because it scales a workload, or does so no longer.
    fn rename(&mut self, key: &ObjectKey, before: Names, after: Names) -> Affected {
        let mut affected = Affected::default();
        if before.target != after.target {
            for target in [&before.target, &after.target].into_iter().flatten() {
                let slot = self.slots.get(target);
                affected
                    .applications
                    .extend(slot.into_iter().flat_map(|slot| slot.concerned.clone()));
            }
        }
        relink(&mut self.tracked, key, before.tracking, after.tracking);
        relink(&mut self.autoscalers, key, before.target, after.target);
        self.drop_if_idle(key);
        affected
    }

    /// Objects that name nobody and are nobody's concern cost nothing.
    fn drop_if_idle(&mut self, key: &ObjectKey) {
        let idle = self.slots.get(key).is_some_and(|slot| {
            slot.concerned.is_empty() && slot.writing == 0 && slot.presence.names().are_none()
        });
        if idle {
            self.slots.remove(key);
        }
    }
}

/// Moves an object from what it named to what it names.
fn relink<N: Eq + Hash>(
    named: &mut HashMap<N, HashSet<ObjectKey>>,
    key: &ObjectKey,
    before: Option<N>,
    after: Option<N>,
) {
    if before == after {
        return;
    }
    if let Some(name) = before
        && let Some(keys) = named.get_mut(&name)
    {
        keys.remove(key);
        if keys.is_empty() {
            named.remove(&name);
        }
    }
    if let Some(name) = after {
        named.entry(name).or_default().insert(key.clone());
    }
}

fn is_of(key: &ObjectKey, kind: &GroupKind) -> bool {
    key.is(&kind.group, &kind.kind)
}
