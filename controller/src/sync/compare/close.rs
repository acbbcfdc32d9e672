//! How a live object compares with the wanted one, by what is read of it and, where that leaves a doubt, by what the API server
//! predicts of an apply. It asks nobody itself; what it finds names fields and holds no value.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use k8s_openapi::jiff::Timestamp;
use kube::api::DynamicObject;
use serde_json::Value;

use super::differences;
use super::ownership::{self, Lost};
use super::unwanted;
use crate::dialect::ApplyMode;
use crate::field_set::part;
use crate::sync::apply::adoption::is_taken_over;
use crate::sync::desired::Wanted;
use crate::sync::outcome::{Failure, FailureReason};
use crate::sync::world::{LiveState, Take};

/// What a dry-run of the apply answered.
pub(in crate::sync) enum Predicted {
    /// The object would be this one.
    Object(Box<DynamicObject>),
    /// Something on the way takes no dry-run.
    NoDryRun,
    /// The apply would be refused.
    Refusal(Failure),
}

/// A wanted and a live object, as far as their differences count.
pub(in crate::sync) struct Pair<'a> {
    wanted: &'a Wanted,
    live: &'a DynamicObject,
    target: Value,
    read: Value,
}

impl<'a> Pair<'a> {
    /// # Errors
    /// How the object compares when that can't be told.
    pub(in crate::sync) fn of(
        wanted: &'a Wanted,
        live: &'a DynamicObject,
    ) -> Result<Self, LiveState> {
        let strip = |object| counting(wanted, object, live);
        Ok(Self {
            wanted,
            live,
            target: strip(&wanted.object)?,
            read: strip(&comparable(live))?,
        })
    }

    /// How the object compares; `None` where only a dry-run can tell.
    pub(in crate::sync) fn at_first_sight(&self) -> Option<LiveState> {
        // A field that is not ours any more may have grown: a list or map that is owned as a whole.
        let certain = differences(&self.target, &self.read).is_empty()
            && ownership::lost(&self.target, managed_fields(self.live)).is_empty();
        certain.then(|| self.differs(Vec::new()))
    }

    /// How the object compares by a dry-run's answer.
    pub(in crate::sync) fn by_prediction(&self, predicted: Predicted) -> LiveState {
        let missing = || self.differs(differences(&self.target, &self.read));
        match predicted {
            Predicted::Object(predicted) => {
                match counting(self.wanted, &comparable(&predicted), self.live) {
                    Ok(becomes) => self.differs(self.changes(&becomes, &predicted)),
                    Err(state) => state,
                }
            }
            Predicted::NoDryRun => self.differs(self.unpredicted()),
            Predicted::Refusal(failure) => undecided(self.wanted, failure, missing()),
        }
    }

    /// What counts of the live object.
    pub(in crate::sync) fn read(&self) -> &Value {
        &self.read
    }

    /// What a write would make of the object, as far as it counts. Without a prediction it is taken to set what is wanted, and
    /// no more.
    pub(in crate::sync) fn becomes(&self, predicted: Option<&Predicted>) -> Value {
        let becomes = match predicted {
            Some(Predicted::Object(predicted)) => {
                counting(self.wanted, &comparable(predicted), self.live).ok()
            }
            Some(Predicted::NoDryRun | Predicted::Refusal(_)) => None,
            None => Some(self.read.clone()),
        };
        let becomes = becomes.unwrap_or_else(|| {
            let mut becomes = self.read.clone();
            lay_over(&mut becomes, &self.target);
            becomes
        });
        if self.wanted.apply_policy().mode == ApplyMode::Merge {
            return becomes;
        }
        // Who owns what once ours is applied: what a predecessor then has alone goes.
        let managed = match predicted {
            Some(Predicted::Object(predicted)) => managed_fields(predicted),
            _ => managed_fields(self.live),
        };
        let Wanted {
            ignored,
            predecessor,
            ..
        } = self.wanted;
        let goes =
            |entry: &ManagedFieldsEntry| is_taken_over(entry, ignored, predecessor.as_deref());
        unwanted::without(managed, goes, &becomes)
    }

