//! The live index: what the cluster holds of the objects that Applications own, want or remember, kept current by watches.
//! It is a pure model that tells whom to wake; it asks the cluster nothing and decides nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use k8s_openapi::jiff::Timestamp;

use super::seen::Seen;
use super::slot::{Affected, Entry, Presence, Slot};
use crate::sync::{
    compare::digest::Digest,
    key::{GroupKind, ObjectKey},
    observe::applications::AppId,
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

    /// Of what an Application wants or remembers, the objects whose replicas an autoscaler sets.
    pub(crate) fn scaled_of(&self, app: &AppId) -> BTreeSet<ObjectKey> {
        let keys = self.concerns.get(app).into_iter().flatten();
        keys.filter(|key| self.is_scaled(key)).cloned().collect()
    }

    /// Kinds of everything that Applications want or remember.
    pub(crate) fn kinds_in_use(&self) -> HashSet<GroupKind> {
        self.concerns
            .values()
            .flatten()
            .map(|key| key.group_kind())
            .collect()
    }

    /// Objects that carry a tracking id of this name.
    pub(crate) fn tracked_by(&self, tracking_name: &str) -> impl Iterator<Item = &ObjectKey> {
        self.tracked.get(tracking_name).into_iter().flatten()
    }

    /// True when somebody wants, remembers or tracks an object of this key.
    pub(super) fn cares(&self, key: &ObjectKey) -> bool {
        self.slots.contains_key(key)
    }

    /// Fields of kubectl or Argo CD have to become ours before the object is applied.
    pub(crate) fn needs_adoption(&self, key: &ObjectKey) -> bool {
        matches!(self.slots.get(key), Some(Slot { presence: Presence::Present(entry), .. }) if entry.seen.needs_adoption)
    }

    /// An autoscaler sets the replicas of the object.
    fn is_scaled(&self, key: &ObjectKey) -> bool {
        matches!(self.slots.get(key), Some(Slot { presence: Presence::Present(entry), .. }) if entry.seen.scaled)
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
        let slot = match self.slots.get_mut(key) {
            Some(slot) => slot,
            None if seen.tracking_name.is_none() => return Affected::default(),
            None => self.slots.entry(key.clone()).or_default(),
        };
        let (before, after) = (slot.presence.tracking_name(), seen.tracking_name.clone());
        if !slot.presence.take_in(seen) {
            return Affected::default();
        }
        let affected = slot.affected([&before, &after]);
        self.retrack(key, before, after);
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
        let before = slot.presence.tracking_name();
        let was_there = !matches!(slot.presence, Presence::Absent);
        slot.presence = Presence::Absent;
        let affected = if was_there {
            slot.affected([&before])
        } else {
            Affected::default()
        };
        self.retrack(key, before, None);
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
            let before = slot.presence.tracking_name();
            slot.presence = Presence::Unasked;
            self.retrack(&key, before, None);
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

    fn retrack(&mut self, key: &ObjectKey, before: Option<String>, after: Option<String>) {
        if before != after {
            if let Some(name) = before
                && let Some(keys) = self.tracked.get_mut(&name)
            {
                keys.remove(key);
                if keys.is_empty() {
                    self.tracked.remove(&name);
                }
            }
            if let Some(name) = after {
                self.tracked.entry(name).or_default().insert(key.clone());
            }
        }
        self.drop_if_idle(key);
    }

    /// Objects that are neither tracked nor anybody's concern cost nothing.
    fn drop_if_idle(&mut self, key: &ObjectKey) {
        let idle = self.slots.get(key).is_some_and(|slot| {
            slot.concerned.is_empty()
                && slot.writing == 0
                && slot.presence.tracking_name().is_none()
        });
        if idle {
            self.slots.remove(key);
        }
    }
}

fn is_of(key: &ObjectKey, kind: &GroupKind) -> bool {
    key.is(&kind.group, &kind.kind)
}
