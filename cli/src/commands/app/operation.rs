//! Operations of the controller: asks for one, and waits for its end. Must not apply anything itself.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Error;
use crate::application::{Application, Applications};
use crate::cluster::Cluster;
use crate::report;

/// Who asks, where the cluster does not say whom it takes us for.
const SOMEBODY: &str = "signet";

/// The Application, unless an operation is asked for or under way.
pub(super) fn idle(applications: &Applications<'_>, name: &str) -> Result<Application, Error> {
    let application = applications.get(name)?;
    match application.is_operating() {
        true => Err(Error::Busy {
            name: name.to_owned(),
        }),
        false => Ok(application),
    }
}

/// What a request for a sync says.
pub(super) fn request(cluster: &Cluster, sync: &Map<String, Value>) -> Value {
    let username = cluster.username();
    let username = username.unwrap_or_else(|| SOMEBODY.to_owned());
    json!({ "initiatedBy": { "username": username }, "sync": sync })
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
        _ if application.is_asking() => Err(Error::Asks {
            name: name.to_owned(),
            message: message.to_owned(),
        }),
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
