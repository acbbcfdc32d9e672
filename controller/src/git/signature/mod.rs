//! Signatures of commits and tags: who made them, by the public keys that the cluster's admins handed over.
//! It never decides whether that is enough, reads no clock, and touches no private key.

mod algorithm;
mod allowed_signers;
mod armor;
mod bytes;
#[cfg(any(test, fuzzing))]
#[path = "../../../../tests/fuzzing/signatures.rs"]
pub mod fuzz_signatures;
mod object;
mod openpgp;
mod principals;
mod problem;
mod signed;
mod signer;
mod ssh;
mod trust;

pub use object::SignedObject;
pub(super) use object::read;
pub use openpgp::Fingerprint;
pub use principals::Principals;
pub use problem::{Problem, Store};
pub use signed::Signed;
pub use signer::{KeyId, Signer};
pub use trust::Trust;

/// What SSH signatures of git are made for.
const NAMESPACE: &str = "git";

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub signer: Signer,
    /// In seconds since 1970: then a key of it expires, or the signature itself.
    pub until: Option<i64>,
}
