//! Taking over what kubectl and Argo CD wrote before us: their fields become ours, so that one which leaves Git really goes.
//! Pure: it rewrites `managedFields` and touches no field of the object.

use crds::names::FIELD_MANAGER;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, ObjectMeta};
use serde_json::{Map, Value};

use crate::field_set::is_leaf;
use crate::ignore::Ignored;
use crate::sync::compare::asked::{self, is_application};
use crate::sync::compare::ownership::{fields_of, is_ours, is_passing};
use crate::sync::desired::Wanted;

/// As whom we replace an object whole, before we apply it.
pub(super) const REPLACES: &str = "signet-replace";
/// Managers whose fields pass to us when we apply: kubectl's and Argo CD's client-side apply, Argo CD's server-side apply, what
/// the API server calls fields older than the first server-side apply, and ourselves where we replaced the object.
const PREDECESSORS: [&str; 4] = [
    REPLACES,
    "kubectl-client-side-apply",
    "argocd-controller",
    "before-first-apply",
];

/// What of an object becomes ours with an apply.
pub(in crate::sync) struct Adoption<'a> {
    ignored: &'a Ignored,
    predecessor: Option<&'a str>,
    /// The object of Git, where it is an Application: what people ask of that beside Git stays with them.
    application: Option<&'a Value>,
}

/// Whether one may be needed, whatever the object is and is to be.
pub(in crate::sync) fn may_be_needed(metadata: &ObjectMeta) -> bool {
    let any = Adoption {
        ignored: &Ignored::default(),
        predecessor: None,
        application: None,
    };
    any.is_needed(metadata)
}

impl<'a> Adoption<'a> {
    pub(in crate::sync) fn of(wanted: &'a Wanted) -> Self {
        Self {
            ignored: &wanted.ignored,
            predecessor: wanted.predecessor.as_deref(),
            application: is_application(&wanted.key).then_some(&wanted.object),
        }
    }

    /// True when applying the object has to be preceded by [`Self::adopted`].
    pub(in crate::sync) fn is_needed(&self, metadata: &ObjectMeta) -> bool {
        let mut entries = metadata.managed_fields.iter().flatten();
        entries.any(|entry| self.takes(entry) && !self.only_asks(entry))
    }

    fn only_asks(&self, entry: &ManagedFieldsEntry) -> bool {
        let Some(application) = self.application else {
            return false;
        };
        let mut rest = fields_of(entry).cloned().unwrap_or_default();
        let asks = asked::taken_out(&mut rest, application).is_some();
        asks && is_leaf(&rest)
    }

    /// Whether the fields of an entry become ours. Managers whose fields don't count keep them.
    pub(in crate::sync) fn takes(&self, entry: &ManagedFieldsEntry) -> bool {
        let manager = entry.manager.as_deref().unwrap_or_default();
        let usual = PREDECESSORS.contains(&manager)
            && entry.subresource.as_deref().unwrap_or_default().is_empty();
        (usual || is_passing(entry, self.predecessor)) && !self.ignored.spares(manager)
    }

    /// `managedFields` with the fields of predecessors and of people moved into our entry: the next apply removes those that nobody
    /// wants. What is asked of an Application beside Git stays with who asked.
    pub(in crate::sync) fn adopted(&self, metadata: &ObjectMeta) -> Vec<ManagedFieldsEntry> {
        let entries = metadata.managed_fields.iter().flatten().cloned();
        let (taken, mut kept): (Vec<_>, Vec<_>) = entries.partition(|entry| self.takes(entry));
        let mut own = match kept.iter().position(is_ours) {
            Some(index) => kept.remove(index),
            None => first_entry(taken.last()),
        };
        for mut entry in taken {
            let Some(FieldsV1(mut from)) = entry.fields_v1.take() else {
                continue;
            };
            let application = self.application;
            let asked = application.and_then(|wanted| asked::taken_out(&mut from, wanted));
            if let Some(asked) = asked {
                entry.fields_v1 = Some(FieldsV1(asked));
                kept.push(entry);
            }
            if let Some(FieldsV1(into)) = &mut own.fields_v1 {
                unite(into, from);
            }
        }
        kept.push(own);
        kept
    }
}

fn first_entry(like: Option<&ManagedFieldsEntry>) -> ManagedFieldsEntry {
    ManagedFieldsEntry {
        manager: Some(FIELD_MANAGER.to_owned()),
        operation: Some("Apply".to_owned()),
        api_version: like.and_then(|entry| entry.api_version.clone()),
        fields_type: Some("FieldsV1".to_owned()),
        fields_v1: Some(FieldsV1(Value::Object(Map::new()))),
        time: like.and_then(|entry| entry.time.clone()),
        subresource: None,
    }
}

