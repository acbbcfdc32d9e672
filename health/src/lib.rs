//! Does an object work? Judged from the object alone: by Argo CD's Lua scripts, by rules for built-in kinds, by standard conditions.
//! It asks no cluster, reads no file and keeps no state, so that the command and the controller say the same.

mod argocd;
mod conditions;
mod customizations;
mod fields;
mod rules;
mod script;
mod standard;
mod verdict;

use serde_json::Value;

pub use argocd::SETTINGS_CONFIG_MAP;
pub use customizations::{Customizations, SettingsProblem};
pub use verdict::{Health, HealthStatus};

use fields::group_kind;

/// Health of a live object; `None` when nothing judges it, which counts as fine.
///
/// One that is being deleted is on its way, whatever it says. Then a script for exactly its kind counts, then the rule for its
/// kind, then what status conditions say by convention. A script for many kinds takes the place of a rule unless Argo CD has
/// a script for that kind itself.
#[must_use]
pub fn health(object: &Value, customizations: &Customizations) -> Option<Health> {
    if let Some(deletion) = deletion(object) {
        return Some(deletion);
    }
    let (group, kind) = group_kind(object);
    let rule = rules::rule(group, kind);
    match (customizations.script(group, kind), rule) {
        (Some(script), Some(rule)) if script.is_for_many() && rule.is_script_elsewhere => {
            Some((rule.judge)(object))
        }
        (Some(script), _) => script.judge(object),
        (None, Some(rule)) => Some((rule.judge)(object)),
        (None, None) => standard::judge(object),
    }
}

/// Health of an object that is being deleted, for which its metadata is enough. A hook with its finalizer is not on its way out:
/// it is kept until its work is done.
#[must_use]
pub fn deletion(object: &Value) -> Option<Health> {
    object
        .pointer("/metadata/deletionTimestamp")
        .filter(|at| !at.is_null())?;
    let finalizers = object
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array);
    let mut finalizers = finalizers.into_iter().flatten();
    let kept = finalizers.any(|finalizer| finalizer == argocd::HOOK_FINALIZER);
    (!kept).then(|| verdict::progressing("Pending deletion"))
}

/// Whether there is a rule for this kind, so that each of its objects has a health at any time.
#[must_use]
pub fn has_rule(group: &str, kind: &str) -> bool {
    rules::rule(group, kind).is_some()
}

/// False for kinds of which metadata tells all there is to judge: they have neither a rule nor a script, and no status.
#[must_use]
pub fn reads_status(group: &str, kind: &str, customizations: &Customizations) -> bool {
    !standard::is_without_status(group, kind) || customizations.script(group, kind).is_some()
}
