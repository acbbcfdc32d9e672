//! Objects that take others along when they go: a Namespace all that is in it, a definition all of its kind.
//! They stay as long as anything in them has to stay, and go after everything else.

use std::collections::BTreeMap;

use crate::sync::key::ObjectKey;
use crate::sync::kinds::{Kinds, Lookup};
use crate::sync::plan::order::{is_definition, is_namespace};

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