    /// What an apply would change of our fields. What admission webhooks add to them is nobody's business unless it is asked for.
    fn changes(&self, becomes: &Value, predicted: &DynamicObject) -> Vec<String> {
        let ours = |object| ownership::ours(managed_fields(object));
        let policy = self.wanted.policy.as_ref();
        let whole = policy.is_ok_and(|policy| policy.include_webhooks);
        // A server that says nothing of owners has no webhooks told apart either.
        let Some(then) = ours(predicted).filter(|_| !whole) else {
            return changes(&self.read, becomes);
        };
        let sets: Vec<&Value> = ours(self.live).into_iter().chain([then]).collect();
        changes(&part(&self.read, &sets), &part(becomes, &sets))
    }

    /// What is not as wanted, as far as that can be told without a prediction: what others have added to lists of ours doesn't count.
    fn unpredicted(&self) -> Vec<String> {
        let managed = managed_fields(self.live);
        let Some(ours) = ownership::ours(managed) else {
            return differences(&self.target, &self.read);
        };
        let lost = ownership::lost(&self.target, managed).into_iter();
        let mut fields = differences(&part(&self.target, &[ours]), &part(&self.read, &[ours]));
        fields.extend(lost.map(|lost| lost.field));
        fields
    }

    /// Fields of the last apply that somebody else has taken since.
    pub(in crate::sync) fn takes(&self, at: Timestamp) -> Vec<Take> {
        let lost = ownership::lost(&self.target, managed_fields(self.live)).into_iter();
        let takes = lost.filter_map(|Lost { field, manager }| {
            Some(Take {
                at,
                manager: manager?,
                field,
            })
        });
        takes.collect()
    }

    /// These fields differ, and what people have added or a predecessor left.
    fn differs(&self, mut fields: Vec<String>) -> LiveState {
        if self.wanted.apply_policy().mode != ApplyMode::Merge {
            let managed = managed_fields(self.live);
            let predecessor = self.wanted.predecessor.as_deref();
            fields.extend(unwanted::unwanted(managed, predecessor, &self.read));
        }
        let wanted = self.wanted.hash;
        if fields.is_empty() {
            LiveState::Matches(wanted)
        } else {
            LiveState::Differs { wanted, fields }
        }
    }
}

/// What counts of an object.
fn counting(wanted: &Wanted, object: &Value, live: &DynamicObject) -> Result<Value, LiveState> {
    let stripped = wanted.ignored.strip(object, managed_fields(live));
    stripped.map_err(|problem| LiveState::Unreadable {
        message: problem.to_string(),
    })
}

/// Who owns what of an object.
pub(in crate::sync) fn managed_fields(object: &DynamicObject) -> &[ManagedFieldsEntry] {
    object
        .metadata
        .managed_fields
        .as_deref()
        .unwrap_or_default()
}

/// What a refused dry-run says of the object. One that would be invalid differs, and applying it tells why.
fn undecided(wanted: &Wanted, failure: Failure, differs: LiveState) -> LiveState {
    let Failure { reason, message } = failure;
    match reason {
        FailureReason::ImmutableField => LiveState::Immutable {
            wanted: wanted.hash,
            message,
        },
        FailureReason::Forbidden => LiveState::Forbidden { message },
        FailureReason::Invalid | FailureReason::NotFound => differs,
        FailureReason::Conflict | FailureReason::NotUnsealed | FailureReason::Unavailable => {
            LiveState::Unreadable { message }
        }
    }
}

/// Sets the fields of an object over those of another; lists as a whole.
fn lay_over(object: &mut Value, fields: &Value) {
    match (object, fields) {
        (Value::Object(object), Value::Object(fields)) => {
            for (field, value) in fields {
                lay_over(object.entry(field.clone()).or_insert(Value::Null), value);
            }
        }
        (object, fields) => *object = fields.clone(),
    }
}

/// Names of the fields that a dry-run would set, change or remove.
fn changes(live: &Value, predicted: &Value) -> Vec<String> {
    let mut fields = differences(predicted, live);
    fields.extend(differences(live, predicted));
    fields.sort();
    fields.dedup();
    fields
}

