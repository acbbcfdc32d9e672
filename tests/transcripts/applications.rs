//! Applications as an API server would answer them. Must not know who asks.

use serde_json::{Value, json};

pub(super) fn answer(method: &str, path: &str, query: &str) -> Option<Value> {
    let list =
        |items: Vec<Value>| json!({ "metadata": { "resourceVersion": "3" }, "items": items });
    let selected = query
        .split("metadata.name%3D")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let all = |names: &[&str]| {
        Some(list(
            names
                .iter()
                .filter_map(|name| application(name, true))
                .collect(),
        ))
    };
    match (
        method,
        path.rsplit_once('/').unwrap_or(("", path)),
        selected,
    ) {
        ("GET", ("namespaces/signet", "applications"), Some(name)) => all(&[name]),
        ("GET", ("namespaces/signet", "applications"), None) => all(&["shop", "mail"]),
        ("GET", ("", "applications"), _) => all(&["shop"]),
        ("GET", (_, "applications"), _) => all(&[]),
        ("GET" | "PATCH", ("namespaces/signet/applications", name), _) => application(name, false),
        _ => None,
    }
}

/// `shop` is fine, `mail` is not and its syncs fail, `busy` is being synced, `deaf` has no controller.
fn application(name: &str, watched: bool) -> Option<Value> {
    let (sync, health, phase, message) = match name {
        "shop" => (
            "Synced",
            "Healthy",
            "Succeeded",
            "successfully synced (all tasks run)",
        ),
        "mail" => (
            "OutOfSync",
            "Degraded",
            "Failed",
            "one or more objects failed to apply",
        ),
        "busy" => (
            "OutOfSync",
            "Progressing",
            "Running",
            "waiting for healthy state of apps/Deployment/busy",
        ),
        "deaf" => ("Unknown", "Unknown", "", ""),
        _ => return None,
    };
    let asked = name == "deaf" && watched;
    let resource = |kind: &str, health: &str| json!({ "kind": kind, "namespace": name, "name": name, "status": sync, "health": { "status": health } });
    let conditions = match name {
        "mail" => {
            json!([{ "type": "SyncError", "message": "one or more objects failed to apply" }])
        }
        _ => json!([]),
    };
    let results = match name {
        "mail" => json!([
            { "kind": "Service", "namespace": "mail", "name": "mail", "status": "Synced", "message": "created" },
            { "kind": "Deployment", "namespace": "mail", "name": "mail", "status": "SyncFailed", "message": "image is required" },
        ]),
        _ => json!([]),
    };
    Some(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name, "namespace": "signet", "resourceVersion": "3",
            "annotations": if asked { json!({ "argocd.argoproj.io/refresh": "normal" }) } else { json!({}) },
        },
        "operation": if asked { json!({ "sync": {} }) } else { Value::Null },
        "spec": {
            "project": "default",
            "source": { "repoURL": "https://git.example.com/config.git", "path": name, "targetRevision": "main" },
            "destination": { "server": "https://kubernetes.default.svc", "namespace": name },
        },
        "status": {
            "sync": { "status": sync, "revision": "4f0c2a1b9d8e7f60514233425160718293a4b5c6" },
            "health": { "status": health },
            "operationState": { "phase": phase, "message": message, "syncResult": { "resources": results } },
            "conditions": conditions,
            "resources": [resource("SealedSecret", "Healthy"), resource("Deployment", health)],
        },
    }))
}
