use serde_json::json;

use super::*;

fn rules(written: Value) -> Rules {
    let written: Vec<IgnoreDifferences> = serde_json::from_value(written).unwrap();
    let rule = |written| Arc::new(Rule::new("rules".to_owned(), written).unwrap());
    Rules {
        rules: written.into_iter().map(rule).collect(),
        respected: true,
    }
}

fn ignored(written: Value) -> Ignored {
    rules(written)
        .of("shop", "apps", "Deployment", "demo", "web")
        .unwrap()
}

fn managed(entries: Value) -> Vec<ManagedFieldsEntry> {
    serde_json::from_value(entries).unwrap()
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 2, "template": {"spec": {
        "containers": [{"name": "web", "image": "web:1"}, {"name": "istio-proxy", "image": "proxy:1"}]}}}})
}

#[test]
fn a_rule_is_about_objects_by_patterns_of_group_and_kind_and_by_name() {
    for (written, fits) in [
        (json!({"group": "apps", "kind": "Deployment"}), true),
        (json!({"group": "*", "kind": "*"}), true),
        (json!({"group": "app*", "kind": "Deploy?ent"}), true),
        (json!({"kind": "Deployment"}), false),
        (json!({"group": "apps", "kind": "StatefulSet"}), false),
        (
            json!({"group": "apps", "kind": "*", "name": "web", "namespace": "demo"}),
            true,
        ),
        (
            json!({"group": "apps", "kind": "*", "name": "other"}),
            false,
        ),
        (
            json!({"group": "apps", "kind": "*", "namespace": "other"}),
            false,
        ),
    ] {
        assert_eq!(!ignored(json!([written])).is_empty(), fits, "{written}");
    }
}

#[test]
fn what_does_not_count_is_gone_from_wanted_and_live_alike() {
    let ignored = ignored(json!([
        {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas", "/spec/none"]},
        {"group": "apps", "kind": "*", "jqPathExpressions": [".spec.template.spec.containers[] | select(.name==\"istio-proxy\")"]},
    ]));
    let mut other = deployment();
    other["spec"]["replicas"] = 7.into();
    other["spec"]["template"]["spec"]["containers"][1]["image"] = "proxy:2".into();
    let stripped = ignored.strip(&deployment(), &[]).unwrap();
    assert_eq!(
        stripped,
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
            "template": {"spec": {"containers": [{"name": "web", "image": "web:1"}]}}}})
    );
    assert_eq!(ignored.strip(&other, &[]).unwrap(), stripped);
}

#[test]
fn what_a_manager_owns_does_not_count_as_far_as_it_owns_it() {
    let ignored = ignored(
        json!([{"group": "apps", "kind": "*", "managedFieldsManagers": ["scaler", "injector"]}]),
    );
    let managed = managed(json!([
        {"manager": "signet", "operation": "Apply", "fieldsV1": {"f:spec": {"f:template": {}}}},
        {"manager": "scaler", "operation": "Update", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "injector", "operation": "Update", "fieldsV1": {
            "f:metadata": {"f:annotations": {".": {}, "f:injected": {}}},
            "f:spec": {"f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"istio-proxy\"}": {".": {}, "f:name": {}, "f:image": {}},
                "k:{\"name\":\"web\"}": {"f:image": {}}}}}}}},
    ]));
    let mut live = deployment();
    live["metadata"]["annotations"] = json!({"injected": "yes", "own": "kept"});
    assert_eq!(
        ignored.strip(&live, &managed).unwrap(),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "annotations": {"own": "kept"}},
            "spec": {"template": {"spec": {"containers": [{"name": "web"}]}}}})
    );
    assert!(ignored.spares("scaler") && !ignored.spares("signet"));
}

