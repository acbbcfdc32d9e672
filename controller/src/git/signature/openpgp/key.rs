//! One public key of OpenPGP, primary or subkey (RFC 9580 §5.5), version 4.
//! It must not decide what the key may do: that is in the signatures around it.

use super::super::{
    algorithm::{Curve, PublicKey},
    bytes::Bytes,
};

/// Object identifiers of the curves, as the packet spells them (§9.2).
const CURVES: [(&[u8], Curve); 3] = [
    (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7], Curve::P256),
    (&[0x2b, 0x81, 4, 0, 0x22], Curve::P384),
    (&[0x2b, 0x81, 4, 0, 0x23], Curve::P521),
];
/// Of Ed25519 in keys of before RFC 9580.
const ED25519: &[u8] = &[0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1];

/// What a key of version 4 is known by: SHA-1 over it (§5.5.4).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub(super) [u8; 20]);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl Fingerprint {
    /// The 16 digits that people call the key's id (§5.5.4).
    #[must_use]
    pub fn key_id(&self) -> String {
        self.to_string()[24..].to_owned()
    }

    pub(super) fn ends_with(&self, id: [u8; 8]) -> bool {
        self.0.ends_with(&id)
    }
}

/// A public key and what signatures over it cover.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) fingerprint: Fingerprint,
    /// Seconds since 1970.
    pub(super) created: i64,
    /// None for an algorithm that can't sign, or not here.
    pub(super) material: Result<PublicKey, &'static str>,
    /// `0x99 || length || body`: the form in which keys are hashed (§5.2.4).
    pub(super) hashed: Vec<u8>,
}

impl Key {
    /// Reads the body of the packet.
    pub(super) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let mut bytes = Bytes(body);
        if bytes.u8()? != 4 {
            return Err("its key is not of version 4");
        }
        let created = i64::from(bytes.u32()?);
        let material = material(&mut bytes);
        let length = u16::try_from(body.len()).map_err(|_| "its key is too long")?;
        let hashed = [&[0x99], &length.to_be_bytes()[..], body].concat();
        Ok(Self {
            fingerprint: fingerprint(&hashed)?,
            created,
            material,
            hashed,
        })
    }
}

fn material(bytes: &mut Bytes<'_>) -> Result<PublicKey, &'static str> {
    match bytes.u8()? {
        1 | 3 => PublicKey::rsa(bytes.mpi()?, bytes.mpi()?),
        17 => Err("its algorithm is DSA, which is not supported"),
        19 => {
            let oid = curve(bytes)?;
            let known = CURVES.into_iter().find(|(name, _)| *name == oid);
            let (_, curve) = known.ok_or("its curve is not supported")?;
            let point = bytes.mpi()?.to_vec();
            Ok(PublicKey::Ecdsa { curve, point })
        }
        22 if curve(bytes)? == ED25519 => {
            let point = bytes.mpi()?.strip_prefix(&[0x40]);
            let point = point.and_then(|point| point.try_into().ok());
            point.map(PublicKey::Ed25519).ok_or("its point is none")
        }
        27 => Ok(PublicKey::Ed25519(bytes.array()?)),
        _ => Err("its algorithm is not supported"),
    }
}

fn curve<'a>(bytes: &mut Bytes<'a>) -> Result<&'a [u8], &'static str> {
    let length = bytes.u8()?;
    Ok(bytes.take(usize::from(length))?)
}

/// `SHA-1(hashed)`, refused where somebody made it collide (§5.5.4).
fn fingerprint(hashed: &[u8]) -> Result<Fingerprint, &'static str> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(hashed);
    let id = hasher.try_finalize().map_err(|_| "its key is a forgery")?;
    id.as_bytes()
        .try_into()
        .map(Fingerprint)
        .map_err(|_| "its key is a forgery")
}
