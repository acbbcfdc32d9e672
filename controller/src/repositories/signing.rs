//! Private keys that sign for us: one per repository over ssh, one per GitHub App. The only file here that knows algorithms.
//! A key never leaves it: neither as text nor as bytes.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair,
};
use num_bigint::BigUint;
use zeroize::Zeroizing;

use super::{
    pem::{self, Pem},
    wire_format::{Reader, Writer},
};

/// A private key of one of the kinds that ssh servers know: Ed25519, RSA, ECDSA over NIST curves.
#[derive(Clone)]
pub struct SigningKey(Arc<Held>);

struct Held {
    key: Key,
    /// The public key as ssh writes it.
    public: Vec<u8>,
}

enum Key {
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair, &'static Curve),
}

struct Curve {
    name: &'static str,
    /// Bytes of a private key, and of each half of a signature.
    size: usize,
    algorithm: &'static EcdsaSigningAlgorithm,
}

static CURVES: [Curve; 3] = [
    Curve {
        name: "nistp256",
        size: 32,
        algorithm: &ECDSA_P256_SHA256_FIXED_SIGNING,
    },
    Curve {
        name: "nistp384",
        size: 48,
        algorithm: &ECDSA_P384_SHA384_FIXED_SIGNING,
    },
    Curve {
        name: "nistp521",
        size: 66,
        algorithm: &ECDSA_P521_SHA512_FIXED_SIGNING,
    },
];

/// How to sign with RSA, where the peer has a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RsaHash {
    Sha256,
    Sha512,
}

/// Why text is no key that we can sign with. None of the reasons quotes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefused {
    #[error("it is not a private key in PEM")]
    NotPem,
    #[error("it is encrypted, expected a key without passphrase")]
    Encrypted,
    #[error("it is not an Ed25519, RSA (2048 to 8192 bits) or ECDSA key that is whole")]
    Unknown,
}

impl SigningKey {
    /// Reads a key as `ssh-keygen`, `openssl` or GitHub write it.
    ///
    /// # Errors
    /// When it is none, encrypted, or of a kind that is not supported.
    pub fn from_pem(text: &str) -> Result<Self, KeyRefused> {
        let Pem {
            label,
            encrypted,
            der,
        } = pem::read(text).ok_or(KeyRefused::NotPem)?;
        if encrypted {
            return Err(KeyRefused::Encrypted);
        }
        let key = match label {
            "OPENSSH PRIVATE KEY" => from_openssh(&der)?,
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).ok().map(Key::Rsa),
            "EC PRIVATE KEY" => ecdsa_from_der(&der),
            "PRIVATE KEY" => from_pkcs8(&der),
            _ => return Err(KeyRefused::NotPem),
        };
        let key = key.ok_or(KeyRefused::Unknown)?;
        let public = key.public().ok_or(KeyRefused::Unknown)?;
        Ok(Self(Arc::new(Held { key, public })))
    }

    /// Whether it is an RSA key.
    pub(super) fn is_rsa(&self) -> bool {
        matches!(self.0.key, Key::Rsa(_))
    }

    /// The public key as ssh writes it in its messages.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.0.public
    }

    /// The name of the kind of key, as ssh has it.
    #[must_use]
    pub fn kind(&self) -> String {
        let kind = Reader(&self.0.public).text().unwrap_or_default();
        kind.to_owned()
    }

    /// A signature over `message` as ssh writes it; RSA with SHA-1 is not offered.
    pub(crate) fn sign_for_ssh(&self, message: &[u8], hash: Option<RsaHash>) -> Option<Vec<u8>> {
        let mut written = Writer::default();
        match &self.0.key {
            Key::Ed25519(pair) => {
                written.string(b"ssh-ed25519");
                written.string(pair.sign(message).as_ref());
            }
            Key::Rsa(pair) => {
                written.string(match hash? {
                    RsaHash::Sha256 => b"rsa-sha2-256",
                    RsaHash::Sha512 => b"rsa-sha2-512",
                });
                written.string(&rsa_signature(pair, message, hash?)?);
            }
            Key::Ecdsa(pair, curve) => {
                let signature = pair.sign(&SystemRandom::new(), message).ok()?;
                let (r, s) = signature.as_ref().split_at_checked(curve.size)?;
                let mut halves = Writer::default();
                halves.integer(r);
                halves.integer(s);
                written.string(format!("ecdsa-sha2-{}", curve.name).as_bytes());
                written.string(&halves.0);
            }
        }
        Some(written.0)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256 over `message`, JWT's RS256 (RFC 7518 §3.3); `None` without an RSA key.
    pub(super) fn sign_rs256(&self, message: &[u8]) -> Option<Vec<u8>> {
        match &self.0.key {
            Key::Rsa(pair) => rsa_signature(pair, message, RsaHash::Sha256),
            Key::Ed25519(_) | Key::Ecdsa(..) => None,
        }
    }
}

