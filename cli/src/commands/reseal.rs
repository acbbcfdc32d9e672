//! `signet reseal`. Must not change a byte outside of the values, nor write a file before all are re-sealed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crds::names::{CLUSTER_WIDE, NAMESPACE_WIDE, sealed_secret};
use sealing::Scope;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Outcome;
use crate::arguments::ClusterArguments;
use crate::cluster::{self, Cluster, SealingService};
use crate::documents::{self, Document, Input, Place};
use crate::error;
use crate::node::Node;
use crate::output::{Output, Readers};
use crate::report;
use crate::splice::{self, Edit};

/// Bring sealed files to the cluster's current key, in place
///
/// Asks the controller to seal each value again and replaces only what changed: comments, order,
/// quoting and everything else in the file stay byte for byte. No plain text leaves the cluster.
/// A file may hold several documents; files without SealedSecrets are left alone. Nothing is written
/// unless all files are done.
///
/// It works with upstream's controller too, which seals values anew even if they are current.
///
/// Example:
///
///   signet keys rotate
///   signet reseal db.yaml mail.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Files to bring up to date
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Change nothing; list what is stale, and end with code 1 if anything is
    #[arg(long)]
    check: bool,

    /// Take SealedSecrets that name no namespace as sealed for this one
    #[arg(short, long)]
    namespace: Option<String>,

    #[command(flatten)]
    cluster: ClusterArguments,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{place}: {identity} has no metadata.{field}, which scope {scope} is bound to")]
    Unbound {
        place: Place,
        identity: String,
        field: &'static str,
        scope: Scope,
    },
    #[error("{place}: {identity} uses the deprecated spec.data, expected spec.encryptedData")]
    Legacy { place: Place, identity: String },
    #[error("{place}: {identity} was not re-sealed")]
    Rotate {
        place: Place,
        identity: String,
        source: cluster::Error,
    },
    #[error(
        "{place}: {identity} was not re-sealed: the controller's answer has no usable value for {item}"
    )]
    Answer {
        place: Place,
        identity: String,
        item: String,
    },
    #[error("cannot check with {service}: it seals every value anew, current or not")]
    Check { service: String },
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Unbound { field: "namespace", .. } => Some("add it, or pass --namespace".to_owned()),
            Self::Unbound { .. } => Some("add the name that it was sealed for".to_owned()),
            Self::Legacy { .. } => Some(
                "`signet unseal` opens it with a backup of the keys, and `signet seal` seals it again".to_owned(),
            ),
            Self::Answer { .. } => Some(
                "if it is not the sealing controller that answers, name it with --controller-namespace and --controller-name"
                    .to_owned(),
            ),
            Self::Rotate { source: cluster::Error::Refused { code: 500, .. }, .. } => Some(
                "the controller opens it only with the key, namespace, name and scope that it was sealed for".to_owned(),
            ),
            Self::Rotate { source, .. } => source.hint(),
            Self::Check { .. } => Some("run `signet reseal` without --check".to_owned()),
        }
    }
}

/// A SealedSecret in a file, and what of it matters here.
struct Sealed<'file> {
    document: &'file Document,
    name: Option<String>,
    namespace: Option<String>,
    scope: Scope,
    values: BTreeMap<String, String>,
}

/// A file with SealedSecrets.
struct File {
    input: Input,
    text: Zeroizing<String>,
    objects: Vec<Document>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let files = read(&arguments.files)?;
    if files.is_empty() {
        return Ok(Outcome::Fine);
    }
    let cluster = Cluster::connect(&arguments.cluster)?;
    let service = cluster.sealing_service()?;
    if arguments.check && cluster.published_certificate()?.is_none() {
        return Err(Error::Check {
            service: service.to_string(),
        }
        .into());
    }
    let mut done = Vec::new();
    for file in &files {
        let edits = reseal(file, arguments.namespace.as_deref(), &cluster, &service)?;
        done.push((
            file,
            edits.len(),
            splice::apply(&file.input, &file.text, edits)?,
        ));
    }
    match arguments.check {
        true => say_what_is_stale(&done),
        false => write(&done),
    }
}

fn read(paths: &[PathBuf]) -> Result<Vec<File>, error::Error> {
    let mut files = Vec::new();
    for path in paths {
        let input = Input::File(path.clone());
        let text = input.read_text()?;
        // Files of another kind need not even be YAML: a Helm template, say.
        let documents = match text.contains(sealed_secret::KIND) {
            true => documents::parse(&input, &text)?,
            false => Vec::new(),
        };
        let objects: Vec<Document> = documents
            .into_iter()
            .flat_map(Document::objects)
            .filter(is_sealed_secret)
            .collect();
        match objects.is_empty() {
            true => report::note(format_args!("{input}: left alone, holds no SealedSecret")),
            false => files.push(File {
                input,
                text,
                objects,
            }),
        }
    }
    Ok(files)
}

fn is_sealed_secret(object: &Document) -> bool {
    let version = object.root.get("apiVersion").and_then(Node::text);
    object.kind().as_deref() == Some(sealed_secret::KIND)
        && version.as_deref() == Some(sealed_secret::API_VERSION)
}

