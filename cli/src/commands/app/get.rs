//! `signet app get`. Must not change anything but the wish to refresh.

use std::time::Duration;

use serde_json::Value;

use super::{Error, Namespace};
use crate::application::{Application, Applications};
use crate::arguments::Answer;
use crate::commands::Outcome;
use crate::output::{Output, Readers};
use crate::{duration, error, manifest, table};

/// Show an Application: source, destination, state, conditions and objects
///
/// With --refresh the controller looks at Git first, instead of at its next interval.
///
/// Example:
///
///   signet app get shop --refresh
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Name of the Application
    name: String,

    /// Have the controller look at Git first
    #[arg(long)]
    refresh: bool,

    /// Wait this long for the refresh
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration::parse, requires = "refresh")]
    timeout: Duration,

    /// Write text, or JSON
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Answer,

    #[command(flatten)]
    within: Namespace,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let cluster = arguments.within.connect()?;
    let applications = Applications::within(&cluster, arguments.within.namespace.as_deref());
    let application = match arguments.refresh {
        true => refreshed(&applications, &arguments.name, arguments.timeout)?,
        false => applications.get(&arguments.name).map_err(Error::from)?,
    };
    let text = match arguments.output {
        Answer::Json => manifest::json(&application.to_json()) + "\n",
        Answer::Table => describe(&application),
    };
    Output::Stdout.write(text.as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}

fn refreshed(
    applications: &Applications<'_>,
    name: &str,
    timeout: Duration,
) -> Result<Application, Error> {
    applications.request_refresh(name)?;
    let refreshed = applications.wait(name, timeout, |application| !application.is_refreshing())?;
    refreshed.ok_or_else(|| Error::NotRefreshed {
        name: name.to_owned(),
        timeout,
    })
}

fn describe(application: &Application) -> String {
    let fact = |(field, value): (&str, String)| {
        format!("{:13}{}\n", format!("{field}:"), or(&value, "(none)"))
    };
    let mut parts = vec![facts(application).into_iter().map(fact).collect::<String>()];
    let failed = |result: &&Value| result["status"] == "SyncFailed";
    let results = application.elements("/status/operationState/syncResult/resources");
    parts.extend(rows(
        &[("CONDITION", "/type"), ("MESSAGE", "/message")],
        &application.elements("/status/conditions").iter(),
    ));
    parts.extend(rows(
        &[
            ("FAILED", "/kind"),
            ("NAMESPACE", "/namespace"),
            ("NAME", "/name"),
            ("MESSAGE", "/message"),
        ],
        &results.iter().filter(failed),
    ));
    parts.extend(rows(
        &[
            ("KIND", "/kind"),
            ("NAMESPACE", "/namespace"),
            ("NAME", "/name"),
            ("STATUS", "/status"),
            ("HEALTH", "/health/status"),
        ],
        &application.elements("/status/resources").iter(),
    ));
    parts.join("\n")
}

fn facts(application: &Application) -> Vec<(&'static str, String)> {
    let text = |pointer: &str, otherwise: &str| or(application.text(pointer), otherwise).to_owned();
    let server = text(
        "/spec/destination/server",
        &text("/spec/destination/name", "(none)"),
    );
    let destination = [
        server,
        format!(
            "namespace {}",
            text("/spec/destination/namespace", "(none)")
        ),
    ];
    let health = [
        application.health().to_owned(),
        text("/status/health/message", ""),
    ];
    let operation = [
        application.phase().to_owned(),
        text("/status/operationState/message", ""),
    ];
    let mut facts = vec![
        (
            "Name",
            format!("{}/{}", application.namespace(), application.name()),
        ),
        ("Project", text("/spec/project", "default")),
    ];
    facts.extend(application.sources().iter().map(|s| ("Source", source(s))));
    facts.extend([
        ("Destination", joined(&destination)),
        (
            "Sync",
            joined(&[application.sync_status().to_owned(), application.revision()]),
        ),
        ("Health", joined(&health)),
        ("Operation", joined(&operation)),
    ]);
    facts
}

fn source(source: &Value) -> String {
    let text = |field: &str| source[field].as_str().unwrap_or_default();
    let what = match (text("chart"), text("ref"), text("path")) {
        ("", name, "") if !name.is_empty() => format!("ref {name}"),
        ("", _, path) => format!("path {}", or(path, ".")),
        (chart, ..) => format!("chart {chart}"),
    };
    let revision = format!("revision {}", or(text("targetRevision"), "HEAD"));
    joined(&[text("repoURL").to_owned(), what, revision])
}

/// A table of what stands at the pointers in each value; none when there are no values. A column without a word is left
/// out: not every controller keeps the health of single objects in the status.
fn rows<'value>(
    columns: &[(&str, &str)],
    values: &(impl Iterator<Item = &'value Value> + Clone),
) -> Option<String> {
    let cell = |value: &'value Value, pointer: &str| {
        let text = value.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default()
    };
    let told = |column: &&(&str, &str)| {
        values
            .clone()
            .any(|value| !cell(value, column.1).is_empty())
    };
    let columns: Vec<_> = columns.iter().filter(told).collect();
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    let row = |value| -> Vec<String> {
        let cells = columns
            .iter()
            .map(|(_, pointer)| cell(value, pointer).to_owned());
        cells.collect()
    };
    let rows = values.clone().map(row);
    (!headings.is_empty()).then(|| table::write(&headings, rows))
}

fn or<'text>(text: &'text str, otherwise: &'text str) -> &'text str {
    if text.is_empty() { otherwise } else { text }
}

fn joined(parts: &[String]) -> String {
    let said: Vec<&str> = parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect();
    said.join(", ")
}
