//! Finds the certificate to seal with: a file, a URL, or the cluster.
//! Must not make an HTTP or cluster client while the certificate is a file.

use std::io;
use std::time::Duration;

use sealing::{Certificate, CertificateError};

use crate::arguments::ClusterArguments;
use crate::cluster::{self, Cluster};
use crate::report;

/// Longer than any healthy server needs, shorter than a person waits.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the certificate comes from.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct CertificateArguments {
    /// Seal with the certificate in this file or at this URL; without it the cluster is asked
    #[arg(
        long,
        value_name = "FILE|URL",
        env = "SIGNET_CERT",
        hide_env_values = true
    )]
    cert: Option<String>,

    #[command(flatten)]
    cluster: ClusterArguments,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read the certificate {path}")]
    Read { path: String, source: io::Error },
    #[error("cannot fetch the certificate from {url}")]
    Fetch { url: String, source: reqwest::Error },
    #[error("cannot fetch the certificate from {url}: the server answers {status}")]
    Status {
        url: String,
        status: reqwest::StatusCode,
    },
    #[error("{origin} holds no usable certificate")]
    Unusable {
        origin: String,
        source: CertificateError,
    },
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Cluster(
                error @ cluster::Error::Unreachable { .. }
                | error @ cluster::Error::Kubeconfig { .. },
            ) => {
                let hint = "to seal without a cluster, pass --cert FILE; `signet cert fetch -o FILE` saves one";
                Some(
                    error
                        .hint()
                        .map_or_else(|| hint.to_owned(), |first| format!("{first}; {hint}")),
                )
            }
            Self::Cluster(error) => error.hint(),
            Self::Unusable { .. } => {
                Some("`signet cert fetch -o FILE` saves the cluster's certificate".to_owned())
            }
            _ => None,
        }
    }
}

/// The certificate that the arguments name. Says where it came from when that was the cluster.
pub(crate) fn load(arguments: &CertificateArguments) -> Result<Certificate, Error> {
    match arguments.cert.as_deref().filter(|cert| !cert.is_empty()) {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            read(url, &fetch(url)?)
        }
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|source| Error::Read {
                path: path.to_owned(),
                source,
            })?;
            read(path, &bytes)
        }
        None => from_cluster(&arguments.cluster),
    }
}

/// The cluster's current certificate, its fingerprint said on standard error.
pub(crate) fn from_cluster(arguments: &ClusterArguments) -> Result<Certificate, Error> {
    let found = Cluster::connect(arguments)?.certificate()?;
    let certificate = read(&found.origin, found.pem.as_bytes())?;
    report::note(format_args!(
        "certificate {} from {}",
        certificate.fingerprint(),
        found.origin
    ));
    Ok(certificate)
}

fn read(origin: &str, bytes: &[u8]) -> Result<Certificate, Error> {
    Certificate::from_pem(bytes).map_err(|source| Error::Unusable {
        origin: without_password(origin),
        source,
    })
}

fn fetch(url: &str) -> Result<Vec<u8>, Error> {
    let failed = |source: reqwest::Error| Error::Fetch {
        url: without_password(url),
        source: source.without_url(),
    };
    let client = reqwest::blocking::Client::builder()
        .timeout(FETCH_TIMEOUT)
        .build()
        .map_err(failed)?;
    let response = client.get(url).send().map_err(failed)?;
    if !response.status().is_success() {
        return Err(Error::Status {
            url: without_password(url),
            status: response.status(),
        });
    }
    response.bytes().map(|bytes| bytes.to_vec()).map_err(failed)
}

/// `https://user:password@host/` as `https://host/`.
fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = authority.rsplit('@').next().unwrap_or(authority);
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}
