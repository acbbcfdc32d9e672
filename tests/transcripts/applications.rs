//! Applications as an API server would answer them. Must not know who asks.

use serde_json::{Value, json};

/// What all of them are compared with.
const REVISION: &str = "4f0c2a1b9d8e7f60514233425160718293a4b5c6";

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
    let path = match path.strip_prefix("apis/argoproj.io/v1alpha1/") {
        Some(path) => path,
        None => return beside(method, path),
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

/// Whom the API server takes the user for, and events.
fn beside(method: &str, path: &str) -> Option<Value> {
    let event = |kind: &str, namespace: &str, name: &str, at: &str, reason: &str, note: &str| {
        json!({
            "metadata": { "name": format!("{name}.{at}"), "namespace": namespace },
            "regarding": { "kind": kind, "namespace": namespace, "name": name },
            "type": "Normal", "reason": reason, "note": note, "deprecatedLastTimestamp": at, "eventTime": null,
        })
    };
    match (method, path) {
        ("POST", "apis/authentication.k8s.io/v1/selfsubjectreviews") => {
            Some(json!({ "metadata": {}, "status": { "userInfo": { "username": "jane" } } }))
        }
        ("GET", "apis/events.k8s.io/v1/namespaces/signet/events") => {
            Some(json!({ "metadata": {}, "items": [
                event("Application", "signet", "shop", "2026-03-02T09:00:05Z", "OperationCompleted", "Sync operation succeeded"),
                event("Application", "signet", "mail", "2026-03-02T09:00:05Z", "OperationCompleted", "Sync operation failed"),
            ] }))
        }
        ("GET", "apis/events.k8s.io/v1/namespaces/shop/events") => {
            Some(json!({ "metadata": {}, "items": [
                event("Deployment", "shop", "shop", "2026-03-02T09:00:03Z", "ScalingReplicaSet", "Scaled up replica set shop-1 to 1"),
            ] }))
        }
        ("GET", path) if path.ends_with("/events") => Some(json!({ "metadata": {}, "items": [] })),
        _ => None,
    }
}

/// What the controller says of a sync: of `shop` it would change something, `mail` has an object that can't be synced, `busy` would be
/// refused, and of all others nothing differs.
pub(super) fn preview(application: &str, body: &str) -> Value {
    let question: Value = serde_json::from_str(body).unwrap_or_default();
    let name = application.strip_prefix("signet/").unwrap_or_default();
    let object = |group: &str, kind: &str, change: &str| {
        json!({
            "group": group, "version": "v1", "kind": kind, "namespace": name, "name": name, "change": change,
            "origin": format!("{name}/{}.yaml: document 1, line 1", kind.to_lowercase()),
        })
    };
    let mut web = object("apps", "Deployment", "update");
    web["live"] = json!({ "kind": "Deployment", "spec": { "paused": false, "replicas": 1 } });
    web["becomes"] = json!({ "kind": "Deployment", "spec": { "paused": false, "replicas": 2 } });
    let mut sealed = object("bitnami.com", "SealedSecret", "update");
    sealed["items"] = json!({ "password": "re-sealed", "token": "added" });
    let mut old = object("", "ConfigMap", "delete");
    old["origin"] = Value::Null;
    let mut refused = object("apps", "Deployment", "none");
    refused["problem"] = json!(
        "Deployment.apps \"mail\" is invalid: spec.replicas: must be greater than or equal to 0"
    );
    let (objects, why) = match name {
        "shop" => (vec![sealed, web, old], None),
        "mail" => (vec![refused], None),
        "busy" => (
            Vec::new(),
            Some("busy/web.yaml: document 1, line 3: expected a mapping"),
        ),
        _ => (Vec::new(), None),
    };
    let secrets = json!([
        { "kind": "SealedSecret", "namespace": name, "name": "db", "origin": "shop/db.yaml: document 1, line 1",
          "openedBy": ["signet-key-x7k2p"], "usedBy": ["apps/Deployment shop/web", "PreSync hook batch/Job shop/migrate"],
          "lastChange": "2026-03-02T09:00:03Z" },
        { "kind": "Secret", "namespace": name, "name": "plain", "origin": "shop/plain.yaml: document 1, line 1", "openedBy": [], "usedBy": [] },
    ]);
    let secrets = match question["secrets"].as_bool() {
        Some(true) if name == "shop" => secrets,
        Some(true) => json!([]),
        _ => Value::Null,
    };
    let condition =
        json!({ "type": "SyncBlocked", "message": "Sync operation blocked by sync window" });
    json!({
        "revisions": [REVISION], "differs": name == "shop",
        "refused": why, "objects": objects, "secrets": secrets,
        "conditions": if name == "shop" { json!([condition]) } else { json!([]) },
    })
}

/// What was synced of `shop`: from another path at first, then from this one. Of those that were never synced to what they are compared
/// with, what was before.
fn history(name: &str) -> Value {
    let entry = |id: i64, path: &str, revision: &str| {
        json!({
            "id": id, "revision": revision,
            "deployStartedAt": format!("2026-03-0{}T09:00:00Z", id + 1),
            "deployedAt": format!("2026-03-0{}T09:00:05Z", id + 1),
            "initiatedBy": { "automated": true },
            "source": { "repoURL": "https://git.example.com/config.git", "path": path, "targetRevision": "main" },
        })
    };
    let before = "bbbb1111bbbb1111bbbb1111bbbb1111bbbb1111";
    match name {
        "shop" => json!([
            entry(0, "old", "aaaa0000aaaa0000aaaa0000aaaa0000aaaa0000"),
            entry(1, "shop", before),
            entry(2, "shop", REVISION),
        ]),
        "broken" | "stuck" | "moved" | "racing" => json!([entry(0, name, before)]),
        _ => json!([]),
    }
}

/// What became of the operations of `shop` since there are records.
fn records(name: &str) -> Value {
    if name != "shop" {
        return json!([]);
    }
    let deployment = |message: &str| format!("apps/Deployment shop/shop: {message}");
    json!([
        {
            "phase": "Failed", "message": "one or more objects failed to apply", "initiatedBy": { "username": "ana" },
            "startedAt": "2026-03-02T20:00:00Z", "finishedAt": "2026-03-02T20:00:01Z",
            "revision": REVISION, "changed": 1, "changes": [deployment("image is required")],
        },
        {
            "id": 2, "phase": "Succeeded", "message": "successfully synced (all tasks run)", "initiatedBy": { "automated": true },
            "startedAt": "2026-03-03T09:00:00Z", "finishedAt": "2026-03-03T09:00:05Z",
            "revision": REVISION, "changed": 4,
            "changes": [deployment("configured"), "Service shop/shop: created", "ConfigMap shop/old: pruned", "ConfigMap shop/new: created"],
        },
    ])
}

/// `held` was rolled back. `shop` is fine, `mail` is not and its syncs fail, `busy` is being synced and `long` until it is
/// watched, `asks` waits for an approval, `deaf` has no controller. Of the last commit the sync of `broken` failed and that of `stuck`
/// waits; a rollback of them succeeds. `moved` is written to by somebody else before the first change, `racing` before every one.
fn application(name: &str, watched: bool) -> Option<Value> {
    let (sync, health, phase, message) = match name {
        "shop" | "held" => (
            "Synced",
            "Healthy",
            "Succeeded",
            "successfully synced (all tasks run)",
        ),
        "broken" | "stuck" | "moved" | "racing" if watched => (
            "Synced",
            "Healthy",
            "Succeeded",
            "successfully synced (all tasks run)",
        ),
        "mail" | "broken" | "moved" | "racing" => (
            "OutOfSync",
            "Degraded",
            "Failed",
            "one or more objects failed to apply",
        ),
        "busy" | "stuck" => (
            "OutOfSync",
            "Progressing",
            "Running",
            "waiting for healthy state of apps/Deployment/busy",
        ),
        "long" if watched => ("OutOfSync", "Progressing", "Failed", "Operation terminated"),
        "long" => ("OutOfSync", "Progressing", "Running", "waiting"),
        "asking" if !watched => ("OutOfSync", "Healthy", "Succeeded", ""),
        "asks" | "asking" => (
            "OutOfSync",
            "Healthy",
            "Running",
            "waiting for pruning confirmation of Namespace extra",
        ),
        "deaf" => ("Unknown", "Unknown", "", ""),
        _ => return None,
    };
    let asked = name == "deaf" && watched;
    let annotations = match name {
        "held" => json!({ "signet.dev/hold": r#"{"at":["c1"],"past":["c2"]}"# }),
        _ if asked => json!({ "argocd.argoproj.io/refresh": "normal" }),
        _ => json!({}),
    };
    let extra = json!({ "kind": "Namespace", "name": "extra", "status": "OutOfSync", "requiresPruning": true, "requiresDeletionConfirmation": true });
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
        "shop" => json!([
            { "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "shop", "status": "Synced", "message": "configured (dry run)" },
        ]),
        _ => json!([]),
    };
    Some(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name, "namespace": "signet", "resourceVersion": "3",
            "annotations": annotations,
        },
        "operation": if asked { json!({ "sync": {} }) } else { Value::Null },
        "spec": {
            "project": "default",
            "source": { "repoURL": "https://git.example.com/config.git", "path": name, "targetRevision": "main" },
            "destination": { "server": "https://kubernetes.default.svc", "namespace": name },
            "syncPolicy": { "automated": { "prune": true } },
        },
        "status": {
            "sync": { "status": sync, "revision": REVISION },
            "health": { "status": health },
            "operationState": { "phase": phase, "message": message, "syncResult": { "revision": REVISION, "resources": results } },
            "conditions": conditions,
            "history": history(name),
            "operationHistory": records(name),
            "resources": match name {
                "asks" => json!([extra]),
                _ => json!([resource("SealedSecret", "Healthy"), resource("Deployment", health)]),
            },
        },
    }))
}
