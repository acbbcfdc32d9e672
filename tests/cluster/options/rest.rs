//! What is written once everything is as wanted: nothing, and that for as long as one looks.
//! It asserts nothing about what is wanted.

use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{equal, eventually};
use crate::scene::Scene;

/// Longer than healing waits before its second and its third try: what drifts again and again is written meanwhile.
const LOOK: Duration = Duration::from_secs(8);

/// The controller's writes in the scene's namespaces since the audit log had so many bytes, as `VERB RESOURCE`. Dry-runs
/// don't count, nor does the Lease that it renews.
pub(crate) fn written(scene: &Scene, start: u64) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_write = |request: &&Value| {
        let namespace = text(&request["objectRef"]["namespace"]);
        matches!(
            &*text(&request["verb"]),
            "create" | "update" | "patch" | "delete" | "deletecollection"
        ) && request["objectRef"]["resource"] != "leases"
            && [&scene.own, &scene.to].contains(&&namespace)
            && text(&request["userAgent"]).starts_with("signet-controller")
            && !text(&request["requestURI"]).contains("dryRun=")
    };
    let requests = scene.testbed.audited_from("testbed-admin", start);
    let told = |request: &Value| {
        let resource = text(&request["objectRef"]["resource"]);
        format!("{} {resource}", text(&request["verb"]))
    };
    requests.iter().filter(is_write).map(told).collect()
}

/// Waits until the Application is as wanted and works, and nothing was written for a while. Returns its last operation.
pub(crate) fn rests(scene: &Scene) -> Value {
    eventually("the controller rests", || {
        let start = scene.testbed.audit_end();
        sleep(LOOK);
        let status = &scene.app()["status"];
        equal(&written(scene, start), &Vec::new())
            .and_then(|()| equal(&status["sync"]["status"], &"Synced".into()))
            .and_then(|()| equal(&status["health"]["status"], &"Healthy".into()))
            .map(|()| status["operationState"].clone())
            .map_err(|error| format!("{error}\n{status:#}"))
    })
}

/// While `what` happens, no object is written and no sync begins, and the Application is as wanted at the end.
pub(crate) fn nothing_is_written_while(scene: &Scene, what: impl FnOnce()) {
    let operation = rests(scene);
    let start = scene.testbed.audit_end();
    what();
    assert_eq!(rests(scene), operation);
    let mut written = written(scene, start);
    // Of the Application itself, its status and Events tell what is seen meanwhile.
    written.retain(|write| !write.ends_with(" applications") && !write.ends_with(" events"));
    assert_eq!(written, Vec::<String>::new());
}

/// While `what` happens, and for a while after it, no object of a resource is written.
pub(crate) fn no_write_of(scene: &Scene, resource: &str, what: impl FnOnce()) {
    let start = scene.testbed.audit_end();
    what();
    sleep(LOOK);
    let mut written = written(scene, start);
    written.retain(|write| write.ends_with(resource));
    assert_eq!(written, Vec::<String>::new());
}
