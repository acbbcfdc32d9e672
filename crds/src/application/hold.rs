//! What a rollback leaves behind, as it is written into an annotation of the Application.
//! It must not decide whether it still counts.

use serde::{Deserialize, Serialize};

/// The Application stays where it was rolled back to until its sources mean other revisions than they did then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The revisions that it stays at, one for each source.
    pub at: Vec<String>,
    /// What its sources meant then.
    pub past: Vec<String>,
}
