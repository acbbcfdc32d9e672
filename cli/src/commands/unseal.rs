//! `signet unseal`. Must not talk to a cluster, and never shows plaintext to a terminal unasked.

use std::path::PathBuf;

use base64::Engine as _;
use crds::SealedSecret;
use crds::names::sealed_secret;
use k8s_openapi::jiff::Timestamp;
use rand::rngs::SysRng;
use sealing::{ItemProblem, Keyring, Surroundings, UnsealError, UnsealedSecret};
use serde_json::{Map, Value};

use super::Outcome;
use crate::arguments::Format;
use crate::documents::{self, Document, Input, Place};
use crate::error;
use crate::key_files;
use crate::manifest::{self, put};
use crate::output::{Output, Readers};
use crate::report;

/// Unseal SealedSecrets without a cluster, with a backup of its sealing keys
///
/// Reads SealedSecrets as YAML or JSON and writes the Secrets they become, templates rendered. All
/// are unsealed before the first is written. Other objects in the input are passed over.
///
/// A key file is a PEM file, or what `kubectl get secret -o yaml` prints of key Secrets. The result
/// is plain text: a terminal gets it only with `-o -`, and a new file is readable for you alone.
///
/// Example:
///
///   kubectl get secret -n signet -l sealedsecrets.bitnami.com/sealed-secrets-key -o yaml > keys.yaml
///   signet unseal --key keys.yaml -f db.yaml -o db-plain.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Open with the private keys in this file; may be given several times
    #[arg(short, long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,

    /// Read this file instead of standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Write this file instead of standard output; `-` is standard output even if it is a terminal
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write YAML or JSON [default: json for an --output that ends in .json, else yaml]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("refusing to show plain Secrets on a terminal")]
    Terminal,
    #[error("{input} holds no SealedSecret")]
    Nothing { input: Input },
    #[error("{place}: {identity} is malformed")]
    Malformed {
        place: Place,
        identity: String,
        source: serde_json::Error,
    },
    #[error("{place}: cannot unseal {namespace}/{name}")]
    Unseal {
        place: Place,
        namespace: String,
        name: String,
        source: UnsealError,
    },
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Terminal => Some("write a file with -o FILE, or pass -o - to see them".to_owned()),
            Self::Malformed { .. } => {
                Some("`kubectl explain sealedsecret.spec` tells what it may hold".to_owned())
            }
            Self::Unseal {
                source: UnsealError::Items(errors),
                ..
            } if errors.items().values().any(|item| *item == ItemProblem::NoKey) => Some(
                "the key may be missing from --key, or the values were sealed for another namespace, name or scope"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let output = Output::new(arguments.output.as_deref());
    if arguments.output.is_none() && output.is_terminal() {
        return Err(Error::Terminal.into());
    }
    let key_files: Vec<Input> = arguments
        .key
        .iter()
        .map(|path| Input::new(Some(path)))
        .collect();
    let keyring = key_files::load(&key_files)?;
    let input = Input::new(arguments.file.as_deref());
    if input.is_terminal() {
        report::note("reading a SealedSecret from the terminal; end it with Ctrl-D");
    }
    let sealed = read(&input)?;
    let secrets: Result<Vec<Value>, error::Error> = sealed
        .iter()
        .map(|document| unseal(document, &keyring))
        .collect();
    let format = arguments
        .format
        .unwrap_or_else(|| Format::of_file(arguments.output.as_deref()));
    output.write(manifest::write(secrets?, format).as_bytes(), Readers::Owner)?;
    Ok(Outcome::Fine)
}

fn read(input: &Input) -> Result<Vec<Document>, error::Error> {
    let documents = documents::parse(input, &input.read_text()?)?;
    let objects: Vec<Document> = documents.into_iter().flat_map(Document::objects).collect();
    let all = objects.len();
    let sealed: Vec<Document> = objects
        .into_iter()
        .filter(|object| object.kind().as_deref() == Some(sealed_secret::KIND))
        .collect();
    match all - sealed.len() {
        _ if sealed.is_empty() => {
            return Err(Error::Nothing {
                input: input.clone(),
            }
            .into());
        }
        0 => {}
        others => report::note(format_args!(
            "{input}: {others} other object{} passed over",
            if others == 1 { "" } else { "s" }
        )),
    }
    Ok(sealed)
}

fn unseal(document: &Document, keyring: &Keyring) -> Result<Value, error::Error> {
    let value = document
        .root
        .to_value()
        .map_err(|problem| document.problem(problem))?
        .into_public();
    let sealed: SealedSecret =
        serde_json::from_value(value).map_err(|source| Error::Malformed {
            place: document.place.clone(),
            identity: document.identity(),
            source,
        })?;
    let mut random = SysRng;
    let surroundings = Surroundings::new(Timestamp::now(), &mut random);
    let unsealed =
        sealing::unseal(&sealed, keyring, &surroundings).map_err(|source| Error::Unseal {
            place: document.place.clone(),
            namespace: sealed.metadata.namespace.clone().unwrap_or_default(),
            name: sealed.metadata.name.clone().unwrap_or_default(),
            source,
        })?;
    Ok(secret(unsealed.secret))
}

/// The Secret as kubectl takes it. Its owner is left out: the SealedSecret's uid is known to the cluster only.
fn secret(mut secret: UnsealedSecret) -> Value {
    secret.metadata.owner_references = None;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let data: Map<String, Value> = secret
        .data
        .iter()
        .map(|(key, value)| (key.clone(), encode(value.expose()).into()))
        .collect();
    let mut object = Map::new();
    put(&mut object, "kind", Some("Secret"));
    put(&mut object, "apiVersion", Some("v1"));
    put(
        &mut object,
        "metadata",
        serde_json::to_value(secret.metadata).ok(),
    );
    put(&mut object, "type", secret.type_);
    put(&mut object, "immutable", secret.immutable);
    put(&mut object, "data", Some(data));
    Value::Object(object)
}