#[test]
fn a_rule_that_can_not_be_used_is_the_problem_of_the_objects_it_is_about() {
    let rules =
        rules(json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/a", "b"]}]));
    let problem = rules
        .of("shop", "apps", "Deployment", "demo", "web")
        .unwrap_err();
    assert_eq!(
        problem.to_string(),
        "rules.jsonPointers[1]: found \"b\", expected a JSON pointer that begins with /"
    );
    assert!(
        rules
            .of("shop", "apps", "StatefulSet", "demo", "web")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_rule_without_a_kind_is_about_nothing() {
    for (written, expected) in [
        (
            json!({}),
            "rules.kind: it is empty, expected a kind, or * for all",
        ),
        (
            json!({"kind": "a[", "group": "x"}),
            "rules.kind: found \"a[\", which is no pattern: ",
        ),
    ] {
        let written = serde_json::from_value(written).unwrap();
        let problem = Rule::new("rules".to_owned(), written)
            .unwrap_err()
            .to_string();
        assert!(problem.starts_with(expected), "{problem}");
    }
}

/// The body over this live object, where our entry owns these fields.
fn body_over(rule: Value, wanted: &Value, live: &Value, ours: &Value) -> Value {
    let mut rule = rule;
    rule["group"] = "apps".into();
    rule["kind"] = "Deployment".into();
    body(&ignored(json!([rule])), wanted, live, &[], Some(ours)).unwrap()
}

#[test]
fn a_field_that_somebody_else_owns_is_left_out() {
    let mut live = deployment();
    live["spec"]["replicas"] = 7.into();
    let body = body_over(
        json!({"jsonPointers": ["/spec/replicas"]}),
        &deployment(),
        &live,
        &json!({"f:spec": {"f:template": {}}}),
    );
    assert_eq!(body["spec"].get("replicas"), None);
}

#[test]
fn a_field_of_ours_stays_as_it_is_also_when_git_has_dropped_it() {
    let mut live = deployment();
    live["spec"]["replicas"] = 7.into();
    let mut dropped = deployment();
    dropped["spec"].as_object_mut().unwrap().remove("replicas");
    for wanted in [deployment(), dropped] {
        let body = body_over(
            json!({"jsonPointers": ["/spec/replicas"]}),
            &wanted,
            &live,
            &json!({"f:spec": {"f:replicas": {}}}),
        );
        assert_eq!(body["spec"]["replicas"], 7);
    }
}

#[test]
fn of_a_map_only_what_is_ours_is_repeated() {
    let mut live = deployment();
    live["metadata"]["annotations"] = json!({"ours": "1", "theirs": "2"});
    let body = body_over(
        json!({"jsonPointers": ["/metadata/annotations"]}),
        &deployment(),
        &live,
        &json!({"f:metadata": {"f:annotations": {"f:ours": {}}}}),
    );
    assert_eq!(body["metadata"]["annotations"], json!({"ours": "1"}));
}

#[test]
fn entries_of_a_list_are_found_by_their_keys() {
    let mut live = deployment();
    live["spec"]["template"]["spec"]["containers"] = json!([
        {"name": "added", "image": "added:1"}, {"name": "istio-proxy", "image": "proxy:9"}, {"name": "web", "image": "web:9"}]);
    let containers = json!({
        "k:{\"name\":\"web\"}": {".": {}, "f:name": {}, "f:image": {}},
        "k:{\"name\":\"istio-proxy\"}": {".": {}, "f:name": {}, "f:image": {}}});
    let ours = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": containers}}}});
    let image = body_over(
        json!({"jqPathExpressions": [".spec.template.spec.containers[].image"]}),
        &deployment(),
        &live,
        &ours,
    );
    assert_eq!(
        image["spec"]["template"]["spec"]["containers"],
        json!([{"name": "web", "image": "web:9"}, {"name": "istio-proxy", "image": "proxy:9"}])
    );
    let mut dropped = deployment();
    dropped["spec"]["template"]["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .pop();
    let entry = body_over(
        json!({"jqPathExpressions": [".spec.template.spec.containers[] | select(.name == \"istio-proxy\")"]}),
        &dropped,
        &live,
        &ours,
    );
    assert_eq!(
        entry["spec"]["template"]["spec"]["containers"],
        json!([{"name": "web", "image": "web:1"}, {"name": "istio-proxy", "image": "proxy:9"}])
    );
}

#[test]
fn a_list_that_is_ours_as_a_whole_keeps_what_stands_in_the_same_place() {
    let wanted = json!({"kind": "Deployment", "spec": {"args": ["a", "b"], "rules": [{"host": "x", "ip": "1"}]}});
    let live = json!({"kind": "Deployment", "spec": {"args": ["a", "z"], "rules": [{"host": "x", "ip": "2"}]}});
    let body = body_over(
        json!({"jsonPointers": ["/spec/args/1", "/spec/rules/0/ip"]}),
        &wanted,
        &live,
        &json!({"f:spec": {"f:args": {}, "f:rules": {}}}),
    );
    assert_eq!(body, live);
}

#[test]
fn nothing_is_made_up_for_a_field_that_is_nobodys() {
    let mut live = deployment();
    live["spec"]["strategy"] = json!({"type": "Recreate"});
    let body = body_over(
        json!({"jsonPointers": ["/spec/strategy/type"]}),
        &deployment(),
        &live,
        &json!({"f:spec": {"f:replicas": {}}}),
    );
    assert_eq!(body, deployment());
}
