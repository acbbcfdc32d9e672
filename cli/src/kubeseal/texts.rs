//! Every way in which a run of kubeseal can fail, in the words that scripts match on.
//! Must not print.

use std::io;
use std::path::{Path, PathBuf};

use sealing::{CertificateError, Scope, SealError, UnsealError};

use super::client_config;
use super::go_text::system_error;
use super::service;
use crate::documents::Place;

#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("Could not read file specified with --secret-file")]
    SecretFile,
    #[error("--from-file requires --raw")]
    FromFileWithoutRaw,
    #[error("must provide only one --from-file when encrypting a single item with --raw")]
    SeveralFiles,
    #[error("must provide the --name flag with --raw and --scope {0}")]
    RawWithoutName(Scope),
    #[error("no secrets found. Ensure the input is valid and UTF-8 encoded")]
    NoSecrets,
    #[error("no secrets found. Ensure the input is valid and UTF-8 encoded\ncaused by: {0}")]
    NothingReadable(Box<Self>),
    #[error("{place} is not YAML: {problem}")]
    Syntax { place: Place, problem: String },
    #[error("{0}")]
    Mismatch(String),
    #[error("{0}")]
    NoObject(String),
    #[error("no SealedSecret found: the first document of the input is empty")]
    Nothing,
    #[error("unable to decrypt sealed secret\ncaused by: {0}")]
    NotValidated(Box<Self>),
    #[error("scope mismatch: {} is {found} but {wanted} was specified", path.display())]
    OtherScope {
        path: PathBuf,
        found: Scope,
        wanted: Scope,
    },
    #[error("secret must contain a 'tls.data' key")]
    NoKeyItem,
    #[error(
        "secret.data is empty in input Secret, assuming this is an error and aborting. To work with empty data, --allow-empty-data can be used"
    )]
    NoData,
    #[error("missing metadata.name in input Secret")]
    NoName,
    #[error("secret must declare a namespace")]
    NoNamespace,
    #[error("namespace mismatch: input secret is in namespace {found} but {wanted} was specified")]
    OtherNamespace { found: String, wanted: String },
    #[error("unsupported output format: {0}")]
    Format(String),
    #[error("{0}")]
    File(String),
    #[error("write /dev/stdout: {0}")]
    Stdout(String),
    #[error("read /dev/stdin: {0}")]
    Stdin(String),
    #[error("parse {url}: {problem}")]
    Url { url: String, problem: String },
    #[error("cannot fetch {url}: {status}")]
    Fetch { url: String, status: String },
    #[error("Get {url}: {reason}")]
    Get { url: String, reason: String },
    #[error("failed to encrypt using an expired certificate on {0}")]
    Expired(String),
    #[error("{0}")]
    Certificate(CertificateError),
    #[error("{0}")]
    Seal(SealError),
    #[error("{0}")]
    Unseal(UnsealError),
    #[error(transparent)]
    ClientConfig(#[from] client_config::Error),
    #[error(transparent)]
    Service(#[from] service::Error),
}

impl Error {
    /// Go's decoder passes over what is no object or no YAML at all.
    pub(super) fn is_skipped_by_go(&self) -> bool {
        matches!(self, Self::Syntax { .. } | Self::NoObject(_))
    }

    /// What the system said about a file, after Go's word for what was tried.
    pub(super) fn file(operation: &str, path: &Path, error: &io::Error) -> Self {
        let reason = system_error(error);
        Self::File(format!("{operation} {}: {reason}", path.display()))
    }
}
