//! `signet app sync`. Must not apply anything itself: it asks the controller.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Error, Namespace};
use crate::application::Applications;
use crate::commands::Outcome;
use crate::{duration, error, report};

/// Have the controller sync Applications now, and wait until it has
///
/// Asks by writing `.operation` of the Application, as `kubectl patch` would. Ends with code 1 when a
/// sync fails.
///
/// Example:
///
///   signet app sync shop --prune
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Names of the Applications
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Sync this commit, branch or tag instead of targetRevision; where there are several sources, once for each
    #[arg(long)]
    revision: Vec<String>,

    /// Delete objects that are no longer in Git
    #[arg(long)]
    prune: bool,

    /// Ask only, without waiting for the end
    #[arg(long, conflicts_with = "timeout")]
    no_wait: bool,

    /// Wait this long for each
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration::parse)]
    timeout: Duration,

    #[command(flatten)]
    within: Namespace,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let cluster = arguments.within.connect()?;
    let applications = Applications::within(&cluster, arguments.within.namespace.as_deref());
    for name in &arguments.names {
        request(&applications, name, arguments)?;
    }
    for name in arguments.names.iter().filter(|_| !arguments.no_wait) {
        await_end(&applications, name, arguments.timeout)?;
    }
    Ok(Outcome::Fine)
}

fn request(
    applications: &Applications<'_>,
    name: &str,
    arguments: &Arguments,
) -> Result<(), Error> {
    let application = applications.get(name)?;
    if application.is_operating() {
        return Err(Error::Busy {
            name: name.to_owned(),
        });
    }
    let mut sync = Map::new();
    let several = !application.elements("/spec/sources").is_empty();
    match &arguments.revision[..] {
        [] => {}
        [revision] if !several => drop(sync.insert("revision".to_owned(), json!(revision))),
        revisions => drop(sync.insert("revisions".to_owned(), json!(revisions))),
    }
    if arguments.prune {
        sync.insert("prune".to_owned(), Value::Bool(true));
    }
    applications.request(
        name,
        &json!({ "initiatedBy": { "username": "signet" }, "sync": sync }),
    )?;
    if arguments.no_wait {
        report::note(format_args!("{name}: sync requested"));
    }
    Ok(())
}

/// The request slot is emptied in the same write that begins the operation, so an empty slot and an end belong together.
fn await_end(applications: &Applications<'_>, name: &str, timeout: Duration) -> Result<(), Error> {
    let ended = applications.wait(name, timeout, |application| !application.is_operating())?;
    let application = ended.ok_or_else(|| Error::SyncTimedOut {
        name: name.to_owned(),
        timeout,
    })?;
    let message = application
        .text("/status/operationState/message")
        .to_owned();
    match application.phase() {
        "Succeeded" => {
            report::note(format_args!("{name}: {message}"));
            Ok(())
        }
        phase => Err(Error::SyncFailed {
            name: name.to_owned(),
            phase: phase.to_owned(),
            message,
        }),
    }
}