/// The public half says which key it is.
impl PartialEq for SigningKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.public == other.0.public
    }
}

impl Eq for SigningKey {}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey(redacted, {})", self.kind())
    }
}

impl Key {
    fn public(&self) -> Option<Vec<u8>> {
        let mut written = Writer::default();
        match self {
            Self::Ed25519(pair) => {
                written.string(b"ssh-ed25519");
                written.string(pair.public_key().as_ref());
            }
            Self::Rsa(pair) => {
                let [modulus, exponent] = pem::two_integers(pair.public_key().as_ref())?;
                written.string(b"ssh-rsa");
                written.integer(exponent);
                written.integer(modulus);
            }
            Self::Ecdsa(pair, curve) => {
                written.string(format!("ecdsa-sha2-{}", curve.name).as_bytes());
                written.string(curve.name.as_bytes());
                written.string(pair.public_key().as_ref());
            }
        }
        Some(written.0)
    }
}

fn rsa_signature(pair: &RsaKeyPair, message: &[u8], hash: RsaHash) -> Option<Vec<u8>> {
    let padding: &'static dyn RsaEncoding = match hash {
        RsaHash::Sha256 => &RSA_PKCS1_SHA256,
        RsaHash::Sha512 => &RSA_PKCS1_SHA512,
    };
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), message, &mut signature)
        .ok()?;
    Some(signature)
}

fn from_pkcs8(der: &[u8]) -> Option<Key> {
    if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
        return Some(Key::Ed25519(pair));
    }
    RsaKeyPair::from_pkcs8(der)
        .ok()
        .map(Key::Rsa)
        .or_else(|| ecdsa_from_der(der))
}

fn ecdsa_from_der(der: &[u8]) -> Option<Key> {
    CURVES.iter().find_map(|curve| {
        let pair = EcdsaKeyPair::from_private_key_der(curve.algorithm, der).ok()?;
        Some(Key::Ecdsa(pair, curve))
    })
}

/// OpenSSH's own format (PROTOCOL.key in its source): one key, and both numbers in front of it equal.
fn from_openssh(bytes: &[u8]) -> Result<Option<Key>, KeyRefused> {
    let rest = bytes
        .strip_prefix(b"openssh-key-v1\0")
        .ok_or(KeyRefused::NotPem)?;
    let mut reader = Reader(rest);
    let cipher = reader.text().ok_or(KeyRefused::NotPem)?;
    if cipher != "none" {
        return Err(KeyRefused::Encrypted);
    }
    Ok(openssh_private(&mut reader))
}

fn openssh_private(reader: &mut Reader<'_>) -> Option<Key> {
    let (_derivation, _options) = (reader.string()?, reader.string()?);
    if reader.number()? != 1 {
        return None;
    }
    let _public = reader.string()?;
    let mut private = Reader(reader.string()?);
    if private.number()? != private.number()? {
        return None;
    }
    match private.text()? {
        "ssh-ed25519" => {
            let (public, both) = (private.string()?, private.string()?);
            let pair = Ed25519KeyPair::from_seed_and_public_key(both.get(..32)?, public);
            pair.ok().map(Key::Ed25519)
        }
        "ssh-rsa" => openssh_rsa(&mut private),
        kind => {
            let curve = CURVES
                .iter()
                .find(|curve| kind.strip_prefix("ecdsa-sha2-") == Some(curve.name))?;
            let (_name, public, scalar) =
                (private.string()?, private.string()?, private.integer()?);
            let mut padded = Zeroizing::new(vec![0; curve.size.checked_sub(scalar.len())?]);
            padded.extend_from_slice(scalar);
            let pair =
                EcdsaKeyPair::from_private_key_and_public_key(curve.algorithm, &padded, public);
            Some(Key::Ecdsa(pair.ok()?, curve))
        }
    }
}

/// Two numbers that OpenSSH leaves out are made anew: d mod (p − 1) and d mod (q − 1), RFC 8017 §3.2.
fn openssh_rsa(private: &mut Reader<'_>) -> Option<Key> {
    let mut next = || private.integer();
    let (n, e, d, q_inv, p, q) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let exponent = |prime: &[u8]| {
        let (prime, one) = (BigUint::from_bytes_be(prime), BigUint::from(1_u8));
        // Anything less would end in a division by zero.
        let exponent = (prime > one).then(|| BigUint::from_bytes_be(d) % (prime - one))?;
        Some(Zeroizing::new(exponent.to_bytes_be()))
    };
    let (d_p, d_q) = (exponent(p)?, exponent(q)?);
    let pair = RsaKeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents { n, e },
        d,
        p,
        q,
        dP: d_p.as_slice(),
        dQ: d_q.as_slice(),
        qInv: q_inv,
    });
    pair.ok().map(Key::Rsa)
}
