//! The envelope: RSA-OAEP around a fresh AES-256-GCM key, per value. docs/format.md shows the bytes.
//! The only file that touches RSA and AES-GCM; knows nothing of Secrets, files or certificates.

use std::fmt;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use rand_core::TryCryptoRng;
use rsa::oaep::EncryptingKey;
use rsa::pkcs1::RsaPrivateKeyRef;
use rsa::pkcs8::{DecodePublicKey as _, PrivateKeyInfoRef};
use rsa::traits::{PublicKeyParts as _, RandomizedEncryptor as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::base64;
use crate::scope::Label;
use crate::secret_bytes::SecretBytes;

/// Modulus sizes that can be opened, in bits: the limits of the library that opens (docs/decisions/keys-below-2048.md).
pub const OPENABLE_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Length of the AES-256 key that is made for each value, in bytes.
const SESSION_KEY_LENGTH: usize = 32;

/// Twelve zero bytes. Safe only because a session key encrypts one message in its life.
const NONCE: [u8; 12] = [0; 12];

/// Length of the field that says how long the RSA block is, in bytes.
const LENGTH_FIELD: usize = 2;

/// Sealing failed. Neither case says anything about the plaintext.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// The generator of random numbers failed.
    #[error("cannot draw a session key: the random number generator failed")]
    Random,
    /// The library refused the public key or the message.
    #[error("cannot encrypt with this RSA public key of {bits} bits")]
    Encrypt {
        /// Modulus size.
        bits: usize,
        /// What the library said.
        #[source]
        source: rsa::Error,
    },
}

/// An RSA public key, for sealing.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(rsa::PublicKey);

impl PublicKey {
    /// Reads a DER `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7); `None` when it is no RSA key of 1024 to 8192 bits.
    pub(crate) fn from_spki_der(der: &[u8]) -> Option<Self> {
        rsa::PublicKey::from_public_key_der(der).ok().map(Self)
    }

    /// Modulus size in bits, rounded up to whole bytes.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.0.size() * 8
    }

    /// Modulus and public exponent, big-endian without leading zeros.
    pub(crate) fn parts(&self) -> (Box<[u8]>, Box<[u8]>) {
        (self.0.n_bytes(), self.0.e_bytes())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({} bits)", self.bits())
    }
}

/// Seals one value:
///
/// `base64( u16be(|C|) || C || G )` with `K` = 32 fresh random bytes,
/// `C = RSAES-OAEP-ENCRYPT(public, K, label; SHA-256, MGF1-SHA-256)` (RFC 8017 §7.1.1) and
/// `G = AES-256-GCM(K, nonce = 0^96, plaintext, aad = "")` (NIST SP 800-38D), its 16 byte tag at the end.
///
/// The zero nonce is safe only because `K` is never used twice. The key of the item is not bound: only `label` is.
///
/// # Errors
/// When the generator fails or the key is unusable.
pub fn seal_value<R: TryCryptoRng + ?Sized>(
    public: &PublicKey,
    label: &Label,
    plaintext: &[u8],
    rng: &mut R,
) -> Result<String, EnvelopeError> {
    let mut session_key = Zeroizing::new([0; SESSION_KEY_LENGTH]);
    rng.try_fill_bytes(session_key.as_mut_slice())
        .map_err(|_| EnvelopeError::Random)?;
    let wrapped = wrap(public, label, &session_key, rng)?;
    let body = encrypt(&session_key, plaintext);
    let length = u16::try_from(wrapped.len())
        .expect("invariant: an RSA block of at most 8192 bits has at most 1024 bytes");
    Ok(base64::encode(
        &[&length.to_be_bytes(), wrapped.as_slice(), body.as_slice()].concat(),
    ))
}

/// `RSAES-OAEP-ENCRYPT(public, session_key, label)` with SHA-256 for the label and for MGF1: RFC 8017 §7.1.1.
fn wrap<R: TryCryptoRng + ?Sized>(
    public: &PublicKey,
    label: &Label,
    session_key: &[u8; SESSION_KEY_LENGTH],
    rng: &mut R,
) -> Result<Vec<u8>, EnvelopeError> {
    EncryptingKey::<Sha256>::new_with_label(public.0.clone(), label.as_bytes())
        .encrypt_with_rng(rng, session_key)
        .map_err(|source| EnvelopeError::Encrypt {
            bits: public.bits(),
            source,
        })
}

/// `AES-256-GCM(session_key, 0^96, plaintext, "")`, tag last: NIST SP 800-38D §7.1. A second message under the same
/// key would give both away.
fn encrypt(session_key: &[u8; SESSION_KEY_LENGTH], plaintext: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(plaintext.len() + 16);
    body.extend_from_slice(plaintext);
    Aes256Gcm::new(session_key.into())
        .encrypt_in_place(&NONCE.into(), b"", &mut body)
        .expect("invariant: a value is shorter than the 64 GiB that GCM allows");
    body
}

/// A sealed value, cut into its two parts and not yet opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealedValue<'a> {
    /// The OAEP block; its length is the modulus size of the key that can open it.
    pub(crate) wrapped: &'a [u8],
    body: &'a [u8],
}

impl<'a> SealedValue<'a> {
    /// Cuts `u16be(N) || wrapped[N] || body`; `None` when the bytes end before `N` says.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<LENGTH_FIELD>()?;
        let (wrapped, body) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        Some(Self { wrapped, body })
    }
}

/// An RSA private key, for opening. Lives in memory that the library wipes.
pub(crate) struct OpeningKey(OaepPrivateDecryptingKey);

/// Why bytes are not a private key that can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpeningKeyRefused {
    /// A key of another algorithm.
    NotRsa,
    /// RSA, but outside [`OPENABLE_BITS`].
    Size { bits: usize },
    /// Not a private key, or one whose numbers do not fit together.
    Malformed,
}

