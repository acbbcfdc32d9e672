//! `signet app get`. Must not change anything but the wish to refresh.

use std::iter::repeat;
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
    let applications = arguments.within.applications(&cluster);
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
    let compared = application.revisions();
    let compared = compared.iter().map(String::as_str).chain(repeat(""));
    let sources = application.sources().iter().zip(compared);
    facts.extend(sources.map(|(written, compared)| ("Source", source(written, compared))));
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

/// A source as it is written; of a chart without a version, `compared` is the one that was the newest.
fn source(source: &Value, compared: &str) -> String {
    let text = |field: &str| source[field].as_str().unwrap_or_default();
    let what = match (text("chart"), text("ref"), text("path")) {
        ("", name, "") if !name.is_empty() => format!("ref {name}"),
        ("", _, path) => format!("path {}", or(path, ".")),
        (chart, ..) => format!("chart {chart}"),
    };
    let revision = match (text("chart"), text("targetRevision"), compared) {
        ("", revision, _) => format!("revision {}", or(revision, "HEAD")),
        (_, "", "") => "the newest version".to_owned(),
        (_, "", version) => format!("the newest version ({version})"),
        (_, version, _) => format!("version {version}"),
    };
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_source_is_shown_with_what_its_revision_means() {
        let commit = "4f0c2a1b9d8e7f60514233425160718293a4b5c6";
        for (written, compared, shown) in [
            (
                json!({"repoURL": "https://a.org/x", "path": "app"}),
                commit,
                "path app, revision HEAD",
            ),
            (
                json!({"repoURL": "https://a.org/x", "targetRevision": "v1"}),
                commit,
                "path ., revision v1",
            ),
            (
                json!({"repoURL": "https://a.org/x", "ref": "values"}),
                "",
                "ref values, revision HEAD",
            ),
            (
                json!({"repoURL": "https://a.org/x", "chart": "web"}),
                "",
                "chart web, the newest version",
            ),
            (
                json!({"repoURL": "https://a.org/x", "chart": "web"}),
                "1.10.0-rc.1",
                "chart web, the newest version (1.10.0-rc.1)",
            ),
            (
                json!({"repoURL": "https://a.org/x", "chart": "web", "targetRevision": "1.*"}),
                "1.9.0",
                "chart web, version 1.*",
            ),
        ] {
            assert_eq!(
                source(&written, compared),
                format!("https://a.org/x, {shown}")
            );
        }
    }

    #[test]
    fn commits_are_shortened_and_versions_are_not() {
        let status = json!({"sync": {"status": "Synced", "revisions": ["4f0c2a1b9d8e7f60514233425160718293a4b5c6", "1.10.0-rc.1"]}});
        let object = json!({
            "metadata": {"name": "shop", "namespace": "signet"},
            "spec": {"sources": [{"repoURL": "https://a.org/x"}, {"repoURL": "https://b.org", "chart": "web"}]},
            "status": status,
        });
        let application = Application(serde_json::from_value(object).unwrap());
        let text = describe(&application);
        for line in [
            "Source:      https://a.org/x, path ., revision HEAD\n",
            "Source:      https://b.org, chart web, the newest version (1.10.0-rc.1)\n",
            "Sync:        Synced, 4f0c2a1, 1.10.0-rc.1\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
