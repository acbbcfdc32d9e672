//! The index as events reach it: whom it wakes, what it forgets, and what costs nothing.

use health::Customizations;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{api::DynamicObject, core::ApiResource};
use serde_json::{Value, json};

use super::{
    Writing,
    index::{Answer, Index},
    locked,
    seen::Seen,
    slot::Affected,
};
use crate::sync::{
    desired::WantedHash,
    key::{GroupKind, ObjectKey},
    observe::applications::AppId,
    observe::autoscalers::{self, Scaler},
    world::{Live, LiveState},
};

fn app(name: &str) -> AppId {
    AppId::new("signet", name)
}

fn kind() -> GroupKind {
    GroupKind::new("", "ConfigMap")
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new(&kind(), Some("web"), name)
}

/// A ConfigMap that we applied for the Application `shop`.
fn metadata(version: &str) -> Value {
    json!({
        "name": "a", "namespace": "web", "uid": "1", "resourceVersion": version,
        "annotations": {"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:web/a"},
        "managedFields": [{"manager": "signet", "operation": "Apply", "fieldsV1": {"f:data": {"f:x": {}}}}],
    })
}

fn seen(metadata: Value) -> Seen {
    Seen::metadata(serde_json::from_value::<ObjectMeta>(metadata).unwrap())
}

fn nobody(affected: &Affected) -> bool {
    affected.applications.is_empty() && affected.tracking_names.is_empty()
}

fn live(index: &Index) -> Live {
    match index.answer(&key("a")) {
        Answer::Present(live) => *live,
        other => panic!("expected a live object, found {other:?}"),
    }
}

fn matches() -> LiveState {
    LiveState::Matches(WantedHash([7; 16]))
}

/// An index that has seen the ConfigMap and knows that it is as wanted.
fn verified() -> Index {
    let mut index = Index::default();
    index.concern(&app("shop"), [&key("a")].into_iter());
    let first = seen(metadata("10"));
    let digest = first.digest;
    index.see(&key("a"), first);
    index.compared(&key("a"), digest, matches());
    index
}

#[test]
fn an_object_without_tracking_that_nobody_wants_is_dropped() {
    let mut index = Index::default();
    let mut stranger = metadata("10");
    stranger["annotations"] = json!({});
    assert!(nobody(&index.see(&key("a"), seen(stranger))));
    assert!(matches!(index.answer(&key("a")), Answer::Unasked));
}

#[test]
fn an_object_with_tracking_wakes_the_application_that_it_names() {
    let mut index = Index::default();
    let affected = index.see(&key("a"), seen(metadata("10")));
    assert!(affected.tracking_names.contains("shop"));
    assert_eq!(index.tracked_by("shop").collect::<Vec<_>>(), [&key("a")]);
}

#[test]
fn a_write_that_leaves_our_fields_alone_wakes_nobody() {
    let mut index = verified();
    let mut touched = metadata("11");
    touched["generation"] = 5.into();
    touched["managedFields"].as_array_mut().unwrap().push(json!(
        {"manager": "other", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}}
    ));
    assert!(nobody(&index.see(&key("a"), seen(touched))));
    assert_eq!(live(&index).state, matches());
    assert_eq!(live(&index).resource_version, "11");
}

#[test]
fn a_deletion_of_ours_counts_before_the_watch_tells_of_it() {
    let mut index = verified();
    index.deleting(&key("a"), "another");
    assert!(!live(&index).deleting);
    index.deleting(&key("a"), "1");
    assert!(live(&index).deleting);
    index.lose(&key("a"), Some("1"));
    index.deleting(&key("a"), "1");
    assert!(matches!(index.answer(&key("a")), Answer::Absent));
}

#[test]
fn a_field_taken_from_us_asks_for_a_new_comparison() {
    let mut index = verified();
    let mut taken = metadata("11");
    taken["managedFields"][0]["fieldsV1"] = json!({"f:data": {}});
    let affected = index.see(&key("a"), seen(taken));
    assert!(affected.applications.contains(&app("shop")));
    assert_eq!(live(&index).state, LiveState::Unverified);
}

#[test]
fn older_news_change_nothing() {
    let mut index = verified();
    let mut old = metadata("9");
    old["managedFields"][0]["fieldsV1"] = json!({"f:data": {}});
    assert!(nobody(&index.see(&key("a"), seen(old))));
    assert_eq!(live(&index).state, matches());
}

#[test]
fn a_comparison_of_what_has_changed_meanwhile_is_not_kept() {
    let mut index = verified();
    let mut taken = metadata("11");
    taken["managedFields"][0]["fieldsV1"] = json!({"f:data": {}});
    index.see(&key("a"), seen(taken));
    index.compared(&key("a"), seen(metadata("10")).digest, matches());
    assert_eq!(live(&index).state, LiveState::Unverified);
}

#[test]
fn an_object_that_loses_its_tracking_wakes_its_application_once_more() {
    let mut index = verified();
    let mut lost = metadata("11");
    lost["annotations"] = json!({});
    let affected = index.see(&key("a"), seen(lost));
    assert!(affected.tracking_names.contains("shop"));
    assert_eq!(index.tracked_by("shop").count(), 0);
    assert_eq!(live(&index).tracking, None, "still wanted, so still known");
}

#[test]
fn a_deletion_wakes_and_is_remembered_as_absence() {
    let mut index = verified();
    assert!(
        nobody(&index.lose(&key("a"), Some("2"))),
        "news of a predecessor"
    );
    let affected = index.lose(&key("a"), Some("1"));
    assert!(affected.applications.contains(&app("shop")));
    assert!(matches!(index.answer(&key("a")), Answer::Absent));
}

