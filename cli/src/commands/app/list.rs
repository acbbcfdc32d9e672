//! `signet app list`. Must not change anything.

use serde_json::{Value, json};

use super::{Error, Namespace};
use crate::application::{Application, Applications};
use crate::arguments::Answer;
use crate::commands::Outcome;
use crate::error;
use crate::output::{Output, Readers};
use crate::{manifest, report, table};

/// List Applications with their state
///
/// Example:
///
///   signet app list
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// List Applications in all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    all_namespaces: bool,

    /// Write a table, or JSON
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Answer,

    #[command(flatten)]
    within: Namespace,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let cluster = arguments.within.connect()?;
    let applications = match arguments.all_namespaces {
        true => Applications::all(&cluster),
        false => arguments.within.applications(&cluster),
    };
    let found = applications.list().map_err(Error::from)?;
    let text = match arguments.output {
        Answer::Json => {
            let items: Vec<Value> = found.iter().map(Application::to_json).collect();
            manifest::json(&json!({ "apiVersion": "v1", "kind": "List", "items": items })) + "\n"
        }
        Answer::Table if found.is_empty() => {
            report::note(format_args!("no Applications in {}", applications.place()));
            return Ok(Outcome::Fine);
        }
        Answer::Table => in_rows(&found, arguments.all_namespaces),
    };
    Output::Stdout.write(text.as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}

fn in_rows(applications: &[Application], with_namespace: bool) -> String {
    let heading = [
        "NAMESPACE",
        "NAME",
        "SYNC STATUS",
        "HEALTH STATUS",
        "REVISION",
    ];
    let hidden = usize::from(!with_namespace);
    let row = |application: &Application| {
        let cells = [
            application.namespace(),
            application.name(),
            application.sync_status().to_owned(),
            application.health().to_owned(),
            application.revision(),
        ];
        cells[hidden..].to_vec()
    };
    table::write(&heading[hidden..], applications.iter().map(row))
}
