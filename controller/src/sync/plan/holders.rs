//! Objects that take others along when they go: a Namespace all that is in it, a definition all of its kind.
//! They stay as long as anything in them has to stay, and go after everything else.

use std::collections::BTreeMap;

use crate::sync::key::ObjectKey;
use crate::sync::kinds::{Kinds, Lookup};
use crate::sync::plan::order::{is_definition, is_namespace};
use crate::sync::world::World;

/// True for an object whose deletion deletes others.
pub(in crate::sync) fn is_holder(key: &ObjectKey) -> bool {
    is_definition(key) || is_namespace(key)
}

/// True when deleting `holder` would delete `object` too.
pub(in crate::sync) fn holds(kinds: &Kinds, holder: &ObjectKey, object: &ObjectKey) -> bool {
    if is_namespace(holder) {
        return object.namespace() == Some(holder.name());
    }
    let kind = object.group_kind();
    let plural = match kinds.lookup_any_version(&kind) {
        Lookup::Known(known) => &known.plural,
        Lookup::Unknown | Lookup::Unavailable => return false,
    };
    is_definition(holder) && holder.name().strip_suffix(&kind.group) == Some(&format!("{plural}."))
}

/// Why deleting `holder` would be a loss of another Application. What is being deleted already is lost.
pub(in crate::sync) fn needed_by_others(world: &World, holder: &ObjectKey) -> Option<String> {
    let live = world.live.get(holder);
    if live.is_some_and(|live| live.deleting) {
        return None;
    }
    let kinds = &world.kinds;
    let mut others = world.others.iter();
    if let Some((object, application)) = others.find(|(object, _)| holds(kinds, holder, object)) {
        let why = format!("{object} of Application {application} would go with it");
        return Some(why);
    }
    let mut others = world.others.iter();
    let (object, application) = others.find(|(object, _)| may_hold(kinds, holder, object))?;
    Some(format!(
        "{object} of Application {application} may go with it: the cluster does not tell of its kind"
    ))
}

/// Where nobody knows what a kind is called in URLs, each definition of its group may be its own.
fn may_hold(kinds: &Kinds, holder: &ObjectKey, object: &ObjectKey) -> bool {
    let kind = kinds.lookup_any_version(&object.group_kind());
    !matches!(kind, Lookup::Known(_)) && group_defined_by(holder) == Some(object.group())
}

/// The group whose kind a definition defines: its name is the kind's plural, which has no dot, and the group.
pub(in crate::sync) fn group_defined_by(key: &ObjectKey) -> Option<&str> {
    let (_, group) = key.name().split_once('.')?;
    is_definition(key).then_some(group)
}

/// Moves holders to the lowest of all waves that are deleted: deleting goes from the highest wave down.
pub(in crate::sync) fn sink<K: AsRef<ObjectKey> + Ord>(waves: &mut BTreeMap<K, i32>) {
    let lowest = waves.values().min().copied();
    for (key, wave) in waves.iter_mut() {
        if let Some(lowest) = lowest
            && is_holder(key.as_ref())
        {
            *wave = lowest;
        }
    }
}

impl AsRef<ObjectKey> for ObjectKey {
    fn as_ref(&self) -> &ObjectKey {
        self
    }
}
