//! `signet app events`. Must not change anything, and shows what the user may see.

use std::collections::BTreeSet;

use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::{Error, Namespace};
use crate::application::{Application, text};
use crate::cluster::{self, Cluster};
use crate::commands::Outcome;
use crate::output::{Output, Readers};
use crate::{error, report, table};

/// Show events of an Application and of its objects, oldest first
///
/// Example:
///
///   signet app events shop
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
    let application = applications.get(&arguments.name).map_err(Error::from)?;
    let objects = objects(&application);
    let namespaces: BTreeSet<&str> = objects.iter().map(|object| object.place()).collect();
    let mut events = Vec::new();
    for namespace in namespaces {
        match of_namespace(&cluster, namespace) {
            Ok(found) => events.extend(found),
            // What else there is to see is shown.
            Err(error @ cluster::Error::Forbidden { .. }) => report::note(format_args!("{error}")),
            Err(error) => return Err(Error::from(error).into()),
        }
    }
    events.retain(|event| objects.contains(&Object::of(event)));
    events.sort_by_key(last_seen);
    if events.is_empty() {
        report::note(format_args!("no events of {}", arguments.name));
        return Ok(Outcome::Fine);
    }
    let heading = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
    let text = table::write(&heading, events.iter().map(row));
    Output::Stdout.write(text.as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}

/// What an event is about.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Object {
    kind: String,
    namespace: String,
    name: String,
}

impl Object {
    fn of(event: &Event) -> Self {
        let about = event.regarding.clone().unwrap_or_default();
        Self {
            kind: about.kind.unwrap_or_default(),
            namespace: about.namespace.unwrap_or_default(),
            name: about.name.unwrap_or_default(),
        }
    }

    /// Events of what has no namespace are in this one.
    fn place(&self) -> &str {
        match self.namespace.as_str() {
            "" => "default",
            namespace => namespace,
        }
    }
}

/// The Application, its objects and the hooks of its last sync.
fn objects(application: &Application) -> BTreeSet<Object> {
    let itself = Object {
        kind: crds::names::application::KIND.to_owned(),
        namespace: application.namespace(),
        name: application.name(),
    };
    let objects = application.elements("/status/resources");
    let results = application.elements("/status/operationState/syncResult/resources");
    let object = |value: &Value| Object {
        kind: text(value, "kind").to_owned(),
        namespace: text(value, "namespace").to_owned(),
        name: text(value, "name").to_owned(),
    };
    let others = objects.iter().chain(results).map(object);
    std::iter::once(itself).chain(others).collect()
}

fn of_namespace(cluster: &Cluster, namespace: &str) -> Result<Vec<Event>, cluster::Error> {
    let api = Api::<Event>::namespaced(cluster.client(), namespace);
    let action = format!("list events in namespace {namespace}");
    let events = cluster.ask(&action, api.list(&ListParams::default()))?;
    Ok(events.items)
}

/// In the order of RFC 3339, whoever wrote the event.
fn last_seen(event: &Event) -> String {
    let series = event
        .series
        .as_ref()
        .map(|series| series.last_observed_time.0);
    let old = event.deprecated_last_timestamp.as_ref().map(|time| time.0);
    let new = event.event_time.as_ref().map(|time| time.0);
    let made = event.creation_timestamp().map(|time| time.0);
    let at = series.or(old).or(new).or(made);
    at.map(|at| format!("{at:.0}")).unwrap_or_default()
}

fn row(event: &Event) -> Vec<String> {
    let Object { kind, name, .. } = Object::of(event);
    vec![
        last_seen(event),
        event.type_.clone().unwrap_or_default(),
        event.reason.clone().unwrap_or_default(),
        format!("{kind}/{name}"),
        event.note.clone().unwrap_or_default(),
    ]
}
