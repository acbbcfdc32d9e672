//! `signet cert`. Must not seal.

use std::path::PathBuf;

use super::Outcome;
use crate::arguments::ClusterArguments;
use crate::certificate_source;
use crate::error::Error;
use crate::output::{Output, Readers};
use crate::report;

/// Work with the certificate that Secrets are sealed with
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Fetch(Fetch),
}

/// Save the cluster's current certificate, to seal without the cluster
///
/// The certificate is public: it can seal, not open. Its fingerprint is said on standard error;
/// `signet keys list` shows the same one.
///
/// Example:
///
///   signet cert fetch -o cert.pem
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Fetch {
    /// Write this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    cluster: ClusterArguments,
}

pub(crate) fn run(command: &Command) -> Result<Outcome, Error> {
    let Command::Fetch(arguments) = command;
    let (_, certificate) =
        certificate_source::from_cluster(&arguments.cluster).map_err(|error| match error {
            certificate_source::Error::Cluster(error) => Error::Cluster(error),
            error => Error::Certificate(error),
        })?;
    report::note(format_args!("valid until {}", certificate.not_after()));
    Output::new(arguments.output.as_deref())
        .write(certificate.pem().as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}
