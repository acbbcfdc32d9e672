//! One signature packet of OpenPGP (RFC 9580 §5.2), version 4: what it says, and whether a key made it.
//! It must not decide what it is good for.

use super::{
    super::{
        algorithm::{Hash, Numbers, PublicKey},
        bytes::Bytes,
    },
    key::{Fingerprint, Key},
    packet::subpacket_length,
};

/// What a signature is over (§5.2.1).
pub(super) mod kind {
    pub(in super::super) const BINARY: u8 = 0x00;
    pub(in super::super) const CERTIFICATIONS: std::ops::RangeInclusive<u8> = 0x10..=0x13;
    pub(in super::super) const SUBKEY_BINDING: u8 = 0x18;
    pub(in super::super) const PRIMARY_BINDING: u8 = 0x19;
    pub(in super::super) const DIRECT_KEY: u8 = 0x1f;
    pub(in super::super) const KEY_REVOCATION: u8 = 0x20;
    pub(in super::super) const SUBKEY_REVOCATION: u8 = 0x28;
    pub(in super::super) const CERTIFICATION_REVOCATION: u8 = 0x30;
}

/// Subpackets of §5.2.3 that may be critical: those read here, and those that are no business of a verifier.
const UNDERSTOOD: [u8; 21] = [
    2, 3, 4, 5, 7, 9, 11, 12, 16, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 32, 33,
];
/// The flag of a key that may sign data (§5.2.3.29).
const MAY_SIGN: u8 = 0x02;

/// A signature as it stands.
#[derive(Clone, Debug)]
pub(super) struct Signature<'a> {
    pub(super) kind: u8,
    algorithm: u8,
    hash: u8,
    /// From the version to the last hashed subpacket: what is hashed after the data.
    hashed: &'a [u8],
    numbers: Numbers<'a>,
    pub(super) says: Says<'a>,
}

/// What the subpackets say. Times are seconds since 1970, spans are seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Says<'a> {
    pub(super) created: Option<i64>,
    pub(super) expires_after: Option<i64>,
    pub(super) key_expires_after: Option<i64>,
    pub(super) may_sign: Option<bool>,
    pub(super) by: Option<Fingerprint>,
    pub(super) by_id: Option<[u8; 8]>,
    /// The signature of a subkey over its primary key.
    pub(super) embedded: Option<&'a [u8]>,
    /// A critical subpacket that nobody here understands.
    unknown: bool,
}

impl<'a> Signature<'a> {
    /// Reads the body of the packet.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, &'static str> {
        let mut bytes = Bytes(body);
        if bytes.u8()? != 4 {
            return Err("it is not of version 4");
        }
        let [kind, algorithm, hash] = bytes.array()?;
        let length = usize::from(bytes.u16()?);
        let area = bytes.take(length)?;
        let hashed = &body[..6 + length];
        let mut says = Says::default();
        says.take_in(area, true)?;
        let length = usize::from(bytes.u16()?);
        says.take_in(bytes.take(length)?, false)?;
        // The first two bytes of the hash, for who wants to fail early.
        bytes.u16()?;
        let numbers = match algorithm {
            1 | 3 => Numbers::One(bytes.mpi()?),
            27 => Numbers::Two(bytes.take(32)?, bytes.take(32)?),
            17 | 19 | 22 => Numbers::Two(bytes.mpi()?, bytes.mpi()?),
            _ => return Err("its algorithm is not supported"),
        };
        if !bytes.is_empty() {
            return Err("it is longer than its numbers");
        }
        Ok(Self {
            kind,
            algorithm,
            hash,
            hashed,
            numbers,
            says,
        })
    }

    /// Whether it may be of this key, by what it says itself.
    pub(super) fn may_be_of(&self, key: &Key) -> bool {
        match (self.says.by, self.says.by_id) {
            (Some(by), _) => by == key.fingerprint,
            (None, Some(id)) => key.fingerprint.ends_with(id),
            (None, None) => false,
        }
    }

    /// Whether `key` made it over `data`; `Err` says why that is not even tried.
    pub(super) fn is_of(&self, key: &Key, data: &[&[u8]]) -> Result<bool, &'static str> {
        let material = key.material.as_ref().map_err(|problem| *problem)?;
        if self.says.unknown {
            return Err("it has a critical part that is not understood");
        }
        let hash = match self.hash {
            2 => Hash::Sha1,
            8 => Hash::Sha256,
            9 => Hash::Sha384,
            10 => Hash::Sha512,
            _ => return Err("its hash is not SHA-256, SHA-384 or SHA-512"),
        };
        let length = u32::try_from(self.hashed.len()).map_err(|_| "it is too long")?;
        let trailer = [&[4, 0xff], &length.to_be_bytes()[..]].concat();
        let message = [&data.concat(), self.hashed, &trailer].concat();
        Ok(match (material, self.algorithm) {
            (PublicKey::Rsa { .. }, 1 | 3) | (PublicKey::Ecdsa { .. }, 19) => {
                material.verifies(hash, &message, self.numbers)
            }
            // §5.2.4: Ed25519 signs the hash as if it were the message.
            (PublicKey::Ed25519(_), 22 | 27) => hash
                .of(&message)
                .is_some_and(|digest| material.verifies(hash, &digest, self.numbers)),
            _ => false,
        })
    }

    /// SHA-1 is good enough for what the cluster's admin handed over, and for nothing that comes from a repository.
    pub(super) fn is_by_sha1(&self) -> bool {
        self.hash == 2
    }
}

impl<'a> Says<'a> {
    /// Only what is hashed counts, but for what proves itself: who made it, and a signature inside.
    fn take_in(&mut self, area: &'a [u8], hashed: bool) -> Result<(), &'static str> {
        let mut bytes = Bytes(area);
        while !bytes.is_empty() {
            let length = subpacket_length(&mut bytes)?;
            let mut body = Bytes(bytes.take(length)?);
            let first = body.u8()?;
            let (critical, name) = (first & 0x80 != 0, first & 0x7f);
            match name {
                16 => self.by_id = Some(body.array()?),
                // Version 4 in front; keys of other versions are not known here.
                33 if body.0.first() == Some(&4) => {
                    body.u8()?;
                    self.by = Some(Fingerprint(body.array()?));
                }
                32 => self.embedded = Some(body.rest()),
                _ if !hashed => {}
                2 => self.created = Some(i64::from(body.u32()?)),
                3 => self.expires_after = span(body.u32()?),
                9 => self.key_expires_after = span(body.u32()?),
                27 => self.may_sign = Some(body.0.first().is_some_and(|f| f & MAY_SIGN != 0)),
                _ => self.unknown |= critical && !UNDERSTOOD.contains(&name),
            }
        }
        Ok(())
    }
}

/// Zero is never.
fn span(seconds: u32) -> Option<i64> {
    (seconds != 0).then_some(i64::from(seconds))
}
