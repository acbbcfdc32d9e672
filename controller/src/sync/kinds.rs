//! Which kinds the cluster serves, as discovery told us: scope and plural by group, version and kind.
//! A kind that is *unknown* and a group that *could not be asked* are different answers, because only the first is certain.

use std::collections::{BTreeMap, BTreeSet};

use crate::sync::key::GroupKind;

/// What discovery says of a kind that the cluster serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The name in URLs: `deployments`.
    pub plural: String,
    /// False for a cluster-scoped kind.
    pub namespaced: bool,
}

/// The answer for one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// The cluster serves it.
    Known(&'a Known),
    /// Discovery is whole and the kind is not in it.
    Unknown,
    /// The kind's group could not be discovered (an aggregated API that is down), so nothing is certain.
    Unavailable,
}

/// All kinds of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    served: BTreeMap<GroupKind, BTreeMap<String, Known>>,
    unavailable: BTreeSet<String>,
}

impl Kinds {
    /// Adds a served kind.
    pub fn insert(&mut self, kind: GroupKind, version: &str, known: Known) {
        self.served
            .entry(kind)
            .or_default()
            .insert(version.to_owned(), known);
    }

    /// Marks a whole group as not discoverable at the moment.
    pub fn insert_unavailable(&mut self, group: &str) {
        self.unavailable.insert(group.to_owned());
    }

    /// Looks a kind up in exactly this version.
    pub fn lookup(&self, kind: &GroupKind, version: &str) -> Lookup<'_> {
        match self
            .served
            .get(kind)
            .and_then(|versions| versions.get(version))
        {
            Some(known) => Lookup::Known(known),
            None => self.absent(kind),
        }
    }

    /// What is known of a kind in exactly this version.
    pub fn known(&self, kind: &GroupKind, version: &str) -> Option<&Known> {
        self.served.get(kind)?.get(version)
    }

    /// The versions in which a kind is served.
    pub fn versions(&self, kind: &GroupKind) -> impl Iterator<Item = &str> {
        let served = self.served.get(kind).into_iter();
        served.flat_map(|versions| versions.keys().map(String::as_str))
    }

    /// Looks a kind up in any version: enough to know its scope.
    pub fn lookup_any_version(&self, kind: &GroupKind) -> Lookup<'_> {
        match self
            .served
            .get(kind)
            .and_then(|versions| versions.values().next())
        {
            Some(known) => Lookup::Known(known),
            None => self.absent(kind),
        }
    }

    fn absent(&self, kind: &GroupKind) -> Lookup<'_> {
        if self.unavailable.contains(&kind.group) {
            Lookup::Unavailable
        } else {
            Lookup::Unknown
        }
    }
}
