//! Private keys that templates make and hand on: RSA, ECDSA and Ed25519 to sign with, DSA to look at.
//! Keeps none: each call reads its keys from PEM and writes them back.

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
    ECDSA_P521_SHA512_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use zeroize::Zeroizing;

use super::{KEY_WORK, REFUSED, SLOW_WORK, der, dsa};
use crate::pem;
use crate::template::arguments::Param::Text as Str;
use crate::template::functions::{Call, CallError, Function, function};
use crate::template::text::Text;
use crate::template::value::Value;

pub(super) const FUNCTIONS: &[Function] = &[function("genPrivateKey", &[Str], generate).varying()];

/// A curve's algorithm, and the identifier of its signatures (RFC 5758 §3.2).
type Curve = (&'static EcdsaSigningAlgorithm, &'static [u8]);

const CURVES: [Curve; 3] = [
    (
        &ECDSA_P256_SHA256_ASN1_SIGNING,
        b"\x2a\x86\x48\xce\x3d\x04\x03\x02",
    ),
    (
        &ECDSA_P384_SHA384_ASN1_SIGNING,
        b"\x2a\x86\x48\xce\x3d\x04\x03\x03",
    ),
    (
        &ECDSA_P521_SHA512_ASN1_SIGNING,
        b"\x2a\x86\x48\xce\x3d\x04\x03\x04",
    ),
];

/// `sha256WithRSAEncryption`, RFC 8017 §A.2.4.
const RSA_SHA256: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
/// RFC 8410 §3.
const ED25519: &[u8] = b"\x2b\x65\x70";

/// A private key.
pub(super) enum PrivateKey {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair, Curve),
    Ed25519(Ed25519KeyPair),
    /// As it is written, since nothing is done with it.
    Dsa(Zeroizing<Vec<u8>>),
}

/// `genPrivateKey type`: as PEM.
fn generate(call: &Call<'_>) -> Result<Value, CallError> {
    call.run.spend(SLOW_WORK)?;
    let key = match &**call.text(0) {
        b"" | b"rsa" => PrivateKey::generate_rsa(call, KeySize::Rsa4096)?,
        b"dsa" => PrivateKey::Dsa(dsa::generate(call)?),
        b"ecdsa" => {
            let pair = EcdsaKeyPair::generate(CURVES[0].0).map_err(|_| REFUSED)?;
            PrivateKey::Ecdsa(pair, CURVES[0])
        }
        b"ed25519" => PrivateKey::Ed25519(Ed25519KeyPair::generate().map_err(|_| REFUSED)?),
        other => return Ok(Value::text([b"Unknown type ", other].concat())),
    };
    Ok(Value::Text(key.pem()?))
}

impl PrivateKey {
    pub(super) fn generate_rsa(call: &Call<'_>, size: KeySize) -> Result<Self, CallError> {
        call.run.spend(KEY_WORK)?;
        RsaKeyPair::generate(size)
            .map(Self::Rsa)
            .map_err(|_| REFUSED)
    }

    /// Reads the first block of a text; fails in words that quote nothing.
    pub(super) fn from_pem(text: &[u8]) -> Result<Self, &'static str> {
        let blocks = pem::blocks(text);
        let block = blocks.first().ok_or("no PEM data in input")?;
        match block.label.as_str() {
            "PRIVATE KEY" => {
                Self::from_pkcs8(&block.der).ok_or("decoding PEM as PKCS#8: unusable key")
            }
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&block.der)
                .map(Self::Rsa)
                .map_err(|_| "parsing RSA private key from PEM: unusable key"),
            "EC PRIVATE KEY" => CURVES
                .iter()
                .find_map(|curve| {
                    let pair = EcdsaKeyPair::from_private_key_der(curve.0, &block.der).ok()?;
                    Some(Self::Ecdsa(pair, *curve))
                })
                .ok_or("parsing EC private key from PEM: unusable key"),
            "DSA PRIVATE KEY" => {
                match der::first(&block.der).and_then(|key| der::all(key.contents)) {
                    Some(parts) if parts.len() == 6 => Ok(Self::Dsa(block.der.clone())),
                    _ => Err("parsing DSA private key from PEM: unusable key"),
                }
            }
            label if label.ends_with(" PRIVATE KEY") => Err("invalid private key type"),
            _ => Err("no private key data in PEM block"),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let ecdsa = |curve: &Curve| {
            EcdsaKeyPair::from_pkcs8(curve.0, der)
                .ok()
                .map(|pair| Self::Ecdsa(pair, *curve))
        };
        let rsa = RsaKeyPair::from_pkcs8(der).ok().map(Self::Rsa);
        rsa.or_else(|| CURVES.iter().find_map(ecdsa))
            .or_else(|| Ed25519KeyPair::from_pkcs8(der).ok().map(Self::Ed25519))
    }

    /// As PEM: PKCS#1 for RSA, RFC 5915 for ECDSA, PKCS#8 for Ed25519.
    pub(super) fn pem(&self) -> Result<Text, CallError> {
        let text = match self {
            Self::Rsa(pair) => {
                let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| REFUSED)?;
                pem::encode("RSA PRIVATE KEY", pkcs1_of(pkcs8.as_ref()).ok_or(REFUSED)?)
            }
            Self::Ecdsa(pair, _) => {
                let der: EcPrivateKeyRfc5915Der<'_> =
                    pair.private_key().as_der().map_err(|_| REFUSED)?;
                pem::encode("EC PRIVATE KEY", der.as_ref())
            }
            Self::Ed25519(pair) => {
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| REFUSED)?;
                pem::encode("PRIVATE KEY", der.as_ref())
            }
            Self::Dsa(der) => pem::encode("DSA PRIVATE KEY", der),
        };
        Ok(Text::from(text.as_str()))
    }

    /// `SubjectPublicKeyInfo` (RFC 5280 §4.1.2.7); `None` for DSA, which Go certifies no more.
    pub(super) fn public_key(&self) -> Option<Vec<u8>> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Rsa(pair) => pair.public_key().as_der().ok()?,
            Self::Ecdsa(pair, _) => pair.public_key().as_der().ok()?,
            Self::Ed25519(pair) => pair.public_key().as_der().ok()?,
            Self::Dsa(_) => return None,
        };
        Some(der.as_ref().to_vec())
    }

    /// `AlgorithmIdentifier` of this key's signatures.
    pub(super) fn algorithm(&self) -> Vec<u8> {
        match self {
            Self::Rsa(_) => {
                der::sequence(&[&der::element(der::OBJECT, &[RSA_SHA256]), b"\x05\x00"])
            }
            Self::Ecdsa(_, (_, object)) => der::sequence(&[&der::element(der::OBJECT, &[object])]),
            Self::Ed25519(_) | Self::Dsa(_) => {
                der::sequence(&[&der::element(der::OBJECT, &[ED25519])])
            }
        }
    }

    /// PKCS#1 v1.5, ECDSA or Ed25519; `None` for DSA.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .ok()?;
                Some(signature)
            }
            Self::Ecdsa(pair, _) => {
                let signature: signature::Signature = pair.sign(&random, message).ok()?;
                Some(signature.as_ref().to_vec())
            }
            Self::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
            Self::Dsa(_) => None,
        }
    }
}

/// The key inside `PrivateKeyInfo` (RFC 5208 §5).
fn pkcs1_of(pkcs8: &[u8]) -> Option<&[u8]> {
    let parts = der::all(der::first(pkcs8)?.contents)?;
    parts
        .get(2)
        .filter(|part| part.tag == der::OCTET_STRING)
        .map(|part| part.contents)
}
