//! `signet app sync`. Must not apply anything itself: it asks the controller.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Error, Namespace, operation};
use crate::application::Applications;
use crate::cluster::Cluster;
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
        request(&cluster, &applications, name, arguments)?;
    }
    for name in arguments.names.iter().filter(|_| !arguments.no_wait) {
        operation::succeeded(&applications, name, arguments.timeout)?;
    }
    Ok(Outcome::Fine)
}

fn request(
    cluster: &Cluster,
    applications: &Applications<'_>,
    name: &str,
    arguments: &Arguments,
) -> Result<(), Error> {
    let application = operation::idle(applications, name)?;
    let mut sync = Map::new();
    if !arguments.revision.is_empty() {
        sync.extend([operation::revisions(&application, &arguments.revision)]);
    }
    if arguments.prune {
        sync.insert("prune".to_owned(), Value::Bool(true));
    }
    applications.request(name, &operation::request(cluster, &sync))?;
    if arguments.no_wait {
        report::note(format_args!("{name}: sync requested"));
    }
    Ok(())
}
