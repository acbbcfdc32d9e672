//! `signet app history`. Must not change anything.

use serde_json::{Value, json};

use super::{Error, Namespace};
use crate::application::{Application, revisions_of, shortened, text};
use crate::arguments::Answer;
use crate::commands::Outcome;
use crate::output::{Output, Readers};
use crate::{error, manifest, report, table};

/// So many changes are told of each operation.
const TOLD: usize = 3;

/// Show what was synced and what failed, and what it changed
///
/// The number in front is the one that `signet app rollback` takes.
///
/// Example:
///
///   signet app history shop
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
    let records = records(&application);
    let text = match arguments.output {
        Answer::Json => manifest::json(&json!(records)) + "\n",
        Answer::Table if records.is_empty() => {
            report::note(format_args!("{} was never synced", arguments.name));
            return Ok(Outcome::Fine);
        }
        Answer::Table => in_rows(&records),
    };
    Output::Stdout.write(text.as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}

/// Operations that ended, oldest first. Of a sync from before there were records the history knows the rest.
fn records(application: &Application) -> Vec<Value> {
    let records = application.elements("/status/operationHistory");
    let is_recorded = |entry: &&Value| records.iter().any(|record| record["id"] == entry["id"]);
    let history = application.elements("/status/history").iter();
    let synced = history.filter(|entry| !is_recorded(entry)).map(|entry| {
        json!({
            "id": entry["id"],
            "phase": "Succeeded",
            "startedAt": entry["deployStartedAt"],
            "finishedAt": entry["deployedAt"],
            "initiatedBy": entry["initiatedBy"],
            "revision": entry["revision"],
            "revisions": entry["revisions"],
        })
    });
    let mut all: Vec<Value> = synced.chain(records.iter().cloned()).collect();
    all.sort_by(|one, other| text(one, "finishedAt").cmp(text(other, "finishedAt")));
    all
}

fn in_rows(records: &[Value]) -> String {
    let heading = ["ID", "ENDED", "REVISION", "BY", "RESULT", "CHANGES"];
    let row = |record: &Value| {
        let id = record["id"].as_i64();
        vec![
            id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            text(record, "finishedAt").to_owned(),
            shortened(&revisions_of(record)),
            by(record),
            result(record),
            changes(record),
        ]
    };
    table::write(&heading, records.iter().map(row))
}

fn by(record: &Value) -> String {
    match (
        record["initiatedBy"]["automated"] == true,
        text(&record["initiatedBy"], "username"),
    ) {
        (true, _) => "automated".to_owned(),
        (false, username) => username.to_owned(),
    }
}

/// Why it failed, if it did.
fn result(record: &Value) -> String {
    match (text(record, "phase"), text(record, "message")) {
        ("Succeeded", _) => "Succeeded".to_owned(),
        (phase, message) => format!("{phase}: {message}"),
    }
}

fn changes(record: &Value) -> String {
    let changes = record["changes"].as_array().map_or(&[][..], Vec::as_slice);
    let told: Vec<&str> = changes
        .iter()
        .filter_map(Value::as_str)
        .take(TOLD)
        .collect();
    let changed = record["changed"].as_u64().unwrap_or_default();
    let more = changed.saturating_sub(told.len() as u64);
    match (told.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => told.join(", "),
        (false, more) => format!("{}, and {more} more", told.join(", ")),
    }
}
