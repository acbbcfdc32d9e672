//! Finds the certificate to seal with: a file, a URL, or the cluster.
//! Must not make an HTTP or cluster client while the certificate is a file.

use std::io;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use sealing::{Certificate, CertificateError};

use crate::arguments::ClusterArguments;
use crate::cluster::{self, Cluster};
use crate::{proxy, report};

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
        is_cluster: bool,
        source: CertificateError,
    },
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Cluster(
                error @ (cluster::Error::Unreachable { .. } | cluster::Error::Kubeconfig { .. }),
            ) => {
                let offline = "to seal without a cluster, pass --cert FILE; `signet cert fetch -o FILE` saves one";
                let first = error.hint().map(|hint| hint + "\n").unwrap_or_default();
                Some(first + offline)
            }
            Self::Cluster(error) => error.hint(),
            Self::Unusable {
                is_cluster: true, ..
            } => Some("`signet keys rotate` has the controller make a new one".to_owned()),
            Self::Unusable { .. } => {
                Some("`signet cert fetch -o FILE` saves the cluster's certificate".to_owned())
            }
            Self::Read { .. } => Some("check --cert and $SIGNET_CERT".to_owned()),
            Self::Fetch { .. } | Self::Status { .. } => {
                Some("pass a file: `signet cert fetch -o FILE` saves one".to_owned())
            }
        }
    }
}

/// The certificate that the arguments name, good to seal with today. Says where it came from when that was the cluster.
pub(crate) fn load(arguments: &CertificateArguments) -> Result<Certificate, Error> {
    let (origin, certificate) = match arguments.cert.as_deref().filter(|cert| !cert.is_empty()) {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            (without_password(url), read(url, &fetch(url)?)?)
        }
        Some(path) => {
            let path = path.strip_prefix("file://").unwrap_or(path);
            let bytes = std::fs::read(path).map_err(|source| Error::Read {
                path: path.to_owned(),
                source,
            })?;
            (path.to_owned(), read(path, &bytes)?)
        }
        None => from_cluster(&arguments.cluster)?,
    };
    let is_cluster = arguments.cert.as_deref().is_none_or(str::is_empty);
    certificate
        .check_valid_at(Timestamp::now())
        .map_err(|source| Error::Unusable {
            origin,
            is_cluster,
            source,
        })?;
    Ok(certificate)
}

/// The cluster's current certificate and where it was found; its fingerprint is said on standard error.
pub(crate) fn from_cluster(arguments: &ClusterArguments) -> Result<(String, Certificate), Error> {
    let found = Cluster::connect(arguments)?.certificate()?;
    let certificate =
        Certificate::from_pem(found.pem.as_bytes()).map_err(|source| Error::Unusable {
            origin: found.origin.clone(),
            is_cluster: true,
            source,
        })?;
    report::note(format_args!(
        "certificate {} from {}",
        certificate.fingerprint(),
        found.origin
    ));
    Ok((found.origin, certificate))
}

fn read(origin: &str, bytes: &[u8]) -> Result<Certificate, Error> {
    Certificate::from_pem(bytes).map_err(|source| Error::Unusable {
        origin: without_password(origin),
        is_cluster: false,
        source,
    })
}

fn fetch(url: &str) -> Result<Vec<u8>, Error> {
    match get(url) {
        Ok((status, body)) if status.is_success() => Ok(body),
        Ok((status, _)) => Err(Error::Status {
            url: without_password(url),
            status,
        }),
        Err(source) => Err(Error::Fetch {
            url: without_password(url),
            source: source.without_url(),
        }),
    }
}

/// What a server answers, through the proxy that the environment names for it.
pub(crate) fn get(url: &str) -> Result<(reqwest::StatusCode, Vec<u8>), reqwest::Error> {
    let builder = reqwest::blocking::Client::builder().timeout(FETCH_TIMEOUT);
    let builder = match url.parse().ok().and_then(|url| proxy::of_environment(&url)) {
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy)?),
        None => builder.no_proxy(),
    };
    let response = builder.build()?.get(url).send()?;
    let status = response.status();
    response.bytes().map(|body| (status, body.to_vec()))
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