/// An object without what every write changes.
pub(in crate::sync) fn comparable(object: &DynamicObject) -> Value {
    let mut metadata = object.metadata.clone();
    metadata.managed_fields = None;
    metadata.resource_version = None;
    metadata.generation = None;
    let mut value = object.data.clone();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
    }
    if let Some(types) = &object.types {
        value["apiVersion"] = types.api_version.as_str().into();
        value["kind"] = types.kind.as_str().into();
    }
    value["metadata"] = serde_json::json!(metadata);
    value
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::dialect::{ObjectDefaults, object_policy};
    use crate::ignore::{Ignored, Rule, Rules};
    use crate::sync::desired::{Origin, WantedHash};
    use crate::sync::key::{GroupKind, ObjectKey};
    use crate::sync::plan::Slot;

    fn object(size: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"size": size}})
    }

    fn live(size: &str) -> DynamicObject {
        serde_json::from_value(object(size)).unwrap()
    }

    fn first(wanted: &Wanted, live: &DynamicObject) -> Option<LiveState> {
        Pair::of(wanted, live).ok()?.at_first_sight()
    }

    fn by_prediction(wanted: &Wanted, live: &DynamicObject, predicted: Predicted) -> LiveState {
        let pair = Pair::of(wanted, live).ok().unwrap();
        pair.by_prediction(predicted)
    }

    fn wanted(size: &str) -> Wanted {
        Wanted {
            key: ObjectKey::new(&GroupKind::new("", "ConfigMap"), Some("demo"), "a"),
            version: "v1".into(),
            hash: WantedHash::of(&object(size)),
            object: object(size),
            ignored: Ignored::default(),
            predecessor: None,
            origin: Origin::default(),
            policy: object_policy(&json!({}), ObjectDefaults::default()),
            slot: Slot::sync(0),
        }
    }

    fn refusal(reason: FailureReason) -> Predicted {
        Predicted::Refusal(Failure {
            reason,
            message: "no".into(),
        })
    }

    #[test]
    fn what_differs_or_is_not_ours_takes_a_prediction() {
        assert_eq!(first(&wanted("1"), &live("2")), None);
        assert_eq!(first(&wanted("1"), &live("1")), None);
    }

    #[test]
    fn a_prediction_that_changes_nothing_matches_whatever_the_spelling() {
        let (wanted, read) = (wanted("1"), live("one"));
        let found = by_prediction(&wanted, &read, Predicted::Object(live("one").into()));
        assert_eq!(found, LiveState::Matches(wanted.hash));
    }

    #[test]
    fn what_a_webhook_makes_of_an_apply_is_no_difference_unless_it_is_asked_for() {
        let with = |size: &str, stamp: &str| -> DynamicObject {
            let mut value = object(size);
            value["data"]["stamp"] = stamp.into();
            value["metadata"]["managedFields"] = json!([
                {"manager": "signet", "operation": "Apply", "fieldsV1": {"f:data": {"f:size": {}}}},
                {"manager": "signet", "operation": "Update", "fieldsV1": {"f:data": {"f:stamp": {}}}}]);
            serde_json::from_value(value).unwrap()
        };
        let (mut wanted, read) = (wanted("1"), with("1", "now"));
        let predicted = || Predicted::Object(with("1", "then").into());
        let matches = LiveState::Matches(wanted.hash);
        assert_eq!(by_prediction(&wanted, &read, predicted()), matches);
        wanted.policy.as_mut().unwrap().include_webhooks = true;
        let differs = LiveState::Differs {
            wanted: wanted.hash,
            fields: vec!["data.stamp".to_owned()],
        };
        assert_eq!(by_prediction(&wanted, &read, predicted()), differs);
    }

    #[test]
    fn what_a_webhook_adds_is_no_difference_where_nothing_takes_a_dry_run() {
        let with = |containers: Value, ours: &Value| -> DynamicObject {
            let mut value = object("1");
            value["containers"] = containers;
            value["metadata"]["managedFields"] = json!([
                {"manager": "signet", "operation": "Apply", "fieldsV1": {
                    "f:metadata": {"f:annotations": {}}, "f:data": {"f:size": {}}, "f:containers": ours}}]);
            serde_json::from_value(value).unwrap()
        };
        let (main, sidecar) = (
            json!({"name": "main", "image": "web:1"}),
            json!({"name": "sidecar", "image": "proxy:1"}),
        );
        let mut wanted = wanted("1");
        wanted.object["containers"] = json!([main]);
        let both = json!([main, sidecar]);
        let ours = json!({"k:{\"name\":\"main\"}": {".": {}, "f:name": {}, "f:image": {}}});
        let compare = |live: &DynamicObject| by_prediction(&wanted, live, Predicted::NoDryRun);
        let matches = LiveState::Matches(wanted.hash);
        assert_eq!(compare(&with(both.clone(), &ours)), matches);

        let differs = |field: &str| LiveState::Differs {
            wanted: wanted.hash,
            fields: vec![field.to_owned()],
        };
        let changed = json!([{"name": "main", "image": "web:2"}, sidecar]);
        assert_eq!(
            compare(&with(changed, &ours)),
            differs("containers[0].image")
        );
        let less = json!({"k:{\"name\":\"main\"}": {".": {}, "f:name": {}}});
        assert_eq!(
            compare(&with(both, &less)),
            differs("containers[name=main].image")
        );
    }

    #[test]
    fn what_people_have_added_to_an_object_that_is_merged_is_no_difference() {
        let mut value = object("1");
        value["data"]["more"] = "x".into();
        value["metadata"]["managedFields"] = json!([
            {"manager": "signet", "operation": "Apply", "fieldsV1": {"f:metadata": {"f:annotations": {}}, "f:data": {"f:size": {}}}},
            {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:data": {"f:more": {}}}}]);
        let read: DynamicObject = serde_json::from_value(value).unwrap();
        let mut wanted = wanted("1");
        let differs = LiveState::Differs {
            wanted: wanted.hash,
            fields: vec!["data.more".to_owned()],
        };
        assert_eq!(first(&wanted, &read), Some(differs));
        wanted.policy.as_mut().unwrap().apply.mode = ApplyMode::Merge;
        let matches = LiveState::Matches(wanted.hash);
        assert_eq!(first(&wanted, &read), Some(matches));
    }

    #[test]
    fn what_does_not_count_is_neither_different_nor_taken_nor_added() {
        let rule = json!({"kind": "ConfigMap", "jsonPointers": ["/data"]});
        let rule = Rule::new("rules".to_owned(), serde_json::from_value(rule).unwrap());
        let rules = Rules {
            rules: vec![Arc::new(rule.unwrap())],
            respected: true,
        };
        let mut value = object("2");
        value["data"]["more"] = "x".into();
        value["metadata"]["managedFields"] = json!([
            {"manager": "signet", "operation": "Apply", "fieldsV1": {"f:metadata": {"f:annotations": {}}}},
            {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:data": {"f:size": {}, "f:more": {}}}}]);
        let read: DynamicObject = serde_json::from_value(value).unwrap();
        let mut wanted = wanted("1");
        assert_eq!(first(&wanted, &read), None);
        wanted.ignored = rules.of("shop", "", "ConfigMap", "demo", "a").unwrap();
        let matches = LiveState::Matches(wanted.hash);
        assert_eq!(first(&wanted, &read), Some(matches));
        let pair = Pair::of(&wanted, &read).ok().unwrap();
        assert!(pair.takes(Timestamp::UNIX_EPOCH).is_empty());
    }

    #[test]
    fn what_a_prediction_changes_is_named() {
        let (wanted, read) = (wanted("1"), live("2"));
        let differs = LiveState::Differs {
            wanted: wanted.hash,
            fields: vec!["data.size".to_owned()],
        };
        for predicted in [
            Predicted::Object(live("1").into()),
            Predicted::NoDryRun,
            refusal(FailureReason::Invalid),
        ] {
            assert_eq!(by_prediction(&wanted, &read, predicted), differs);
        }
    }

    #[test]
    fn a_refused_prediction_says_why() {
        let (wanted, read) = (wanted("1"), live("2"));
        let message = "no".to_owned();
        let immutable = LiveState::Immutable {
            wanted: wanted.hash,
            message: message.clone(),
        };
        let forbidden = LiveState::Forbidden {
            message: message.clone(),
        };
        let unreadable = LiveState::Unreadable { message };
        for (reason, state) in [
            (FailureReason::ImmutableField, immutable),
            (FailureReason::Forbidden, forbidden),
            (FailureReason::Unavailable, unreadable),
        ] {
            assert_eq!(by_prediction(&wanted, &read, refusal(reason)), state);
        }
    }
}
