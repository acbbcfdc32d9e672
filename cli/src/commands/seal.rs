//! `signet seal`. Must not write anything before every document is sealed.

use std::path::PathBuf;

use clap::ValueEnum;
use crds::SealedSecret;
use k8s_openapi::jiff::Timestamp;
use rand::rngs::SysRng;
use sealing::{Certificate, SealError};

use super::Outcome;
use crate::arguments::Format;
use crate::certificate_source::{self, CertificateArguments};
use crate::documents::{self, Document, Input, Place};
use crate::error;
use crate::manifest;
use crate::output::{Output, Readers};
use crate::parallel;
use crate::report;
use crate::secret::{self, Source};

/// Seal Secrets, so that they can be kept in Git
///
/// Reads Secrets as YAML or JSON, any number of documents, also in a `kind: List`, and writes a
/// SealedSecret for each. Only the cluster can open it. Nothing is written unless all are sealed.
///
/// A Secret that names no namespace needs --namespace: the namespace is part of the seal.
///
/// The certificate is looked for in --cert, in $SIGNET_CERT, in the ConfigMap signet-certificate of
/// the controller's namespace, and behind the Service of upstream's controller.
///
/// Example:
///
///   kubectl create secret generic db --from-literal=password=s3cret -n shop \
///     --dry-run=client -o yaml | signet seal --cert cert.pem -o db.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Read this file instead of standard input
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Write this file instead of standard output; it is replaced only when all went well
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write YAML or JSON [default: json for an --output that ends in .json, else yaml]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// Say where the SealedSecrets may be opened [default: what their annotations say, else strict]
    #[arg(long, value_name = "SCOPE")]
    scope: Option<Scope>,

    /// Put Secrets that name no namespace into this one; refuse those of another
    #[arg(short, long)]
    namespace: Option<String>,

    /// Seal Secrets without a single item too
    #[arg(long)]
    allow_empty_data: bool,

    #[command(flatten)]
    certificate: CertificateArguments,
}

/// Where a SealedSecret may be opened.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scope {
    /// Under its name in its namespace
    Strict,
    /// Under any name in its namespace
    NamespaceWide,
    /// Anywhere in the cluster
    ClusterWide,
}

impl From<Scope> for sealing::Scope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Strict => Self::Strict,
            Scope::NamespaceWide => Self::NamespaceWide,
            Scope::ClusterWide => Self::ClusterWide,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{input} holds no Secret")]
    Nothing { input: Input },
    #[error(transparent)]
    Secret(#[from] secret::Error),
    #[error("{place}: Secret {name} is in namespace {found}, --namespace says {wanted}")]
    OtherNamespace {
        place: Place,
        name: String,
        found: String,
        wanted: String,
    },
    #[error("{place}: Secret {name} has no data")]
    Empty { place: Place, name: String },
    #[error("{place}: cannot seal")]
    Seal { place: Place, source: SealError },
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Secret(error) => error.hint(),
            Self::Empty { .. } => Some("pass --allow-empty-data if that is meant".to_owned()),
            Self::Seal {
                source: SealError::MissingName,
                ..
            } => Some("add metadata.name: it is part of the seal".to_owned()),
            Self::Seal {
                source: SealError::MissingNamespace { .. },
                ..
            } => Some("add it, or pass --namespace; only scope cluster-wide needs none".to_owned()),
            _ => None,
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<Outcome, error::Error> {
    let input = Input::new(arguments.file.as_deref());
    if input.is_terminal() {
        report::note("reading a Secret from the terminal; end it with Ctrl-D");
    }
    let sources = read(&input)?;
    for source in &sources {
        check(source, arguments)?;
    }
    let certificate = certificate_source::load(&arguments.certificate)?;
    let sealed = seal(
        &in_namespace(sources, arguments.namespace.as_deref()),
        arguments.scope,
        &certificate,
    )?;
    let format = arguments
        .format
        .unwrap_or_else(|| Format::of_file(arguments.output.as_deref()));
    let text = manifest::write(sealed.iter().map(manifest::sealed_secret), format);
    Output::new(arguments.output.as_deref()).write(text.as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}

fn read(input: &Input) -> Result<Vec<Source>, error::Error> {
    let documents = documents::parse(input, &input.read_text()?)?;
    let objects: Vec<Document> = documents.into_iter().flat_map(Document::objects).collect();
    if objects.is_empty() {
        return Err(Error::Nothing {
            input: input.clone(),
        }
        .into());
    }
    let sources: Result<Vec<Source>, secret::Error> = objects.iter().map(Source::new).collect();
    let sources = sources.map_err(Error::from)?;
    for source in &sources {
        for respelled in &source.respelled {
            let place = source.place.at(respelled.line);
            report::warning(format_args!("{place}: {}", respelled.warning()));
        }
    }
    Ok(sources)
}

/// What can be known to be wrong before a certificate is looked for.
fn check(source: &Source, arguments: &Arguments) -> Result<(), Error> {
    let Some(name) = source.secret.name.clone() else {
        return Err(Error::Seal {
            place: source.place.clone(),
            source: SealError::MissingName,
        });
    };
    if source.secret.is_empty() && !arguments.allow_empty_data {
        return Err(Error::Empty {
            place: source.place.clone(),
            name,
        });
    }
    let scope = arguments.scope.map_or_else(
        || sealing::Scope::of(Some(&source.secret.annotations())),
        Into::into,
    );
    match (&source.secret.namespace, &arguments.namespace) {
        (None, None) if scope != sealing::Scope::ClusterWide => Err(Error::Seal {
            place: source.place.clone(),
            source: SealError::MissingNamespace { name, scope },
        }),
        (Some(found), Some(wanted)) if found != wanted => Err(Error::OtherNamespace {
            place: source.place.clone(),
            name,
            found: found.clone(),
            wanted: wanted.clone(),
        }),
        _ => Ok(()),
    }
}

fn in_namespace(mut sources: Vec<Source>, namespace: Option<&str>) -> Vec<Source> {
    for source in &mut sources {
        if source.secret.namespace.is_none() {
            source.secret.namespace = namespace.map(str::to_owned);
        }
    }
    sources
}

/// Seals on all cores, since RSA takes nearly all the time; the order stays, and the first error in it is told.
fn seal(
    sources: &[Source],
    scope: Option<Scope>,
    certificate: &Certificate,
) -> Result<Vec<SealedSecret>, Error> {
    let now = Timestamp::now();
    let seal_one = |source: &Source| {
        sealing::seal(
            &source.secret,
            scope.map(Into::into),
            certificate,
            now,
            &mut SysRng,
        )
        .map_err(|error| Error::Seal {
            place: source.place.clone(),
            source: error,
        })
    };
    parallel::map(sources, seal_one).into_iter().collect()
}
