//! Hooks among what an Application wants: made by an operation in one of its phases, apart from the objects that are kept.
//! They are neither compared, nor pruned, nor part of the Application's health.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};

use super::{Wanted, WantedHash, normalise};
use crate::dialect::{
    HOOK_FINALIZER, HOOK_RUN, HookDeletion, HookPolicy, Phase, TRACKING_ANNOTATION,
};
use crate::sync::key::ObjectKey;
use crate::sync::plan::{Condition, ConditionKind, Slot};

/// Which hook. One manifest can run in several phases.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HookId {
    /// The phase it runs in.
    pub phase: Phase,
    /// The object that it makes; of a generated name only what it begins with.
    pub key: ObjectKey,
}

impl fmt::Display for HookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hook {}", self.phase.name(), self.key)
    }
}

/// One hook.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// Which one.
    pub id: HookId,
    /// What it makes, but for its name, where that is generated, and the marks of a run.
    pub wanted: Wanted,
    /// When what it made is deleted.
    pub deletions: BTreeSet<HookDeletion>,
    /// Every run makes an object with a name of its own.
    pub generated: bool,
    /// Wanted SealedSecrets whose Secrets it uses.
    pub secrets: BTreeSet<ObjectKey>,
}

impl Hook {
    /// When it runs.
    pub fn slot(&self) -> Slot {
        Slot {
            phase: self.id.phase,
            wave: self.wanted.own_slot().wave,
        }
    }

    /// The object of one run: under its name, tracked, held until its result was read, and marked with the run.
    pub fn made(&self, key: &ObjectKey, run: &str) -> Wanted {
        let mut object = self.wanted.object.clone();
        normalise::annotate(&mut object, HOOK_RUN, run);
        let tracking = object["metadata"]["annotations"][TRACKING_ANNOTATION].as_str();
        let place = tracking.and_then(|tracking| tracking.strip_suffix(self.id.key.name()));
        if let Some(tracking) = place.map(|place| format!("{place}{}", key.name())) {
            normalise::annotate(&mut object, TRACKING_ANNOTATION, &tracking);
        }
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("generateName");
            metadata.insert("name".into(), key.name().into());
            let finalizers = metadata.entry("finalizers").or_insert_with(|| json!([]));
            if let Some(finalizers) = finalizers.as_array_mut() {
                finalizers.push(HOOK_FINALIZER.into());
            }
        }
        Wanted {
            key: key.clone(),
            hash: WantedHash::of(&object),
            object,
            ..self.wanted.clone()
        }
    }
}

/// Takes a hook in, once for each of its phases. Of one that is written twice the last one counts.
pub(super) fn add(
    hooks: &mut BTreeMap<HookId, Hook>,
    wanted: &Wanted,
    policy: &HookPolicy,
    warnings: &mut Vec<Condition>,
) {
    for phase in &policy.phases {
        let id = HookId {
            phase: *phase,
            key: wanted.key.clone(),
        };
        let hook = Hook {
            id: id.clone(),
            wanted: wanted.clone(),
            deletions: policy.deletions.clone(),
            generated: wanted.object.pointer("/metadata/name").is_none(),
            secrets: BTreeSet::new(),
        };
        if let Some(earlier) = hooks.insert(id.clone(), hook) {
            let message = format!(
                "{id} is written more than once: what counts is {}, not {}",
                wanted.origin, earlier.wanted.origin
            );
            let repeated = ConditionKind::RepeatedResourceWarning;
            warnings.push(Condition::new(repeated, message));
        }
    }
}
