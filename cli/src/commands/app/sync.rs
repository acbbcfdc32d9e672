//! `signet app sync`. Must not apply anything itself: it asks the controller.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Error, Namespace, operation};
use crate::application::{Application, Applications, text};
use crate::cluster::Cluster;
use crate::commands::Outcome;
use crate::output::{Output, Readers};
use crate::{duration, error, report, table};

/// Have the controller sync Applications now, and wait until it has
///
/// Asks by writing `.operation` of the Application, as `kubectl patch` would. Ends with code 1 when a
/// sync fails, or when another one is under way.
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

    /// Sync this object alone, as GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME; several can be named
    #[arg(long, value_name = "OBJECT", value_parser = object)]
    resource: Vec<Value>,

    /// Write nothing, and tell what would become of each object
    #[arg(long, conflicts_with = "no_wait")]
    dry_run: bool,

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
    let applications = arguments.within.applications(&cluster);
    for name in &arguments.names {
        request(&cluster, &applications, name, arguments)?;
    }
    for name in arguments.names.iter().filter(|_| !arguments.no_wait) {
        let application = operation::succeeded(&applications, name, arguments.timeout)?;
        if arguments.dry_run {
            let text = results(&application);
            Output::Stdout.write(text.as_bytes(), Readers::Everybody)?;
        }
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
    for (field, wanted) in [("prune", arguments.prune), ("dryRun", arguments.dry_run)] {
        if wanted {
            sync.insert(field.to_owned(), Value::Bool(true));
        }
    }
    if !arguments.resource.is_empty() {
        sync.insert("resources".to_owned(), json!(arguments.resource));
    }
    applications.request(name, &operation::request(cluster, &sync))?;
    if arguments.no_wait {
        report::note(format_args!("{name}: sync requested"));
    }
    Ok(())
}

/// An object as the request names it.
fn object(text: &str) -> Result<Value, String> {
    let parts: Vec<&str> = text.splitn(3, ':').collect();
    let [group, kind, name] = parts[..] else {
        return Err("expected GROUP:KIND:NAME, such as apps:Deployment:web or :Service:web".into());
    };
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (namespace, name),
        None => ("", name),
    };
    if kind.is_empty() || name.is_empty() {
        return Err("expected a kind and a name, such as :Service:web".into());
    }
    let mut object = json!({ "group": group, "kind": kind, "name": name });
    if !namespace.is_empty() {
        object["namespace"] = json!(namespace);
    }
    Ok(object)
}

/// What the operation says of each object that it dealt with.
fn results(application: &Application) -> String {
    let results = application.elements("/status/operationState/syncResult/resources");
    let fields = ["group", "kind", "namespace", "name", "message"];
    let row = |result: &Value| fields.map(|field| text(result, field).to_owned()).to_vec();
    let heading = ["GROUP", "KIND", "NAMESPACE", "NAME", "RESULT"];
    match results.is_empty() {
        true => String::new(),
        false => table::write(&heading, results.iter().map(row)),
    }
}
