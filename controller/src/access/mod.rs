//! Who may do what: an Application may read, write and delete only what its project permits.
//! It must not read a cluster or a repository: it judges values, and every plan asks it.

mod claim;
mod denied;
mod destinations;
mod kinds;
mod pattern;
mod project;
mod signatures;
mod source;
mod unsigned;

pub use claim::Claim;
pub use denied::{Denied, Reason};
pub use project::{FEATURES, Project};
pub use signatures::SignatureDemand;
pub use unsigned::SignatureError;

#[cfg(test)]
mod tests;
