//! `signet app secrets`. Must not read a Secret: the controller says what there is, and it says no value.

use std::time::Duration;

use serde_json::{Map, Value};

use super::preview::Question;
use super::{Error, Namespace, operation};
use crate::application::text;
use crate::arguments::Answer;
use crate::commands::Outcome;
use crate::output::{Output, Readers};
use crate::{duration, error, manifest, report, table};

/// List the Secrets of an Application: their files, keys, users and last changes
///
/// Tells of the revision that the Application was compared with last, and shows no value. Who may
/// write the Application may ask.
///
/// Example:
///
///   signet app secrets shop
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Name of the Application
    name: String,

    /// Write a table, or JSON
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Answer,

    /// Wait this long for the answer
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration::parse)]
    timeout: Duration,

    #[command(flatten)]
    within: Namespace,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let cluster = arguments.within.connect()?;
    let applications = arguments.within.applications(&cluster);
    let name = &arguments.name;
    let application = applications.get(name).map_err(Error::from)?;
    let mut sync = Map::new();
    let revisions = application.revisions();
    if !revisions.iter().any(String::is_empty) {
        sync.extend([operation::revisions(&application, &revisions)]);
    }
    let question = Question {
        name,
        sync,
        secrets: true,
        files: None,
        timeout: arguments.timeout,
    };
    let answer = question.ask(&cluster, &applications)?;
    let Some(secrets) = answer["secrets"].as_array() else {
        return Err(Error::Refused {
            name: name.clone(),
            message: text(&answer, "refused").to_owned(),
        }
        .into());
    };
    let written = match arguments.output {
        Answer::Json => manifest::json(&Value::Array(secrets.clone())) + "\n",
        Answer::Table if secrets.is_empty() => {
            report::note(format_args!("{name} has no Secrets in Git"));
            return Ok(Outcome::Fine);
        }
        Answer::Table => in_rows(secrets),
    };
    Output::Stdout.write(written.as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}

fn in_rows(secrets: &[Value]) -> String {
    let heading = [
        "KIND",
        "NAMESPACE",
        "NAME",
        "WRITTEN IN",
        "OPENED BY",
        "USED BY",
        "LAST CHANGE",
    ];
    let row = |secret: &Value| {
        let [kind, namespace, name, origin, changed] =
            ["kind", "namespace", "name", "origin", "lastChange"]
                .map(|field| text(secret, field).to_owned());
        let opened = match kind.as_str() {
            "Secret" => "not sealed".to_owned(),
            _ => names(&secret["openedBy"]),
        };
        vec![
            kind,
            namespace,
            name,
            origin,
            opened,
            names(&secret["usedBy"]),
            or_dash(changed),
        ]
    };
    table::write(&heading, secrets.iter().map(row))
}

fn names(list: &Value) -> String {
    let names = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    or_dash(names.collect::<Vec<_>>().join(", "))
}

fn or_dash(text: String) -> String {
    match text.is_empty() {
        true => "-".to_owned(),
        false => text,
    }
}
