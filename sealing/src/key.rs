//! Sealing keys: a private key, its certificate, and the Secret they are kept in.
//! Reads and makes keys; decides nothing about which one to use, see `keyring`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;

use crate::certificate::{Certificate, CertificateError};
use crate::envelope::{self, OpeningKey, OpeningKeyRefused, PublicParts};
use crate::fingerprint::Fingerprint;
use crate::pem::{self, PemBlock};
use crate::secret_bytes::SecretBytes;

/// Item of a key Secret that holds the private key.
pub const PRIVATE_KEY_ITEM: &str = "tls.key";
/// Item of a key Secret that holds the certificate.
pub const CERTIFICATE_ITEM: &str = "tls.crt";

/// Why a key can't be read or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No private key in the data.
    #[error("no private key found: expected a PEM block RSA PRIVATE KEY or PRIVATE KEY")]
    NotFound,
    /// A key with a passphrase.
    #[error("the private key is encrypted: expected one without a passphrase")]
    Encrypted,
    /// A key of another algorithm.
    #[error("the private key is not RSA")]
    NotRsa,
    /// A block that can't be read as a private key.
    #[error("the private key is malformed")]
    Malformed,
    /// Fewer bits than the library that opens takes.
    #[error("the private key has {bits} bits: expected at least {}", envelope::OPENABLE_BITS.start())]
    TooSmall {
        /// Modulus size.
        bits: usize,
    },
    /// More bits than the library that opens takes.
    #[error("the private key has {bits} bits: expected at most {}", envelope::OPENABLE_BITS.end())]
    TooLarge {
        /// Modulus size.
        bits: usize,
    },
    /// A key Secret without one of its two items.
    #[error("the key Secret has no item {item}")]
    MissingItem {
        /// `tls.key` or `tls.crt`.
        item: &'static str,
    },
    /// The certificate beside the key is unusable.
    #[error("the certificate of the key is unusable")]
    Certificate(#[source] CertificateError),
    /// A size that can't be generated.
    #[error("cannot generate an RSA key of {bits} bits: expected 2048, 3072, 4096 or 8192")]
    Generate {
        /// What was asked for.
        bits: usize,
    },
}

impl From<OpeningKeyRefused> for KeyError {
    fn from(refused: OpeningKeyRefused) -> Self {
        match refused {
            OpeningKeyRefused::NotRsa => Self::NotRsa,
            OpeningKeyRefused::Malformed => Self::Malformed,
            OpeningKeyRefused::Size { bits } if bits < *envelope::OPENABLE_BITS.start() => {
                Self::TooSmall { bits }
            }
            OpeningKeyRefused::Size { bits } => Self::TooLarge { bits },
        }
    }
}

/// An RSA private key that opens values. Cheap to clone; all clones share one copy of the key.
#[derive(Clone)]
pub struct PrivateKey {
    opening: Arc<OpeningKey>,
    fingerprint: Fingerprint,
    bits: usize,
}

impl PrivateKey {
    /// Reads the first usable key of a PEM file, PKCS#1 (`RSA PRIVATE KEY`) or PKCS#8 (`PRIVATE KEY`); other blocks,
    /// such as a certificate, are passed over.
    ///
    /// # Errors
    /// When no block can be used: what was wrong with the first private key of the file.
    pub fn from_pem(text: &[u8]) -> Result<Self, KeyError> {
        let mut first_error = None;
        for block in pem::blocks(text) {
            match Self::from_block(&block) {
                Some(Ok(key)) => return Ok(key),
                Some(Err(error)) => {
                    first_error.get_or_insert(error);
                }
                None => {}
            }
        }
        Err(first_error.unwrap_or(KeyError::NotFound))
    }

    /// `None` for a block that is no private key.
    fn from_block(block: &PemBlock) -> Option<Result<Self, KeyError>> {
        let parsed = match block.label.as_str() {
            "ENCRYPTED PRIVATE KEY" => return Some(Err(KeyError::Encrypted)),
            "RSA PRIVATE KEY" if block.has_headers => return Some(Err(KeyError::Encrypted)),
            "RSA PRIVATE KEY" => OpeningKey::from_pkcs1(&block.der),
            "PRIVATE KEY" => OpeningKey::from_pkcs8(&block.der),
            "EC PRIVATE KEY" => return Some(Err(KeyError::NotRsa)),
            _ => return None,
        };
        Some(parsed.map(Self::from_parts).map_err(KeyError::from))
    }

