//! Our chart beside upstream's real one, the version that belongs to the controller in the testbed.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::Testbed;
use crate::helm::{chart, helm};

/// Kind, namespace and name.
type Id = (String, String, String);

/// What others rely on: who finds the Pods under which name, and as whom they run.
const RELIED_ON: [&str; 6] = [
    "/spec/selector",
    "/spec/type",
    "/spec/template/spec/serviceAccountName",
    "/spec/template/spec/containers/0/name",
    "/roleRef",
    "/spec/rules/0/host",
];

/// Where upstream's chart is.
pub(crate) fn folder() -> String {
    Testbed::get();
    std::env::var("SIGNET_TESTBED_CHART").expect("the testbed names upstream's chart")
}

#[test]
fn what_upstreams_chart_makes_ours_makes_under_the_same_name() {
    for (release, set) in [
        ("sealed-secrets", ""),
        ("my-sealed-secrets", "namespace=elsewhere"),
        (
            "secrets",
            "fullnameOverride=sealed-secrets-controller,rbac.clusterRoleName=opener",
        ),
        ("secrets", "nameOverride=sealed-secrets"),
        (
            "sealed-secrets",
            "rbac.clusterRole=false,rbac.namespacedRoles=true,additionalNamespaces={red,blue}",
        ),
        (
            "sealed-secrets",
            "rbac.namespacedRoles=true,additionalNamespaces={red,blue}",
        ),
        (
            "sealed-secrets",
            "ingress.enabled=true,networkPolicy.enabled=true,pdb.create=true,metrics.serviceMonitor.enabled=true",
        ),
        (
            "sealed-secrets",
            "serviceAccount.name=opener,service.port=80,metrics.service.port=81",
        ),
    ] {
        let (theirs, ours) = (
            objects(&folder(), release, set),
            objects(&chart(), release, set),
        );
        for (id, theirs) in theirs {
            let ours = ours
                .get(&id)
                .unwrap_or_else(|| panic!("{release} {set}: no {id:?}"));
            for path in RELIED_ON {
                assert_eq!(
                    ours.pointer(path),
                    theirs.pointer(path),
                    "{release} {set}: {path} of {id:?}"
                );
            }
            assert_eq!(ports(ours), ports(&theirs), "{release} {set}: {id:?}");
            let (granted, needed) = (rights(ours), rights(&theirs));
            let lost: Vec<_> = needed
                .iter()
                .filter(|right| !granted.contains(right))
                .collect();
            assert!(
                lost.is_empty(),
                "{release} {set}: {id:?} does not grant {lost:?}"
            );
        }
    }
}

fn objects(chart: &str, release: &str, set: &str) -> BTreeMap<Id, Value> {
    let rendered = helm(&[
        "template",
        release,
        chart,
        "--namespace=kube-system",
        "--set",
        set,
    ])
    .success();
    let objects: Vec<Value> = serde_saphyr::from_multiple(&rendered).expect("helm renders YAML");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let id = |object: &Value| {
        let metadata = &object["metadata"];
        (
            text(&object["kind"]),
            text(&metadata["namespace"]),
            text(&metadata["name"]),
        )
    };
    objects
        .into_iter()
        .filter(|object| !object.is_null())
        .map(|object| (id(&object), object))
        .collect()
}

/// Name, port and target of a Service's ports.
fn ports(object: &Value) -> Vec<[Value; 3]> {
    let ports = object["spec"]["ports"].as_array().into_iter().flatten();
    ports
        .map(|port| ["name", "port", "targetPort"].map(|field| port[field].clone()))
        .collect()
}

/// Every verb on every resource of a role, with the names it is limited to.
fn rights(role: &Value) -> Vec<String> {
    let mut rights = Vec::new();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for rule in list(&role["rules"]) {
        for resource in list(&rule["resources"]) {
            for verb in list(&rule["verbs"]) {
                let names = list(&rule["resourceNames"]);
                let mut each: Vec<_> = names
                    .iter()
                    .map(|name| format!("{verb} {resource} {name}"))
                    .collect();
                if each.is_empty() {
                    each.push(format!("{verb} {resource}"));
                }
                rights.append(&mut each);
            }
        }
    }
    rights
}
