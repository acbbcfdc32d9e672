//! `signet app sync`. Must not apply anything itself: it asks the controller.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::preview::Question;
use super::{Error, Namespace, operation};
use crate::application::{Application, Applications, text};
use crate::cluster::Cluster;
use crate::commands::Outcome;
use crate::output::{Output, Readers};
use crate::{duration, error, report, table};

mod selection;

use selection::{Label, Resource, Selection};

/// Have the controller sync Applications now, and wait until it has
///
/// Asks by writing `.operation` of the Application, as `kubectl patch` would. Ends with code 1 when a
/// sync fails, or when another one is under way.
///
/// Examples:
///
///   signet app sync shop --prune
///   signet app sync shop --resource '!batch:Job:import'
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

    /// Sync this object alone, as GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME, or all but this one, with ! in front; several can be named
    #[arg(long, value_name = "OBJECT", value_parser = selection::resource)]
    resource: Vec<Resource>,

    /// Sync objects alone that have this label in Git, as LABEL=VALUE; where there are several, all of them
    #[arg(long, value_name = "LABEL", value_parser = selection::label)]
    label: Vec<Label>,

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
    let mut asked = Vec::new();
    for name in &arguments.names {
        if request(&cluster, &applications, name, arguments)? {
            asked.push(name);
        }
    }
    for name in asked.into_iter().filter(|_| !arguments.no_wait) {
        let application = operation::succeeded(&applications, name, arguments.timeout)?;
        if arguments.dry_run {
            let text = results(&application);
            Output::Stdout.write(text.as_bytes(), Readers::Everybody)?;
        }
    }
    Ok(Outcome::Fine)
}

/// Whether there was anything to ask for.
fn request(
    cluster: &Cluster,
    applications: &Applications<'_>,
    name: &str,
    arguments: &Arguments,
) -> Result<bool, Error> {
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
    let selection = Selection {
        resources: &arguments.resource,
        labels: &arguments.label,
    };
    if !selection.is_everything() {
        let objects = match selection.named() {
            Some(objects) => objects,
            None => {
                let question = Question {
                    name,
                    sync: sync.clone(),
                    secrets: false,
                    files: None,
                    timeout: arguments.timeout,
                };
                chosen(&selection, cluster, applications, &question)?
            }
        };
        if objects.is_empty() {
            report::note(format_args!("{name}: nothing of that differs"));
            return Ok(false);
        }
        sync.insert("resources".to_owned(), json!(objects));
    }
    applications.request(name, &operation::request(cluster, &sync))?;
    if arguments.no_wait {
        report::note(format_args!("{name}: sync requested"));
    }
    Ok(true)
}

/// The chosen ones of the objects that the sync would come to, as the controller says.
fn chosen(
    selection: &Selection<'_>,
    cluster: &Cluster,
    applications: &Applications<'_>,
    question: &Question<'_>,
) -> Result<Vec<Value>, Error> {
    let name = question.name;
    let diff = question.ask(cluster, applications)?;
    if let Some(message) = diff["refused"].as_str() {
        return Err(Error::Refused {
            name: name.to_owned(),
            message: message.to_owned(),
        });
    }
    let objects = &diff["objects"];
    if let Some(problems) = selection.problems(objects) {
        return Err(Error::Undecided {
            name: name.to_owned(),
            problems,
        });
    }
    // The answer took its time: somebody may have begun another sync.
    operation::idle(applications, name)?;
    Ok(selection.of(objects))
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