/// The public half of a private key: modulus and exponent, big-endian without leading zeros.
pub(crate) struct PublicParts {
    pub(crate) modulus: Vec<u8>,
    pub(crate) exponent: Vec<u8>,
}

impl OpeningKey {
    /// Reads a PKCS#8 `PrivateKeyInfo` (RFC 5208 §5) that holds an RSA key.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Result<(Self, PublicParts), OpeningKeyRefused> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| OpeningKeyRefused::Malformed)?;
        if info.algorithm.oid != rsa::pkcs1::ALGORITHM_OID {
            return Err(OpeningKeyRefused::NotRsa);
        }
        Self::from_pkcs1(info.private_key.as_bytes())
    }

    /// Reads a PKCS#1 `RSAPrivateKey` (RFC 8017 §A.1.2).
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<(Self, PublicParts), OpeningKeyRefused> {
        let numbers = RsaPrivateKeyRef::try_from(der).map_err(|_| OpeningKeyRefused::Malformed)?;
        let parts = PublicParts {
            modulus: numbers.modulus.as_bytes().to_vec(),
            exponent: numbers.public_exponent.as_bytes().to_vec(),
        };
        let bits = bit_length(&parts.modulus);
        if !OPENABLE_BITS.contains(&bits) {
            return Err(OpeningKeyRefused::Size { bits });
        }
        let decrypting = decrypting_key(der).ok_or(OpeningKeyRefused::Malformed)?;
        Ok((Self(decrypting), parts))
    }

    /// Modulus size in bytes: the length of every block this key can open.
    pub(crate) fn modulus_length(&self) -> usize {
        self.0.key_size_bytes()
    }

    /// Undoes [`seal_value`]: `K = RSAES-OAEP-DECRYPT(private, wrapped, label)` (RFC 8017 §7.1.2), then
    /// `AES-GCM-OPEN(K, 0^96, body, "")`. `None` for every failure alike: telling a bad block from a bad tag would be
    /// an oracle (Manger 2001).
    pub(crate) fn open(&self, sealed: SealedValue<'_>, label: &Label) -> Option<SecretBytes> {
        let mut buffer = Zeroizing::new(vec![0; self.0.min_output_size()]);
        let session_key = self
            .0
            .decrypt(
                &OAEP_SHA256_MGF1SHA256,
                sealed.wrapped,
                &mut buffer,
                Some(label.as_bytes()),
            )
            .ok()?;
        decrypt(session_key, sealed.body)
    }
}

impl fmt::Debug for OpeningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("OpeningKey(redacted)")
    }
}

/// `AES-GCM-OPEN(session_key, 0^96, body, "")`: NIST SP 800-38D §7.2. The key's length picks AES-128, -192 or -256;
/// we only ever make the last.
fn decrypt(session_key: &[u8], body: &[u8]) -> Option<SecretBytes> {
    let algorithm = [&AES_128_GCM, &AES_192_GCM, &AES_256_GCM]
        .into_iter()
        .find(|algorithm| algorithm.key_len() == session_key.len())?;
    let key = LessSafeKey::new(UnboundKey::new(algorithm, session_key).ok()?);
    let mut buffer = Zeroizing::new(body.to_vec());
    let length = key
        .open_in_place(
            Nonce::assume_unique_for_key(NONCE),
            Aad::empty(),
            &mut buffer,
        )
        .ok()?
        .len();
    buffer.truncate(length);
    Some(SecretBytes::from(std::mem::take(&mut *buffer)))
}

/// PKCS#1 in, key out; the PKCS#8 wrapping in between is wiped.
fn decrypting_key(pkcs1: &[u8]) -> Option<OaepPrivateDecryptingKey> {
    let pair = KeyPair::from_der(pkcs1).ok()?;
    let pkcs8 = wrapped_pkcs8(&pair)?;
    OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(&pkcs8).ok()?).ok()
}

fn wrapped_pkcs8(pair: &KeyPair) -> Option<Zeroizing<Vec<u8>>> {
    let der: Pkcs8V1Der<'_> = pair.as_der().ok()?;
    Some(Zeroizing::new(der.as_ref().to_vec()))
}

fn bit_length(modulus: &[u8]) -> usize {
    modulus.first().map_or(0, |first| {
        modulus.len() * 8 - first.leading_zeros() as usize
    })
}

/// A fresh private key in both encodings.
pub(crate) struct GeneratedKey {
    /// RFC 5208 `PrivateKeyInfo`, to sign the certificate with.
    pub(crate) pkcs8: Zeroizing<Vec<u8>>,
    /// RFC 8017 `RSAPrivateKey`, as key Secrets hold it.
    pub(crate) pkcs1: Zeroizing<Vec<u8>>,
}

/// Generates an RSA key with exponent 65537 from the library's own generator (FIPS 186-5 §A.1). `None` for a size
/// other than 2048, 3072, 4096 or 8192 bits, or when the generator fails.
pub(crate) fn generate(bits: usize) -> Option<GeneratedKey> {
    let size = match bits {
        2048 => KeySize::Rsa2048,
        3072 => KeySize::Rsa3072,
        4096 => KeySize::Rsa4096,
        8192 => KeySize::Rsa8192,
        _ => return None,
    };
    let pkcs8 = wrapped_pkcs8(&KeyPair::generate(size).ok()?)?;
    let info = PrivateKeyInfoRef::try_from(pkcs8.as_slice()).ok()?;
    let pkcs1 = Zeroizing::new(info.private_key.as_bytes().to_vec());
    Some(GeneratedKey { pkcs8, pkcs1 })
}
