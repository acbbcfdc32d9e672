//! The public-key algorithms that signatures are made with: the only file that verifies one.
//! It must not know where key, message and signature come from, and holds no private key.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA384_ASN1, ECDSA_P256_SHA512_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA512_ASN1, ECDSA_P521_SHA256_ASN1, ECDSA_P521_SHA384_ASN1,
    ECDSA_P521_SHA512_ASN1, ED25519, EcdsaVerificationAlgorithm,
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use sha2::{Digest, Sha256, Sha384, Sha512};

/// Smaller RSA keys can be broken (NIST SP 800-131A), larger ones are beyond what aws-lc-rs takes.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A curve of FIPS 186-4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

/// A hash of FIPS 180-4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// Broken for signatures of anything that others choose (RFC 6194).
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// A key that can verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// Modulus and exponent, without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point of the curve, uncompressed (SEC 1 §2.3.3).
    Ecdsa {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519([u8; 32]),
}

/// A signature's numbers, with or without leading zeros.
#[derive(Clone, Copy, Debug)]
pub(super) enum Numbers<'a> {
    One(&'a [u8]),
    Two(&'a [u8], &'a [u8]),
}

impl PublicKey {
    /// An RSA key of an accepted size.
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<Self, &'static str> {
        let (n, e) = (trimmed(n), trimmed(e));
        let zeros = n.first().map_or(0, |first| first.leading_zeros() as usize);
        if RSA_BITS.contains(&(n.len() * 8 - zeros)) {
            let (n, e) = (n.to_vec(), e.to_vec());
            Ok(Self::Rsa { n, e })
        } else {
            Err("its RSA key has less than 2048 or more than 8192 bits")
        }
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.2) or ECDSA (FIPS 186-4 §6.4) over `hash(message)`; Ed25519 (RFC 8032) over
    /// `message` itself, whatever `hash` says.
    pub(super) fn verifies(&self, hash: Hash, message: &[u8], numbers: Numbers<'_>) -> bool {
        match (self, numbers) {
            (Self::Rsa { n, e }, Numbers::One(value)) => {
                let key = RsaPublicKeyComponents { n, e };
                // aws-lc-rs wants the signature as long as the modulus.
                padded(value, n.len())
                    .is_some_and(|value| key.verify(rsa(hash), message, &value).is_ok())
            }
            (Self::Ecdsa { curve, point }, Numbers::Two(r, s)) => {
                ecdsa(*curve, hash).is_some_and(|algorithm| {
                    let key = UnparsedPublicKey::new(algorithm, point);
                    key.verify(message, &der_of(r, s)).is_ok()
                })
            }
            (Self::Ed25519(key), Numbers::Two(r, s)) => {
                let (Some(r), Some(s)) = (padded(r, 32), padded(s, 32)) else {
                    return false;
                };
                let key = UnparsedPublicKey::new(&ED25519, key);
                key.verify(message, &[r, s].concat()).is_ok()
            }
            _ => false,
        }
    }
}

impl Hash {
    /// `hash(message)`; none for SHA-1, which only old RSA signatures are let through with.
    pub(super) fn of(self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Sha1 => None,
            Self::Sha256 => Some(Sha256::digest(message).to_vec()),
            Self::Sha384 => Some(Sha384::digest(message).to_vec()),
            Self::Sha512 => Some(Sha512::digest(message).to_vec()),
        }
    }
}

fn rsa(hash: Hash) -> &'static RsaParameters {
    match hash {
        Hash::Sha1 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        Hash::Sha384 => &RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
    }
}

fn ecdsa(curve: Curve, hash: Hash) -> Option<&'static EcdsaVerificationAlgorithm> {
    Some(match (curve, hash) {
        (Curve::P256, Hash::Sha256) => &ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha256) => &ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Hash::Sha256) => &ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Hash::Sha384) => &ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Hash::Sha512) => &ECDSA_P521_SHA512_ASN1,
        (_, Hash::Sha1) => return None,
    })
}

fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let number = trimmed(number);
    let zeros = length.checked_sub(number.len())?;
    Some([&vec![0; zeros], number].concat())
}

/// `SEQUENCE { INTEGER r, INTEGER s }` (SEC 1 §C.5).
fn der_of(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integers = [integer(r), integer(s)].concat();
    [header(0x30, integers.len()), integers].concat()
}

fn integer(number: &[u8]) -> Vec<u8> {
    let number = trimmed(number);
    let positive = number.first().is_none_or(|first| *first >= 0x80);
    let value = [if positive { &[0][..] } else { &[] }, number].concat();
    [header(0x02, value.len()), value].concat()
}

/// Longer than any pair of numbers of ours, and so refused by who reads it, when `length` has three digits.
fn header(tag: u8, length: usize) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(length @ 0..=0x7f) => vec![tag, length],
        Ok(length) => vec![tag, 0x81, length],
        Err(_) => vec![tag, 0x80],
    }
}

/// The Ed25519 key of a seed, and its signature over `message`: tests make here what needs hardware elsewhere.
#[cfg(test)]
pub(super) fn ed25519(seed: &[u8; 32], message: &[u8]) -> (Vec<u8>, Vec<u8>) {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).expect("a seed");
    let public = pair.public_key().as_ref().to_vec();
    (public, pair.sign(message).as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_positive_integers_without_leading_zeros() {
        assert_eq!(
            der_of(&[0, 0, 0x7f], &[0x80]),
            [0x30, 7, 2, 1, 0x7f, 2, 2, 0, 0x80]
        );
        assert_eq!(der_of(&[], &[1]), [0x30, 6, 2, 1, 0, 2, 1, 1]);
        assert_eq!(padded(&[0, 5], 3), Some(vec![0, 0, 5]));
        assert_eq!(padded(&[1, 2, 3], 2), None);
    }

    #[test]
    fn an_rsa_key_has_2048_to_8192_bits() {
        for (bytes, first, taken) in [
            (256, 0x80, true),
            (256, 0x7f, false),
            (128, 0xff, false),
            (1024, 0xff, true),
            (1025, 0x01, false),
            (0, 0, false),
        ] {
            let mut n = vec![0xff; bytes];
            if let Some(byte) = n.first_mut() {
                *byte = first;
            }
            assert_eq!(
                PublicKey::rsa(&n, &[1, 0, 1]).is_ok(),
                taken,
                "{bytes} {first}"
            );
        }
    }
}