/// The union of two sets of fields.
fn unite(into: &mut Value, from: Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else {
        return;
    };
    for (field, below) in from {
        match into.get_mut(&field) {
            Some(existing) => unite(existing, below),
            None => {
                into.insert(field, below);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use serde_json::json;

    static NOTHING: LazyLock<Ignored> = LazyLock::new(Ignored::default);

    fn adoption(predecessor: Option<&'static str>) -> Adoption<'static> {
        Adoption {
            ignored: &NOTHING,
            predecessor,
            application: None,
        }
    }

    fn metadata(managed: &Value) -> ObjectMeta {
        serde_json::from_value(json!({ "managedFields": managed })).unwrap()
    }

    #[test]
    fn fields_of_kubectl_apply_become_ours_so_that_they_can_go() {
        let before = metadata(&json!([
            {"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": {"f:data": {".": {}, "f:old": {}}}},
            {"manager": "kube-controller-manager", "operation": "Update", "fieldsV1": {"f:metadata": {"f:finalizers": {}}}},
            {"manager": "signet", "operation": "Apply", "fieldsV1": {"f:data": {"f:new": {}}}},
        ]));
        assert!(adoption(None).is_needed(&before));
        let after = adoption(None).adopted(&before);
        assert_eq!(after.len(), 2);
        assert_eq!(after[1].manager.as_deref(), Some("signet"));
        let fields = &after[1].fields_v1.as_ref().unwrap().0;
        assert_eq!(
            *fields,
            json!({"f:data": {".": {}, "f:new": {}, "f:old": {}}})
        );
        let after = ObjectMeta {
            managed_fields: Some(after),
            ..ObjectMeta::default()
        };
        assert!(!adoption(None).is_needed(&after));
    }

    #[test]
    fn an_object_that_we_never_applied_gets_an_entry_of_ours() {
        let before = metadata(&json!([
            {"manager": "argocd-controller", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        ]));
        let after = adoption(None).adopted(&before);
        assert_eq!(after.len(), 1);
        assert_eq!(
            (after[0].manager.as_deref(), after[0].operation.as_deref()),
            (Some("signet"), Some("Apply"))
        );
        assert_eq!(after[0].api_version.as_deref(), Some("apps/v1"));
    }

    #[test]
    fn fields_of_a_manager_that_is_named_become_ours_too_but_for_what_it_applied() {
        let before = metadata(&json!([
            {"manager": "old-tool", "operation": "Update", "fieldsV1": {"f:data": {"f:old": {}}}},
            {"manager": "old-tool", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
            {"manager": "old-tool", "operation": "Apply", "fieldsV1": {"f:data": {"f:applied": {}}}},
        ]));
        assert!(!adoption(None).is_needed(&before));
        assert!(!adoption(Some("older-tool")).is_needed(&before));
        assert!(adoption(Some("old-tool")).is_needed(&before));
        let after = adoption(Some("old-tool")).adopted(&before);
        assert_eq!(after.len(), 3);
        assert_eq!(
            after[2].fields_v1.as_ref().unwrap().0,
            json!({"f:data": {"f:old": {}}})
        );
    }

    #[test]
    fn status_and_autoscalers_are_left_alone() {
        let before = metadata(&json!([
            {"manager": "kubectl", "operation": "Update", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            {"manager": "argocd-controller", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
            {"manager": "istio", "operation": "Update", "fieldsV1": {"f:spec": {"f:y": {}}}},
        ]));
        assert!(!adoption(None).is_needed(&before));
    }

    /// Managed fields of an Application where a person with kubectl owns these annotations, and maybe the request.
    fn asked(annotations: &[&str], operation: bool) -> ObjectMeta {
        let names = annotations.iter().map(|name| match *name {
            "." => (".".to_owned(), json!({})),
            name => (format!("f:{name}"), json!({})),
        });
        let mut fields =
            json!({ "f:metadata": { "f:annotations": Value::Object(names.collect()) } });
        if operation {
            fields["f:operation"] = json!({});
        }
        metadata(&json!([
            {"manager": "signet", "operation": "Apply", "fieldsV1": {"f:spec": {}}},
            {"manager": "kubectl-annotate", "operation": "Update", "fieldsV1": fields},
        ]))
    }

    const PAUSE: &str = "argocd.argoproj.io/skip-reconcile";

    #[test]
    fn a_map_of_which_a_person_owns_no_field_becomes_ours_so_that_it_can_go() {
        let labelled = metadata(&json!([
            {"manager": "kubectl-label", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {".": {}}}}},
        ]));
        assert!(adoption(None).is_needed(&labelled));
    }

    #[test]
    fn what_is_asked_of_an_application_stays_with_who_asked() {
        let of_git = json!({ "metadata": { "annotations": { "tracking": "x" } } });
        let application = Adoption {
            application: Some(&of_git),
            ..adoption(None)
        };
        for annotations in [vec![PAUSE], vec![".", PAUSE]] {
            let before = asked(&annotations, true);
            assert!(!application.is_needed(&before), "{annotations:?}");
            assert!(adoption(None).is_needed(&before), "{annotations:?}");
        }
        let before = asked(&[PAUSE, "note"], true);
        assert!(application.is_needed(&before));
        let after = application.adopted(&before);
        let [theirs, ours] = [&after[0], &after[1]].map(|entry| fields_of(entry).unwrap());
        let pause = json!({ "f:annotations": { format!("f:{PAUSE}"): {} } });
        assert_eq!(*theirs, json!({ "f:metadata": pause, "f:operation": {} }));
        let note = json!({ "f:annotations": { "f:note": {} } });
        assert_eq!(*ours, json!({ "f:spec": {}, "f:metadata": note }));
        let after = ObjectMeta {
            managed_fields: Some(after),
            ..ObjectMeta::default()
        };
        assert!(!application.is_needed(&after));
    }

    #[test]
    fn what_git_asks_of_an_application_becomes_ours_so_that_it_can_go() {
        let of_git = json!({ "metadata": { "annotations": { PAUSE: "true" } } });
        let application = Adoption {
            application: Some(&of_git),
            ..adoption(None)
        };
        let before = asked(&[PAUSE], false);
        assert!(application.is_needed(&before));
        let after = application.adopted(&before);
        assert_eq!(after.len(), 1);
    }
}
