//! `signet app resources`. Must not change anything.

use serde_json::{Value, json};

use super::{Error, Namespace};
use crate::application::{Application, text};
use crate::arguments::Answer;
use crate::commands::Outcome;
use crate::output::{Output, Readers};
use crate::{error, manifest, report, table};

/// List the objects of an Application, and the hooks of its last sync
///
/// Example:
///
///   signet app resources shop
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Name of the Application
    name: String,

    /// Write a table, or JSON
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Answer,

    #[command(flatten)]
    within: Namespace,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let cluster = arguments.within.connect()?;
    let applications = arguments.within.applications(&cluster);
    let application = applications.get(&arguments.name).map_err(Error::from)?;
    let objects = application.elements("/status/resources");
    let hooks = hooks(&application);
    let text = match arguments.output {
        Answer::Json => manifest::json(&json!({ "resources": objects, "hooks": hooks })) + "\n",
        Answer::Table if objects.is_empty() && hooks.is_empty() => {
            report::note(format_args!("{} has no objects", arguments.name));
            return Ok(Outcome::Fine);
        }
        Answer::Table => in_rows(objects, &hooks),
    };
    Output::Stdout.write(text.as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}

fn hooks(application: &Application) -> Vec<&Value> {
    let results = application.elements("/status/operationState/syncResult/resources");
    let is_hook = |result: &&Value| !text(result, "hookType").is_empty();
    results.iter().filter(is_hook).collect()
}

fn in_rows(objects: &[Value], hooks: &[&Value]) -> String {
    let heading = [
        "GROUP",
        "KIND",
        "NAMESPACE",
        "NAME",
        "STATUS",
        "WAVE",
        "HOOK",
    ];
    let identity = |value: &Value| {
        ["group", "kind", "namespace", "name"].map(|field| text(value, field).to_owned())
    };
    let object = |object: &Value| {
        let status = match object["requiresPruning"] == true {
            true => format!("{} (to be pruned)", text(object, "status")),
            false => text(object, "status").to_owned(),
        };
        let wave = object["syncWave"].as_i64().unwrap_or_default();
        let cells = [status, wave.to_string(), String::new()];
        [&identity(object)[..], &cells].concat()
    };
    let hook = |hook: &&Value| {
        let phase = text(hook, "hookPhase").to_owned();
        let cells = [phase, String::new(), text(hook, "hookType").to_owned()];
        [&identity(hook)[..], &cells].concat()
    };
    let rows = objects.iter().map(object).chain(hooks.iter().map(hook));
    table::write(&heading, rows)
}
