//! Operations of the controller: asks for one, and waits for its end. Must not apply anything itself.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Error;
use crate::application::{Application, Applications, shortened, stated_revisions};
use crate::cluster::Cluster;
use crate::report;

/// Who asks, where the cluster does not say whom it takes us for.
const SOMEBODY: &str = "signet";

/// The Application, unless an operation is asked for or under way.
pub(super) fn idle(applications: &Applications<'_>, name: &str) -> Result<Application, Error> {
    let application = applications.get(name)?;
    if application.is_asking() {
        return Err(asks(&application, name));
    }
    match application.is_operating() {
        true => Err(Error::Busy {
            name: name.to_owned(),
            stands: stands(&application).to_owned(),
        }),
        false => Ok(application),
    }
}

/// How far the operation is that is asked for or under way.
fn stands(application: &Application) -> &str {
    match application.text("/status/operationState/message") {
        _ if !application.is_running() => "the controller has not taken it up yet",
        "" => "it has just begun",
        message => message,
    }
}

fn asks(application: &Application, name: &str) -> Error {
    Error::Asks {
        name: name.to_owned(),
        message: application
            .text("/status/operationState/message")
            .to_owned(),
    }
}

/// The sync that a request written now takes the place of.
pub(super) fn replaced(application: &Application) -> Option<String> {
    let revisions = match application.is_running() {
        true => application.operation_revisions(),
        false => stated_revisions(&application.request()["sync"]),
    };
    application.is_operating().then(|| match revisions {
        Some(revisions) => format!("the sync to {}", shortened(&revisions)),
        None => "the sync that was asked for".to_owned(),
    })
}

/// What a request for a sync says.
pub(super) fn request(cluster: &Cluster, sync: &Map<String, Value>) -> Value {
    let username = cluster.username();
    let username = username.unwrap_or_else(|| SOMEBODY.to_owned());
    json!({ "initiatedBy": { "username": username }, "sync": sync })
}

/// A merge patch that puts `request` where another stands, of which nothing stays.
pub(super) fn in_place_of(standing: &Value, request: Value) -> Value {
    match (standing, request) {
        (Value::Object(standing), Value::Object(mut request)) => {
            for (field, value) in standing {
                let new = request.remove(field).unwrap_or_default();
                request.insert(field.clone(), in_place_of(value, new));
            }
            Value::Object(request)
        }
        (_, request) => request,
    }
}

/// The field for revisions, as an Application with one or with several sources has it.
pub(super) fn revisions(application: &Application, revisions: &[String]) -> (String, Value) {
    let several = !application.elements("/spec/sources").is_empty();
    match revisions {
        [revision] if !several => ("revision".to_owned(), json!(revision)),
        revisions => ("revisions".to_owned(), json!(revisions)),
    }
}

/// The request slot is emptied in the same write that begins the operation, so an empty slot and an end belong together.
pub(super) fn ended(
    applications: &Applications<'_>,
    name: &str,
    timeout: Duration,
) -> Result<Application, Error> {
    awaited(applications, name, timeout, |application| {
        !application.is_operating()
    })
}

fn awaited(
    applications: &Applications<'_>,
    name: &str,
    timeout: Duration,
    reached: impl Fn(&Application) -> bool,
) -> Result<Application, Error> {
    let application = applications.wait(name, timeout, reached)?;
    application.ok_or_else(|| Error::SyncTimedOut {
        name: name.to_owned(),
        timeout,
    })
}

/// Waits until the operation has succeeded, and says so. One that asks for an approval would wait for ever.
pub(super) fn succeeded(
    applications: &Applications<'_>,
    name: &str,
    timeout: Duration,
) -> Result<Application, Error> {
    let halts = |application: &Application| !application.is_operating() || application.is_asking();
    let application = awaited(applications, name, timeout, halts)?;
    let message = application.text("/status/operationState/message");
    match application.phase() {
        _ if application.is_asking() => Err(asks(&application, name)),
        "Succeeded" => {
            report::note(format_args!("{name}: {message}"));
            Ok(application)
        }
        phase => Err(Error::SyncFailed {
            name: name.to_owned(),
            phase: phase.to_owned(),
            message: message.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn application(object: Value) -> Application {
        Application(serde_json::from_value(object).unwrap())
    }

    #[test]
    fn a_request_leaves_nothing_of_the_one_in_whose_place_it_comes() {
        let standing = json!({
            "initiatedBy": { "username": "ana" }, "retry": { "limit": 3 },
            "sync": { "revision": "c2", "dryRun": true, "resources": [{ "kind": "Service", "name": "web" }] },
        });
        let request = json!({ "initiatedBy": { "username": "jane" }, "sync": { "revision": "c1", "prune": true } });
        assert_eq!(in_place_of(&Value::Null, request.clone()), request);
        assert_eq!(
            in_place_of(&standing, request),
            json!({
                "initiatedBy": { "username": "jane" }, "retry": null,
                "sync": { "revision": "c1", "prune": true, "dryRun": null, "resources": null },
            })
        );
    }

    #[test]
    fn a_sync_that_a_request_takes_the_place_of_asks_for_no_approval() {
        let waiting = "waiting for pruning confirmation of Namespace extra";
        let state = json!({ "phase": "Running", "message": waiting });
        let mut object = json!({ "metadata": {}, "status": { "operationState": state } });
        assert!(application(object.clone()).is_asking());
        object["operation"] = json!({ "sync": {} });
        assert!(!application(object).is_asking());
    }

    #[test]
    fn what_is_replaced_is_named_by_what_it_is_at() {
        let replaced = |object: Value| replaced(&application(object));
        let running = json!({
            "phase": "Running", "operation": { "sync": { "revision": "main" } }, "syncResult": { "revision": "c2" },
        });
        let with = |state: &Value, request: Value| json!({ "metadata": {}, "operation": request, "status": { "operationState": state } });
        let ended = json!({ "phase": "Succeeded", "syncResult": { "revision": "c2" } });
        for (object, expected) in [
            (with(&ended, Value::Null), None),
            (with(&running, Value::Null), Some("the sync to c2")),
            (
                with(&running, json!({ "sync": {} })),
                Some("the sync to c2"),
            ),
            (
                with(&ended, json!({ "sync": {} })),
                Some("the sync that was asked for"),
            ),
            (
                with(&ended, json!({ "sync": { "revisions": ["v1", "v2"] } })),
                Some("the sync to v1, v2"),
            ),
        ] {
            assert_eq!(replaced(object).as_deref(), expected);
        }
    }
}
