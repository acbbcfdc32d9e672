//! `signet app diff`. Must not compare or plan anything: the controller does, as for a sync, and this prints what it says.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};

use super::preview::Question;
use super::{Error, Namespace, operation};
use crate::application::{Applications, shortened, text};
use crate::arguments::Answer;
use crate::cluster::Cluster;
use crate::commands::Outcome;
use crate::output::{Output, Readers};
use crate::{checkout, duration, error, manifest, report};

mod objects;

/// Show what a sync of an Application would change
///
/// The controller renders, compares and plans as for a sync that prunes, and writes nothing. Of
/// Secrets only the names of items are shown. Who may write the Application may ask.
///
/// Ends with code 0 when nothing differs, 1 when something does, and 2 when it can't be told or the
/// sync would be refused.
///
/// Examples:
///
///   signet app diff shop
///   signet app diff shop --revision feature/new-logo
///   signet app diff shop --local .
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Name of the Application
    name: String,

    /// Compare with this commit, branch or tag instead of targetRevision; where there are several sources, once for each
    #[arg(long)]
    revision: Vec<String>,

    /// Compare with the files of the checkout that this folder is in, committed or not: those that git tracks or would add
    #[arg(long, value_name = "FOLDER", conflicts_with = "revision")]
    local: Option<PathBuf>,

    /// Write a diff for people, or JSON
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Answer,

    /// Wait this long for the answer
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration::parse)]
    timeout: Duration,

    #[command(flatten)]
    within: Namespace,
}

pub(crate) fn run(arguments: &Arguments) -> Outcome {
    match asked(arguments) {
        Ok(outcome) => outcome,
        Err(error) => {
            report::failure(&error);
            Outcome::Unknown
        }
    }
}

fn asked(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let cluster = arguments.within.connect()?;
    let applications = arguments.within.applications(&cluster);
    let diff = ask(&cluster, &applications, arguments)?;
    let text = match arguments.output {
        Answer::Json => manifest::json(&diff) + "\n",
        Answer::Table => objects::written(&diff["objects"]),
    };
    Output::Stdout.write(text.as_bytes(), Readers::Everybody)?;
    Ok(conclude(arguments, &diff)?)
}

/// Says what else there is to say, and how the command ends.
fn conclude(arguments: &Arguments, diff: &Value) -> Result<Outcome, Error> {
    let name = &arguments.name;
    for condition in diff["conditions"].as_array().into_iter().flatten() {
        let [type_, message] = ["type", "message"].map(|field| text(condition, field));
        report::warning(format_args!("{type_}: {message}"));
    }
    if let Some(message) = diff["refused"].as_str() {
        return Err(Error::Refused {
            name: name.clone(),
            message: message.to_owned(),
        });
    }
    let problems = objects::problems(&diff["objects"]);
    if problems > 0 {
        return Err(Error::Undecided {
            name: name.clone(),
            problems,
        });
    }
    let revisions = diff["revisions"].as_array().into_iter().flatten();
    let revisions: Vec<String> = revisions
        .filter_map(|revision| revision.as_str().map(str::to_owned))
        .collect();
    let at = match &arguments.local {
        Some(folder) => format!("with the files of {}", folder.display()),
        None => format!("at {}", shortened(&revisions)),
    };
    let counts = objects::counts(&diff["objects"]);
    Ok(match diff["differs"].as_bool() {
        Some(true) => {
            report::note(format_args!("{name} {at}: {counts}"));
            Outcome::Wanting
        }
        _ => {
            report::note(format_args!("{name} {at}: nothing differs"));
            Outcome::Fine
        }
    })
}

fn ask(
    cluster: &Cluster,
    applications: &Applications<'_>,
    arguments: &Arguments,
) -> Result<Value, Error> {
    let name = &arguments.name;
    let mut sync = Map::from_iter([("prune".to_owned(), Value::Bool(true))]);
    if !arguments.revision.is_empty() {
        let application = applications.get(name)?;
        sync.extend([operation::revisions(&application, &arguments.revision)]);
    }
    let files = arguments.local.as_deref().map(checkout::archive);
    let question = Question {
        name,
        sync,
        secrets: false,
        files: files.transpose()?,
        timeout: arguments.timeout,
    };
    question.ask(cluster, applications)
}
