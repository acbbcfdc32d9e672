//! Every way in which a request to `signet` can fail, gathered from the rooms. Must not print.

use crate::commands::{app, keys, reseal, seal, unseal};
use crate::{certificate_source, cluster, documents, key_files, output, splice};

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) enum Error {
    Documents(#[from] documents::Error),
    Output(#[from] output::Error),
    Splice(#[from] splice::Error),
    Certificate(#[from] certificate_source::Error),
    KeyFiles(#[from] key_files::Error),
    Cluster(#[from] cluster::Error),
    Seal(#[from] seal::Error),
    Unseal(#[from] unseal::Error),
    Reseal(#[from] reseal::Error),
    Keys(#[from] keys::Error),
    App(#[from] app::Error),
}

impl Error {
    /// What the user can do about it, where that is known.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Documents(error) => error.hint(),
            Self::Output(error) => error.hint(),
            Self::Splice(error) => error.hint(),
            Self::Certificate(error) => error.hint(),
            Self::KeyFiles(error) => error.hint(),
            Self::Cluster(error) => error.hint(),
            Self::Seal(error) => error.hint(),
            Self::Unseal(error) => error.hint(),
            Self::Reseal(error) => error.hint(),
            Self::Keys(error) => error.hint(),
            Self::App(error) => error.hint(),
        }
    }
}
