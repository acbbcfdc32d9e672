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
        wanted: wanted.hash,
        message: message.clone(),
    };
    let unreadable = LiveState::Unreadable {
        wanted: wanted.hash,
        message,
    };
    for (reason, state) in [
        (FailureReason::ImmutableField, immutable),
        (FailureReason::Forbidden, forbidden),
        (FailureReason::Unavailable, unreadable),
    ] {
        assert_eq!(by_prediction(&wanted, &read, refusal(reason)), state);
    }
}
