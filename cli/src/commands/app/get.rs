//! `signet app get`. Must not change anything but the wish to refresh.

use std::fmt::Write as _;
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
    let mut text = String::new();
    let source = format!(
        "{}, path {}, revision {}",
        application.text("/spec/source/repoURL"),
        or(application.text("/spec/source/path"), "."),
        or(application.text("/spec/source/targetRevision"), "HEAD"),
    );
    let destination = format!(
        "{}, namespace {}",
        or(
            application.text("/spec/destination/server"),
            or(application.text("/spec/destination/name"), "(none)")
        ),
        or(application.text("/spec/destination/namespace"), "(none)"),
    );
    for (field, value) in [
        (
            "Name",
            format!("{}/{}", application.namespace(), application.name()),
        ),
        (
            "Project",
            or(application.text("/spec/project"), "default").to_owned(),
        ),
        ("Source", source),
        ("Destination", destination),
        (
            "Sync",
            joined(&[application.sync_status(), &application.revision()]),
        ),
        (
            "Health",
            joined(&[
                application.health(),
                application.text("/status/health/message"),
            ]),
        ),
        (
            "Operation",
            joined(&[
                application.phase(),
                application.text("/status/operationState/message"),
            ]),
        ),
    ] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{:13}{}", format!("{field}:"), or(&value, "(none)"));
    }
    let conditions = application.elements("/status/conditions");
    if !conditions.is_empty() {
        text.push('\n');
        text += &table::write(
            &["CONDITION", "MESSAGE"],
            conditions
                .iter()
                .map(|condition| cells(condition, &["/type", "/message"])),
        );
    }
    let resources = application.elements("/status/resources");
    if !resources.is_empty() {
        text.push('\n');
        let columns = ["/kind", "/namespace", "/name", "/status", "/health/status"];
        text += &table::write(
            &["KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH"],
            resources.iter().map(|resource| cells(resource, &columns)),
        );
    }
    text
}

fn or<'text>(text: &'text str, otherwise: &'text str) -> &'text str {
    if text.is_empty() { otherwise } else { text }
}

fn joined(parts: &[&str]) -> String {
    parts
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(", ")
}

fn cells(value: &Value, pointers: &[&str]) -> Vec<String> {
    let cell = |pointer: &&str| {
        value
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    pointers.iter().map(cell).collect()
}
