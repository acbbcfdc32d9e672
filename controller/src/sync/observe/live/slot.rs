//! What the live index holds of one object, and what news of it change.
//! It must not know other objects, nor which kinds are watched.

use std::collections::BTreeSet;

use super::seen::Seen;
use crate::sync::{
    key::ObjectKey,
    observe::applications::AppId,
    world::{Live, LiveState, Take},
};

/// One object that somebody cares for.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) presence: Presence,
    /// Applications that want or remember it.
    pub(super) concerned: BTreeSet<AppId>,
    /// Writes of ours under way: events meanwhile wake nobody, the answer of the write is looked at anyway.
    pub(super) writing: usize,
    /// It was cared for before the listing of its kind began, which shows it therefore if it exists.
    pub(super) listed: bool,
}

#[derive(Debug, Default)]
pub(super) enum Presence {
    /// No event told of it; it may exist without a tracking id.
    #[default]
    Unasked,
    /// It is not in the cluster.
    Absent,
    /// It is in the cluster.
    Present(Box<Entry>),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seen: Seen,
    /// How it compares with what is wanted, as long as the digest stays.
    pub(super) state: LiveState,
    pub(super) takes: Vec<Take>,
    /// We applied it, and nobody took a field of that apply yet.
    pub(super) applied: bool,
}

/// What an object names, and is found by.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// The Application that it says it belongs to.
    pub(super) tracking: Option<String>,
    /// The workload that it scales.
    pub(super) target: Option<ObjectKey>,
}

impl Names {
    pub(super) fn of(seen: &Seen) -> Self {
        Names {
            tracking: seen.tracking_name.clone(),
            target: seen.target.clone(),
        }
    }

    /// Nobody finds anything by it.
    pub(super) fn are_none(&self) -> bool {
        *self == Names::default()
    }
}

/// Who has to look again: Applications by identity, and tracking names on the object before and after.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Affected {
    pub(crate) applications: BTreeSet<AppId>,
    pub(crate) tracking_names: BTreeSet<String>,
}

impl Slot {
    pub(super) fn affected<'a>(&self, names: impl IntoIterator<Item = &'a Names>) -> Affected {
        if self.writing > 0 {
            return Affected::default();
        }
        Affected {
            applications: self.concerned.clone(),
            tracking_names: names
                .into_iter()
                .filter_map(|names| names.tracking.clone())
                .collect(),
        }
    }
}

impl Presence {
    pub(super) fn names(&self) -> Names {
        match self {
            Presence::Present(entry) => Names::of(&entry.seen),
            _ => Names::default(),
        }
    }

    /// Takes news in; false when they tell nothing that anybody would act upon.
    pub(super) fn take_in(&mut self, seen: Seen) -> bool {
        let Presence::Present(entry) = self else {
            *self = Presence::Present(Box::new(Entry::new(seen)));
            return true;
        };
        if entry.seen.uid != seen.uid {
            **entry = Entry::new(seen);
            return true;
        }
        if seen.is_older_than(&entry.seen) {
            return false;
        }
        let telling = seen.tells_more_than(&entry.seen);
        if seen.compares_otherwise(&entry.seen) {
            entry.state = LiveState::Unverified;
        }
        entry.seen = seen;
        telling
    }
}

impl Entry {
    fn new(seen: Seen) -> Self {
        Entry {
            seen,
            state: LiveState::Unverified,
            takes: Vec::new(),
            applied: false,
        }
    }

    pub(super) fn live(&self) -> Live {
        self.seen.compared(self.state.clone(), self.takes.clone())
    }
}

impl Affected {
    pub(crate) fn join(&mut self, other: Affected) {
        self.applications.extend(other.applications);
        self.tracking_names.extend(other.tracking_names);
    }
}