    fn from_parts((opening, parts): (OpeningKey, PublicParts)) -> Self {
        Self {
            bits: opening.modulus_length() * 8,
            fingerprint: Fingerprint::of(&parts.modulus, &parts.exponent),
            opening: Arc::new(opening),
        }
    }

    /// The public name of the key.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// Modulus size in bits, rounded up to whole bytes.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.bits
    }

    pub(crate) fn opening(&self) -> &OpeningKey {
        &self.opening
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey({}, redacted)", self.fingerprint)
    }
}

/// A private key with its certificate, as a key Secret holds them. The two are not checked to match, as upstream
/// does not: the certificate is only handed out and ordered by.
#[derive(Clone, Debug)]
pub struct SealingKey {
    /// Name of the key Secret.
    pub name: String,
    /// Opens what was sealed with it.
    pub private: PrivateKey,
    /// What others seal with.
    pub certificate: Certificate,
    /// Creation time of the key Secret, where it has one.
    pub created: Option<Timestamp>,
}

impl SealingKey {
    /// Reads a key Secret: `tls.key` and `tls.crt`, a chain's first certificate counts.
    ///
    /// # Errors
    /// When an item is missing or unusable.
    pub fn from_secret(secret: &Secret) -> Result<Self, KeyError> {
        let item = |item: &'static str| {
            secret
                .data
                .as_ref()
                .and_then(|data| data.get(item))
                .map(|bytes| bytes.0.as_slice())
                .ok_or(KeyError::MissingItem { item })
        };
        let private = PrivateKey::from_pem(item(PRIVATE_KEY_ITEM)?)?;
        let certificate =
            Certificate::from_pem(item(CERTIFICATE_ITEM)?).map_err(KeyError::Certificate)?;
        Ok(Self {
            name: secret.metadata.name.clone().unwrap_or_default(),
            private,
            certificate,
            created: secret
                .metadata
                .creation_timestamp
                .as_ref()
                .map(|time| time.0),
        })
    }

    /// Makes a key and its certificate, valid from `now`. Takes about half a second for 4096 bits.
    ///
    /// # Errors
    /// A size other than 2048, 3072, 4096 or 8192 bits, or a failing generator.
    pub fn generate(request: &KeyRequest, now: Timestamp) -> Result<GeneratedSealingKey, KeyError> {
        let generated =
            envelope::generate(request.bits).ok_or(KeyError::Generate { bits: request.bits })?;
        let certificate =
            Certificate::self_signed(&generated.pkcs8, &request.common_name, now, request.ttl)
                .map_err(KeyError::Certificate)?;
        let private = PrivateKey::from_parts(OpeningKey::from_pkcs1(&generated.pkcs1)?);
        let private_key_pem = pem::encode("RSA PRIVATE KEY", &generated.pkcs1);
        Ok(GeneratedSealingKey {
            private_key_pem: SecretBytes::from(private_key_pem.as_bytes()),
            key: Self {
                name: request.name.clone(),
                private,
                certificate,
                created: Some(now),
            },
        })
    }
}

/// What a new sealing key should be.
#[derive(Clone, Debug)]
pub struct KeyRequest {
    /// Name of the key Secret.
    pub name: String,
    /// Modulus size in bits.
    pub bits: usize,
    /// Validity of the certificate.
    pub ttl: Duration,
    /// Common name in the certificate's issuer and subject; empty for none.
    pub common_name: String,
}

/// A sealing key that was just made, with the text that its Secret has to hold. The certificate's text is
/// [`Certificate::pem`].
#[derive(Clone, Debug)]
pub struct GeneratedSealingKey {
    /// The key.
    pub key: SealingKey,
    /// PEM of the private key, PKCS#1, for the item `tls.key`.
    pub private_key_pem: SecretBytes,
}
