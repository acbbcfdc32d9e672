//! Wanted against live as values: every object's state, and why it is not as wanted.
//! They hold names of objects and fields, never a value of one.

use std::collections::BTreeMap;

use crate::sync::key::ObjectKey;
use crate::sync::plan::slot::Slot;
use crate::sync::revisions::Revisions;
use crate::sync::world::Health;

/// Wanted against live.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// The Application's `status.sync.status`.
    pub status: SyncStatus,
    /// The revisions it was compared with.
    pub revisions: Revisions,
    /// The destination namespace, where it does not carry what it should.
    pub namespace: Option<ObjectKey>,
    /// Every wanted object and every entry of the inventory.
    pub objects: BTreeMap<ObjectKey, Compared>,
}

impl Comparison {
    /// Why an object is not as wanted; `None` when it is, or is no part of the comparison.
    pub(in crate::sync) fn difference(&self, key: &ObjectKey) -> Option<&Difference> {
        self.objects.get(key)?.difference.as_ref()
    }

    /// It is to be deleted, and somebody has to approve that first.
    pub(in crate::sync) fn asks(&self, key: &ObjectKey) -> bool {
        self.objects.get(key).is_some_and(|compared| compared.asks)
    }

    /// When an object is applied.
    pub(in crate::sync) fn slot(&self, key: &ObjectKey) -> Slot {
        let compared = self.objects.get(key);
        compared.map_or(Slot::sync(0), |compared| compared.slot)
    }
}

/// Whether live is as wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncStatus {
    /// As wanted.
    Synced,
    /// Not as wanted.
    OutOfSync,
    /// Nobody can say.
    #[default]
    Unknown,
}

impl SyncStatus {
    /// The spelling in the status.
    pub fn name(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::OutOfSync => "OutOfSync",
            Self::Unknown => "Unknown",
        }
    }
}

/// One object's comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Version of its `apiVersion`.
    pub version: String,
    /// Is it as wanted.
    pub status: SyncStatus,
    /// Why not, when it is not.
    pub difference: Option<Difference>,
    /// When it is applied.
    pub slot: Slot,
    /// Its health; `None` when its kind has none.
    pub health: Option<Health>,
    /// It is no longer wanted, and deleting it is what a prune would do.
    pub requires_pruning: bool,
    /// Somebody has to approve that it is deleted.
    pub asks: bool,
    /// It is no longer wanted, and says that this does not make the Application `OutOfSync`.
    pub ignored: bool,
}

/// Why an object is not as wanted, from a closed set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is not in the cluster.
    Missing,
    /// A Job that removed itself once it was done: nothing is missing.
    Finished,
    /// Git wants something else than what was verified last.
    Changed,
    /// These fields of the live object differ.
    Drift(Vec<String>),
    /// It can't be changed in place.
    Immutable(String),
    /// It is being deleted, and will be made anew once it is gone.
    Deleting,
    /// No longer wanted.
    Extra,
    /// No longer wanted, but kept: the text says which guard keeps it.
    Kept(String),
    /// No longer wanted, but neither deleted nor forgotten while this is not known.
    Doubt(String),
    /// No longer wanted, and the cluster does not serve its kind any more.
    OutOfReach,
    /// Not compared yet since the start.
    Unverified,
    /// Objects of its kind can't be listed, so nobody knows whether it is there.
    Unlisted,
    /// The cluster doesn't know its kind.
    UnknownKind,
    /// Its kind will be known once a CustomResourceDefinition of this very source is established.
    AwaitsKind,
    /// Its kind's API can't be asked at the moment.
    KindUnavailable,
    /// The live object belongs to this other Application.
    Shared(String),
    /// The project does not permit it, or it is refused by name.
    Refused(String),
    /// The API server does not let us read it.
    Forbidden(String),
    /// The API server could not answer.
    Unreadable(String),
}