fn reseal(
    file: &File,
    namespace: Option<&str>,
    cluster: &Cluster,
    service: &SealingService,
) -> Result<Vec<Edit>, error::Error> {
    let mut edits = Vec::new();
    for document in &file.objects {
        let sealed = Sealed::new(document, namespace)?;
        if sealed.values.is_empty() {
            continue;
        }
        let action = format!("re-seal with {service}");
        let place = || document.place.clone();
        let answer = cluster
            .rotate(service, &action, &sealed.request())
            .map_err(|source| Error::Rotate {
                place: place(),
                identity: sealed.identity(),
                source,
            })?;
        let values = sealed.values_in(&answer)?;
        edits.extend(splice::replace(&file.text, document, &values)?);
    }
    Ok(edits)
}

impl<'file> Sealed<'file> {
    fn new(document: &'file Document, namespace: Option<&str>) -> Result<Self, error::Error> {
        let metadata = document.root.get("metadata");
        let text = |field: &str| {
            metadata
                .and_then(|metadata| metadata.get(field))
                .and_then(Node::text)
                .filter(|text| !text.is_empty())
        };
        let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
        let annotation =
            |key: &str| Some((key.to_owned(), annotations?.get(key).and_then(Node::text)?));
        let scope = Scope::of(Some(
            &[CLUSTER_WIDE, NAMESPACE_WIDE]
                .into_iter()
                .filter_map(annotation)
                .collect(),
        ));
        let spec = document.root.get("spec");
        let data = spec.and_then(|spec| spec.get("encryptedData"));
        let entries = data
            .map_or_else(|| Ok(Vec::new()), Node::entries)
            .map_err(|problem| document.problem(problem))?;
        let values = entries
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.text()?)))
            .collect();
        let sealed = Self {
            document,
            name: text("name"),
            namespace: text("namespace").or_else(|| namespace.map(str::to_owned)),
            scope,
            values,
        };
        sealed.check(spec)?;
        Ok(sealed)
    }

    fn check(&self, spec: Option<&Node>) -> Result<(), Error> {
        let place = || self.document.place.clone();
        let has_legacy = spec
            .and_then(|spec| spec.get("data"))
            .and_then(Node::text)
            .is_some_and(|data| !data.is_empty());
        if has_legacy {
            return Err(Error::Legacy {
                place: place(),
                identity: self.identity(),
            });
        }
        let unbound = |field| {
            Err(Error::Unbound {
                place: place(),
                identity: self.document.identity(),
                field,
                scope: self.scope,
            })
        };
        match (self.scope, &self.name, &self.namespace) {
            (Scope::Strict, None, _) => unbound("name"),
            (Scope::Strict | Scope::NamespaceWide, _, None) => unbound("namespace"),
            _ => Ok(()),
        }
    }

    fn identity(&self) -> String {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        format!(
            "SealedSecret {}/{}",
            part(&self.namespace),
            part(&self.name)
        )
    }

    /// The least that the controller needs: it never sees labels, templates or plain siblings, and can lose none.
    fn request(&self) -> Value {
        let annotations: BTreeMap<&str, &str> = self
            .scope
            .annotation()
            .into_iter()
            .map(|key| (key, "true"))
            .collect();
        json!({
            "apiVersion": sealed_secret::API_VERSION,
            "kind": sealed_secret::KIND,
            "metadata": { "name": self.name, "namespace": self.namespace, "annotations": annotations },
            "spec": { "encryptedData": self.values },
        })
    }

    /// Only `spec.encryptedData` of the answer counts, and it must hold a value for each item that was asked for.
    fn values_in(&self, answer: &Value) -> Result<BTreeMap<String, String>, Error> {
        let value_of = |item: &String| match answer["spec"]["encryptedData"][item].as_str() {
            Some(value) if is_base64(value) => Ok((item.clone(), value.to_owned())),
            _ => Err(Error::Answer {
                place: self.document.place.clone(),
                identity: self.identity(),
                item: item.clone(),
            }),
        };
        self.values.keys().map(value_of).collect()
    }
}

/// Letters that are plain text in every kind of YAML scalar.
fn is_base64(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
}

/// One line for each stale file on standard output, for scripts.
fn say_what_is_stale(done: &[(&File, usize, String)]) -> Result<Outcome, error::Error> {
    let stale = done.iter().filter(|(_, values, _)| *values > 0);
    let line = |(file, values, _): &(&File, usize, String)| {
        format!("{}: stale, {} to re-seal\n", file.input, counted(*values))
    };
    let lines: String = stale.map(line).collect();
    Output::Stdout.write(lines.as_bytes(), Readers::Everybody)?;
    match lines.is_empty() {
        true => Ok(Outcome::Fine),
        false => Ok(Outcome::Wanting),
    }
}

fn write(done: &[(&File, usize, String)]) -> Result<Outcome, error::Error> {
    for (file, values, text) in done {
        if let (Input::File(path), true) = (&file.input, *values > 0) {
            Output::File(path.clone()).write(text.as_bytes(), Readers::Everybody)?;
            report::note(format_args!(
                "{}: re-sealed {}",
                file.input,
                counted(*values)
            ));
        } else {
            report::note(format_args!("{}: current, left as it is", file.input));
        }
    }
    Ok(Outcome::Fine)
}

fn counted(values: usize) -> String {
    format!("{values} value{}", if values == 1 { "" } else { "s" })
}
