//! Fingerprints: the public name of an RSA key.
//! Says nothing about who holds the key.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::base64;

/// `"SHA256:" || base64-unpadded(SHA-256(string "ssh-rsa" || mpint e || mpint n))`: RFC 4253 §6.6 for the bytes,
/// OpenSSH for the text, so that `ssh-keygen -lf` shows the same. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(Arc<str>);

impl Fingerprint {
    /// The fingerprint of the key with this modulus and exponent, both big-endian without leading zeros.
    pub(crate) fn of(modulus: &[u8], exponent: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [b"ssh-rsa".to_vec(), mpint(exponent), mpint(modulus)] {
            let length = u32::try_from(part.len())
                .expect("invariant: no part is longer than an RSA modulus");
            hash.update(length.to_be_bytes());
            hash.update(part);
        }
        let text = format!("SHA256:{}", base64::encode(&hash.finalize()));
        Self(text.trim_end_matches('=').into())
    }

    /// The text, as OpenSSH prints it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A positive number as RFC 4251 §5 writes it: a zero byte in front when the highest bit is set.
fn mpint(number: &[u8]) -> Vec<u8> {
    let negative = number.first().is_some_and(|byte| byte & 0x80 != 0);
    [&[0][..usize::from(negative)], number].concat()
}