#[test]
fn events_of_a_write_under_way_wake_nobody() {
    let mut index = verified();
    index.writing(&key("a"));
    let mut written = metadata("11");
    written["managedFields"][0]["fieldsV1"] = json!({"f:data": {"f:y": {}}});
    assert!(nobody(&index.see(&key("a"), seen(written))));
    index.written(&key("a"));
    assert_eq!(live(&index).resource_version, "11");
}

#[test]
fn what_a_whole_listing_does_not_show_has_gone() {
    let mut index = verified();
    index.begin_listing(&kind());
    let affected = index.end_listing(&kind());
    assert!(affected.applications.contains(&app("shop")));
    assert!(matches!(index.answer(&key("a")), Answer::Absent));

    let mut index = verified();
    index.begin_listing(&kind());
    index.see(&key("a"), seen(metadata("10")));
    assert!(nobody(&index.end_listing(&kind())));
}

#[test]
fn what_a_whole_listing_does_not_show_has_not_to_be_asked_for() {
    let mut index = Index::default();
    index.concern(&app("shop"), [&key("a")].into_iter());
    index.begin_listing(&kind());
    // This one may have streamed by before.
    index.concern(&app("shop"), [&key("a"), &key("late")].into_iter());
    assert!(matches!(index.answer(&key("a")), Answer::Unasked));
    assert!(nobody(&index.end_listing(&kind())));
    assert!(matches!(index.answer(&key("a")), Answer::Absent));
    assert!(matches!(index.answer(&key("late")), Answer::Unasked));
}

#[test]
fn what_an_application_no_longer_wants_and_nobody_tracks_is_forgotten() {
    let mut index = Index::default();
    index.concern(&app("shop"), [&key("a"), &key("b")].into_iter());
    index.absent(&key("b"));
    index.concern(&app("shop"), [&key("a")].into_iter());
    assert!(matches!(index.answer(&key("b")), Answer::Unasked));
    index.forget(&app("shop"));
    assert_eq!(index.kinds_in_use().len(), 0);
    assert!(!index.cares(&key("a")));
}

#[tokio::test]
async fn a_write_that_is_dropped_on_its_way_leaves_nobody_deaf() {
    let index = std::sync::Mutex::default();
    let object = key("a");
    locked(&index).concern(&app("shop"), [&object].into_iter());
    let write = async {
        let _writing = Writing::begin(&index, &object);
        std::future::pending::<()>().await;
    };
    assert!(futures::poll!(Box::pin(write)).is_pending());
    let affected = locked(&index).see(&object, seen(metadata("10")));
    assert!(!nobody(&affected));
}

#[test]
fn kubectls_copy_of_the_object_is_not_kept() {
    let mut object = metadata("10");
    object["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        "{\"data\":{\"password\":\"hunter2\"}}".into();
    assert!(!seen(object).metadata.to_string().contains("hunter2"));
}

#[test]
fn health_is_judged_from_the_whole_object() {
    let resource = ApiResource::from_gvk(&kube::core::GroupVersionKind::gvk(
        "apps",
        "v1",
        "Deployment",
    ));
    let object: DynamicObject = serde_json::from_value(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "generation": 2},
        "spec": {"replicas": 1}, "status": {"observedGeneration": 1},
    }))
    .unwrap();
    let health = Seen::whole(object, &resource, &Customizations::default())
        .health
        .unwrap();
    assert_eq!(health.status, crate::sync::world::HealthStatus::Progressing);
}

fn workload() -> ObjectKey {
    ObjectKey::of("apps", "Deployment", "web", "a")
}

/// An autoscaler that somebody made by hand.
fn autoscaler(version: &str) -> (ObjectKey, Seen) {
    let object: DynamicObject = serde_json::from_value(json!({
        "metadata": {"name": "scaler", "namespace": "web", "uid": "2", "resourceVersion": version},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}},
    }))
    .unwrap();
    let key = ObjectKey::new(&autoscalers::kind(), Some("web"), "scaler");
    let seen = Seen::whole(object, &autoscalers::resource(), &Customizations::default());
    (key, seen)
}

#[test]
fn an_autoscaler_that_comes_or_goes_wakes_the_application_of_its_workload() {
    let mut index = Index::default();
    index.concern(&app("shop"), [&workload()].into_iter());
    let (key, seen) = autoscaler("10");
    let affected = index.see(&key, seen);
    assert!(affected.applications.contains(&app("shop")));
    assert!(index.has_autoscaler(&workload()));
    assert!(nobody(&index.see(&key, autoscaler("11").1)), "nothing new");

    let affected = index.lose(&key, Some("2"));
    assert!(affected.applications.contains(&app("shop")));
    assert!(!index.has_autoscaler(&workload()));
    assert!(!index.cares(&key));
}

#[test]
fn autoscalers_are_watched_as_long_as_a_workload_was_scaled_by_one() {
    let mut index = Index::default();
    index.concern(&app("shop"), [&workload()].into_iter());
    assert!(!index.kinds_in_use().contains(&autoscalers::kind()));
    let mut scaled = metadata("10");
    scaled["managedFields"].as_array_mut().unwrap().push(json!({
        "manager": "kube-controller-manager", "operation": "Update", "subresource": "scale",
        "fieldsV1": {"f:spec": {"f:replicas": {}}},
    }));
    index.see(&workload(), seen(scaled));
    assert_eq!(
        index.scaled_of(&app("shop"))[&workload()],
        Scaler::Horizontal
    );
    assert!(index.kinds_in_use().contains(&autoscalers::kind()));
}
