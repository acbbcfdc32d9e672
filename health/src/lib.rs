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
/// One that is being deleted is on its way, whatever it says. Then a script counts, that for exactly its kind before one for many,
/// then the rule for its kind, then what status conditions say by convention.
#[must_use]
pub fn health(object: &Value, customizations: &Customizations) -> Option<Health> {
    if let Some(deletion) = deletion(object) {
        return Some(deletion);
    }
    let (group, kind) = group_kind(object);
    if let Some(script) = customizations.script(group, kind) {
        return script.judge(object);
    }
    match rules::rule(group, kind) {
        Some(judge) => Some(judge(object)),
        None => standard::judge(object),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_being_deleted_is_on_its_way_of_any_kind_but_a_hook_that_is_kept() {
        let of = |finalizers: Value| {
            let metadata =
                json!({"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": finalizers});
            let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
            health(&object, &Customizations::default())
        };
        let pending = Some(verdict::progressing("Pending deletion"));
        assert_eq!(of(Value::Null), pending);
        assert_eq!(of(json!(["kubernetes"])), pending);
        assert_eq!(of(json!([argocd::HOOK_FINALIZER])), None);
    }

    #[test]
    fn the_status_of_a_kind_is_read_where_a_rule_a_script_or_convention_may_judge_it() {
        let data = [("resource.customizations.health.ConfigMap", "return {}")];
        let data = data.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let (scripts, none) = (
            Customizations::read(&data.into()).0,
            Customizations::default(),
        );
        assert!(reads_status("apps", "Deployment", &none));
        assert!(reads_status("example.com", "Widget", &none));
        assert!(!reads_status("", "ConfigMap", &none));
        assert!(reads_status("", "ConfigMap", &scripts));
    }
}
