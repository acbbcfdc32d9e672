//! `signet app confirm`. Must not delete anything itself: it approves what the controller asks for.

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Error, Namespace};
use crate::application::{Application, text};
use crate::commands::Outcome;
use crate::{error, report};

/// Written as Argo CD's clients do.
const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";

/// Approve the deletions that a sync, or the deletion of an Application, waits for
///
/// What they are stands in the operation's message, as `signet app get` shows it.
///
/// Example:
///
///   signet app confirm shop
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Name of the Application
    name: String,

    #[command(flatten)]
    within: Namespace,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let cluster = arguments.within.connect()?;
    let applications = arguments.within.applications(&cluster);
    let name = &arguments.name;
    let application = applications.get(name).map_err(Error::from)?;
    let asked = asked(&application);
    if asked.is_empty() && !application.is_deleting() {
        return Err(Error::NothingAsked { name: name.clone() }.into());
    }
    let patch = json!({
        "metadata": {
            "resourceVersion": application.resource_version(),
            "annotations": { DELETION_APPROVED: after_asking(&application).to_string() },
        },
    });
    applications
        .merge(
            name,
            &format!("approve deletions of Application {name}"),
            patch,
        )
        .map_err(Error::from)?;
    match asked.is_empty() {
        true => report::note(format_args!("{name}: approved")),
        false => report::note(format_args!("{name}: approved: {}", asked.join(", "))),
    }
    Ok(Outcome::Fine)
}

/// Now, but later than what asks began: its clock may be ahead of ours, and an approval of before is none.
fn after_asking(application: &Application) -> Timestamp {
    let deletion = &application.0.metadata.deletion_timestamp;
    let sync = application.text("/status/operationState/startedAt");
    let began = sync.parse().ok().max(deletion.as_ref().map(|time| time.0));
    let after =
        began.and_then(|began: Timestamp| began.checked_add(SignedDuration::from_secs(1)).ok());
    after.max(Some(Timestamp::now())).unwrap_or(Timestamp::MAX)
}

/// The objects whose deletion waits.
fn asked(application: &Application) -> Vec<String> {
    let objects = application.elements("/status/resources").iter();
    let asked = objects.filter(|object| object["requiresDeletionConfirmation"] == true);
    let name = |object: &Value| match text(object, "namespace") {
        "" => text(object, "name").to_owned(),
        namespace => format!("{namespace}/{}", text(object, "name")),
    };
    asked
        .map(|object| format!("{} {}", text(object, "kind"), name(object)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_is_later_than_what_asks_whatever_the_clocks_say() {
        let application = |metadata: Value, started: &str| {
            let object = json!({ "metadata": metadata, "status": { "operationState": { "startedAt": started } } });
            Application(serde_json::from_value(object).unwrap())
        };
        let ahead = "2999-01-01T00:00:00Z";
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let sync = application(json!({}), ahead);
        assert!(after_asking(&sync) > time(ahead));
        let deletion = application(
            json!({ "deletionTimestamp": ahead }),
            "2026-03-01T12:00:00Z",
        );
        assert!(after_asking(&deletion) > time(ahead));
        let before = Timestamp::now();
        assert!(after_asking(&application(json!({}), "")) >= before);
    }
}
