//! The pure part of Signet: envelope, keys, scopes, Secrets and templates. No I/O, no async, no clock.
//!
//! `seal` makes SealedSecrets with a certificate; `unseal`, `opens` and `reseal` work with a [`Keyring`]. The bytes are
//! described in docs/format.md.

mod base64;
mod certificate;
mod coerce;
mod envelope;
mod fingerprint;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzzing/envelope.rs"]
pub mod fuzz_envelope;
#[cfg(test)]
#[path = "../../tests/fuzzing/replay.rs"]
mod fuzz_replay;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzzing/templates.rs"]
pub mod fuzz_templates;
pub mod go;
#[cfg(test)]
#[path = "../../tests/errors/golden.rs"]
mod golden_errors;
mod key;
mod keyring;
mod pem;
mod reseal;
mod scope;
mod seal;
mod secret_bytes;
mod secret_input;
mod secret_value;
mod surroundings;
mod template;
mod unseal;
mod unseal_error;

pub use base64::{IllegalBase64, decode_base64};
pub use certificate::{Certificate, CertificateError};
pub use envelope::{EnvelopeError, OPENABLE_BITS, PublicKey, seal_value};
pub use fingerprint::Fingerprint;
pub use key::{
    CERTIFICATE_ITEM, GeneratedSealingKey, KeyError, KeyRequest, PRIVATE_KEY_ITEM, PrivateKey,
    SealingKey,
};
pub use keyring::{KeyOrder, Keyring, Opened};
pub use reseal::{ResealError, reseal};
pub use scope::{Label, Scope, UnknownScope};
pub use seal::{SealError, seal};
pub use secret_bytes::SecretBytes;
pub use secret_input::{InputError, SecretInput};
pub use secret_value::SecretValue;
pub use surroundings::Surroundings;
pub use template::{Rendering, TemplateError};
pub use unseal::{Unsealed, UnsealedSecret, opens, unseal};
pub use unseal_error::{ItemErrors, ItemProblem, UnsealError};
