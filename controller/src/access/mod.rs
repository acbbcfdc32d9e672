//! Who may do what: an Application may read, write and delete only what its project permits.
//! It must not read a cluster or a repository: it judges values, and every plan asks it.

mod claim;
mod denied;
mod destinations;
mod features;
mod history;
mod kinds;
mod pattern;
mod plaintext;
mod project;
mod schedule;
mod signatures;
mod source;
mod unsigned;
mod windows;

pub use claim::Claim;
pub use denied::{Denied, Reason};
pub use features::FEATURES;
pub use history::Judged;
pub use plaintext::PlaintextSecrets;
pub use project::Project;
pub use signatures::SignatureDemand;
pub use unsigned::SignatureError;
pub use windows::{Blocked, Windows};

#[cfg(test)]
mod tests;
