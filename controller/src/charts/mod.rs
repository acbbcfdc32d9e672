//! Charts from Helm repositories and OCI registries: resolves versions, and fetches archives that were checked.
//! It renders nothing, pushes nothing, and knows nothing of Applications.

mod archive;
mod chart;
mod error;
#[cfg(any(test, fuzzing))]
#[path = "../../../tests/fuzzing/charts.rs"]
pub mod fuzz_charts;
mod http;
mod in_use;
mod index;
mod kept;
mod limited;
mod limits;
mod place;
mod registry;
mod repository;
mod shared;
mod source;
mod versions;

pub use chart::Chart;
pub use error::{ChartError, Names};
pub use in_use::{Changed, ChartOptions, Charts, poll};

use sha2::{Digest, Sha256};

use crate::{
    git::Freshness,
    repositories::{Access, Login, Tls},
};

/// Who may see the login of a Helm repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recipients {
    /// The repository's own host.
    #[default]
    OwnHost,
    /// The host of the archive too, wherever the index says that it is: `spec.source.helm.passCredentials`.
    ChartHost,
}

/// How to fetch a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetch {
    pub recipients: Recipients,
    /// With [`Freshness::Latest`] the server is asked even when the version was fetched before.
    pub freshness: Freshness,
}

impl Default for Fetch {
    fn default() -> Self {
        Self {
            recipients: Recipients::OwnHost,
            freshness: Freshness::Cached,
        }
    }
}

/// The URL by which [`Changed`] and [`Charts::retain`] know the repository of a chart.
///
/// # Errors
/// When `repo_url` and `chart` name none.
pub fn repository_url(repo_url: &str, chart: &str) -> Result<String, ChartError> {
    place::Place::parse(repo_url, chart).map(|place| place.shown())
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
