//! `signet app health`. Must not talk to a cluster.

use std::collections::BTreeMap;
use std::path::PathBuf;

use health::{Customizations, Health, SETTINGS_CONFIG_MAP, SettingsProblem, health};
use serde_json::{Value, json};

use crate::arguments::Answer;
use crate::commands::Outcome;
use crate::documents::{self, Document, Input, Place};
use crate::output::{Output, Readers};
use crate::{error, report, table};

/// Judge the health of objects in a file as the controller would, without a cluster
///
/// Reads objects as YAML or JSON, with their status as `kubectl get -o yaml` prints it. With --settings
/// the Lua scripts of an argocd-cm judge the kinds that they are for. An object that nothing judges has
/// an empty status.
///
/// JSON is one line for each object: {"status":"Healthy","message":""}.
///
/// Example:
///
///   kubectl get certificate shop -o yaml | signet app health --settings argocd-cm.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Read this file instead of standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Judge by the scripts in this file, which holds the ConfigMap argocd-cm
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,

    /// Write a table, or JSON
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Answer,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{input} holds no object")]
    Nothing { input: Input },
    #[error("{place} is no object, expected apiVersion and kind")]
    NoObject { place: Place },
    #[error("{input} holds no ConfigMap {SETTINGS_CONFIG_MAP}")]
    NoSettings { input: Input },
    #[error("{place}: {SETTINGS_CONFIG_MAP} has no data that is text")]
    Data {
        place: Place,
        source: serde_json::Error,
    },
    #[error("{place}: {SETTINGS_CONFIG_MAP} can not be used")]
    Settings {
        place: Place,
        source: SettingsProblem,
    },
}

impl Error {
    pub(super) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Nothing { .. } | Self::NoObject { .. } => {
                "`kubectl get KIND NAME -o yaml` prints an object with its status"
            }
            Self::NoSettings { .. } => {
                "`kubectl get configmap argocd-cm -n NAMESPACE -o yaml` prints it"
            }
            Self::Data { .. } => "put numbers and words such as true in quotes",
            Self::Settings { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let customizations = match &arguments.settings {
        Some(path) => settings(&Input::new(Some(path)))?,
        None => Customizations::default(),
    };
    let input = Input::new(arguments.file.as_deref());
    if input.is_terminal() {
        report::note("reading an object from the terminal; end it with Ctrl-D");
    }
    let objects = objects(&input)?;
    if objects.is_empty() {
        return Err(super::Error::from(Error::Nothing { input }).into());
    }
    let mut judged = Vec::with_capacity(objects.len());
    for object in &objects {
        judged.push((object.identity(), health(&value(object)?, &customizations)));
    }
    let text = match arguments.output {
        Answer::Json => judged
            .iter()
            .map(|(_, health)| json_line(health.as_ref()))
            .collect(),
        Answer::Table => in_rows(&judged),
    };
    Output::Stdout.write(text.as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}

fn objects(input: &Input) -> Result<Vec<Document>, error::Error> {
    let documents = documents::parse(input, &input.read_text()?)?;
    Ok(documents.into_iter().flat_map(Document::objects).collect())
}

fn value(object: &Document) -> Result<Value, error::Error> {
    let value = object
        .root
        .to_value()
        .map_err(|problem| object.problem(problem))?;
    let value = value.into_public();
    let is_object = ["apiVersion", "kind"]
        .iter()
        .all(|field| value[field].is_string());
    match is_object {
        true => Ok(value),
        false => Err(super::Error::from(Error::NoObject {
            place: object.place.clone(),
        })
        .into()),
    }
}

/// The one ConfigMap of the file, or the one of several that has the right name.
fn settings(input: &Input) -> Result<Customizations, error::Error> {
    let maps: Vec<Document> = objects(input)?
        .into_iter()
        .filter(|object| object.kind().as_deref() == Some("ConfigMap"))
        .collect();
    let is_named = |map: &&Document| {
        let name = map
            .root
            .get("metadata")
            .and_then(|metadata| metadata.get("name")?.text());
        name.as_deref() == Some(SETTINGS_CONFIG_MAP)
    };
    let found = match &*maps {
        [map] => Some(map),
        maps => maps.iter().find(is_named),
    };
    let map = found.ok_or_else(|| {
        super::Error::from(Error::NoSettings {
            input: input.clone(),
        })
    })?;
    let place = map.place.clone();
    let data: Option<BTreeMap<String, String>> = serde_json::from_value(value(map)?["data"].take())
        .map_err(|source| {
            super::Error::from(Error::Data {
                place: place.clone(),
                source,
            })
        })?;
    let (customizations, problems) = Customizations::read(&data.unwrap_or_default());
    match problems.into_iter().next() {
        Some(source) => Err(super::Error::from(Error::Settings { place, source }).into()),
        None => Ok(customizations),
    }
}

fn json_line(health: Option<&Health>) -> String {
    let (status, message) = told(health);
    format!("{}\n", json!({ "status": status, "message": message }))
}

fn in_rows(judged: &[(String, Option<Health>)]) -> String {
    let rows = judged.iter().map(|(identity, health)| {
        let (status, message) = told(health.as_ref());
        let status = if status.is_empty() { "(none)" } else { status };
        vec![identity.clone(), status.to_owned(), message.to_owned()]
    });
    table::write(&["OBJECT", "HEALTH STATUS", "MESSAGE"], rows)
}

fn told(health: Option<&Health>) -> (&str, &str) {
    health.map_or(("", ""), |health| (health.status.name(), &health.message))
}
