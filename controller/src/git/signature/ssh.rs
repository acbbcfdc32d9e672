//! Signatures of SSH, as `ssh-keygen -Y sign` makes them for git (OpenSSH's PROTOCOL.sshsig).
//! Certificates are not supported: they are refused by name.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use sha2::{Digest, Sha256};

use super::{
    NAMESPACE, Verified,
    algorithm::{Curve, Hash, Numbers, PublicKey},
    allowed_signers::AllowedSigner,
    armor,
    bytes::Bytes,
    principals::Principals,
    problem::{Problem, Store},
    signer::Signer,
};

/// What frames a signature.
pub(super) const LABEL: &str = "SSH SIGNATURE";
const MAGIC: &[u8] = b"SSHSIG";

/// A public key (RFC 4253 §6.6, RFC 5656 §3.1, RFC 8709 §4, OpenSSH's PROTOCOL.u2f).
#[derive(Clone, Debug)]
pub(super) struct Key {
    material: PublicKey,
    /// Of a key in hardware: what it was made for.
    application: Option<Vec<u8>>,
}

impl Key {
    pub(super) fn read(blob: &[u8]) -> Result<Self, &'static str> {
        let mut bytes = Bytes(blob);
        let kind = bytes.string()?;
        let material = match kind {
            b"ssh-rsa" => {
                let (e, n) = (bytes.string()?, bytes.string()?);
                PublicKey::rsa(n, e)?
            }
            b"ssh-ed25519" | b"sk-ssh-ed25519@openssh.com" => {
                let point = bytes.string()?.try_into();
                PublicKey::Ed25519(point.map_err(|_| "its point is none")?)
            }
            b"ecdsa-sha2-nistp256"
            | b"ecdsa-sha2-nistp384"
            | b"ecdsa-sha2-nistp521"
            | b"sk-ecdsa-sha2-nistp256@openssh.com" => ecdsa(bytes.string()?, bytes.string()?)?,
            _ if kind.ends_with(b"-cert-v01@openssh.com") => {
                return Err("not supported yet: certificates");
            }
            _ => return Err("its algorithm is not supported"),
        };
        let application = match kind.starts_with(b"sk-") {
            true => Some(bytes.string()?.to_vec()),
            false => None,
        };
        match bytes.is_empty() {
            true => Ok(Self {
                material,
                application,
            }),
            false => Err("its key is longer than it says"),
        }
    }

    /// Whether it made `signature` over `message`. A key in hardware signs what it was made for, flags and a counter with it;
    /// as for `ssh-keygen`, whether somebody touched it makes no difference.
    fn verifies(&self, message: &[u8], signature: &[u8]) -> Result<bool, &'static str> {
        let mut bytes = Bytes(signature);
        let kind = bytes.string()?;
        let hash = match (kind, &self.material, &self.application) {
            (b"rsa-sha2-256", PublicKey::Rsa { .. }, None) => Hash::Sha256,
            (b"rsa-sha2-512", PublicKey::Rsa { .. }, None) => Hash::Sha512,
            (b"ssh-rsa", PublicKey::Rsa { .. }, None) => {
                return Err("it was made with SHA-1, which is broken");
            }
            (b"ssh-ed25519", PublicKey::Ed25519(_), None)
            | (b"sk-ssh-ed25519@openssh.com", PublicKey::Ed25519(_), Some(_)) => Hash::Sha512,
            (b"sk-ecdsa-sha2-nistp256@openssh.com", PublicKey::Ecdsa { .. }, Some(_)) => {
                Hash::Sha256
            }
            (_, PublicKey::Ecdsa { curve, .. }, None) if kind == name(*curve) => match curve {
                Curve::P256 => Hash::Sha256,
                Curve::P384 => Hash::Sha384,
                Curve::P521 => Hash::Sha512,
            },
            _ => return Err("it is of another algorithm than its key"),
        };
        let mut value = Bytes(bytes.string()?);
        let numbers = match self.material {
            PublicKey::Rsa { .. } => Numbers::One(value.rest()),
            PublicKey::Ecdsa { .. } => Numbers::Two(value.string()?, value.string()?),
            PublicKey::Ed25519(_) => Numbers::Two(value.take(32)?, value.take(32)?),
        };
        let message = match &self.application {
            None => message.to_vec(),
            Some(application) => {
                let (flags_and_counter, message) = (bytes.take(5)?, Sha256::digest(message));
                [
                    &Sha256::digest(application)[..],
                    flags_and_counter,
                    &message,
                ]
                .concat()
            }
        };
        if !value.is_empty() || !bytes.is_empty() {
            return Err("it is longer than its numbers");
        }
        Ok(self.material.verifies(hash, &message, numbers))
    }
}

fn ecdsa(curve: &[u8], point: &[u8]) -> Result<PublicKey, &'static str> {
    let curve = match curve {
        b"nistp256" => Curve::P256,
        b"nistp384" => Curve::P384,
        b"nistp521" => Curve::P521,
        _ => return Err("its curve is not supported"),
    };
    let point = point.to_vec();
    Ok(PublicKey::Ecdsa { curve, point })
}

fn name(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => b"ecdsa-sha2-nistp256",
        Curve::P384 => b"ecdsa-sha2-nistp384",
        Curve::P521 => b"ecdsa-sha2-nistp521",
    }
}

/// The blob of a signature.
struct Signature<'a> {
    key: &'a [u8],
    namespace: &'a [u8],
    reserved: &'a [u8],
    hash: &'a [u8],
    value: &'a [u8],
}

impl<'a> Signature<'a> {
    fn read(blob: &'a [u8]) -> Result<Self, &'static str> {
        let mut bytes = Bytes(blob);
        if bytes.take(MAGIC.len())? != MAGIC || bytes.u32()? != 1 {
            return Err("it is not of version 1");
        }
        let signature = Self {
            key: bytes.string()?,
            namespace: bytes.string()?,
            reserved: bytes.string()?,
            hash: bytes.string()?,
            value: bytes.string()?,
        };
        match bytes.is_empty() {
            true => Ok(signature),
            false => Err("it is longer than it says"),
        }
    }

    /// `"SSHSIG" || namespace || reserved || name of hash || hash(payload)`
    fn message(&self, payload: &[u8]) -> Result<Vec<u8>, &'static str> {
        let hash = match self.hash {
            b"sha256" => Hash::Sha256,
            b"sha512" => Hash::Sha512,
            _ => return Err("its hash is not SHA-256 or SHA-512"),
        };
        let digest = hash.of(payload).unwrap_or_default();
        let mut message = MAGIC.to_vec();
        for part in [self.namespace, self.reserved, self.hash, &digest] {
            let length = u32::try_from(part.len()).map_err(|_| "it is too long")?;
            message.extend_from_slice(&length.to_be_bytes());
            message.extend_from_slice(part);
        }
        Ok(message)
    }
}

/// Who signed `payload` at `time`, as known from the lines of allowed signers.
pub(super) fn verify(
    allowed: &[AllowedSigner],
    payload: &[u8],
    text: &str,
    time: Option<i64>,
) -> Result<Verified, Problem> {
    let blob = armor::only(text, LABEL).map_err(Problem::Unreadable)?;
    let signature = Signature::read(&blob).map_err(Problem::Unreadable)?;
    let digest = BASE64_STANDARD_NO_PAD.encode(Sha256::digest(signature.key));
    let fingerprint = format!("SHA256:{digest}");
    let lines: Vec<_> = allowed
        .iter()
        .filter(|line| line.key == signature.key)
        .collect();
    if lines.is_empty() {
        return Err(Problem::UnknownKey {
            signer: format!("SSH key {fingerprint}"),
            store: Store::Signers,
        });
    }
    let names = |lines: &[&AllowedSigner]| -> Vec<Principals> {
        lines.iter().map(|line| line.principals.clone()).collect()
    };
    let signer = |principals| Signer::Ssh {
        fingerprint: fingerprint.clone(),
        principals,
    };
    let invalid = |problem| Problem::Invalid {
        signer: signer(names(&lines)).to_string(),
        problem,
    };
    holds(&signature, payload).map_err(invalid)?;
    let in_force: Vec<_> = lines
        .iter()
        .copied()
        .filter(|line| line.counts(time))
        .collect();
    if in_force.is_empty() {
        return Err(invalid("the key was not allowed for git at that time"));
    }
    let signer = signer(names(&in_force));
    Ok(Verified {
        signer,
        until: None,
    })
}

fn holds(signature: &Signature<'_>, payload: &[u8]) -> Result<(), &'static str> {
    let key = Key::read(signature.key)?;
    if signature.namespace != NAMESPACE.as_bytes() {
        return Err("it was made for another purpose than git");
    }
    match key.verifies(&signature.message(payload)?, signature.value)? {
        true => Ok(()),
        false => Err("it belongs to another content"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::algorithm::ed25519, *};

    const SEED: [u8; 32] = [7; 32];
    const HARDWARE: &[u8] = b"sk-ssh-ed25519@openssh.com";

    fn strings(parts: &[&[u8]]) -> Vec<u8> {
        let string =
            |part: &&[u8]| [&u32::try_from(part.len()).unwrap().to_be_bytes(), *part].concat();
        parts.iter().flat_map(string).collect()
    }

    #[test]
    fn a_key_in_hardware_signs_what_it_was_made_for_with_flags_and_counter() {
        let (application, message, flags_and_counter) = (b"ssh:", b"message", [1, 0, 0, 0, 9]);
        let signed = [
            &Sha256::digest(application)[..],
            &flags_and_counter,
            &Sha256::digest(message),
        ];
        let (public, signature) = ed25519(&SEED, &signed.concat());
        let key = Key::read(&strings(&[HARDWARE, &public, application])).unwrap();
        let whole = [&strings(&[HARDWARE, &signature])[..], &flags_and_counter].concat();
        assert_eq!(key.verifies(message, &whole), Ok(true));
        assert_eq!(key.verifies(b"another", &whole), Ok(false));
        let other_counter = [&strings(&[HARDWARE, &signature])[..], &[1, 0, 0, 0, 8]].concat();
        assert_eq!(key.verifies(message, &other_counter), Ok(false));
        let other = Key::read(&strings(&[HARDWARE, &public, b"ssh:other"])).unwrap();
        assert_eq!(other.verifies(message, &whole), Ok(false));
        assert!(
            key.verifies(message, &strings(&[HARDWARE, &signature]))
                .is_err()
        );
    }

    #[test]
    fn a_signature_of_another_kind_than_its_key_is_not_tried() {
        let (public, signature) = ed25519(&SEED, b"message");
        let key = Key::read(&strings(&[b"ssh-ed25519", &public])).unwrap();
        let of = |kind: &[u8]| key.verifies(b"message", &strings(&[kind, &signature]));
        assert_eq!(of(b"ssh-ed25519"), Ok(true));
        for kind in [HARDWARE, b"rsa-sha2-256", b"ssh-rsa", b""] {
            assert_eq!(of(kind), Err("it is of another algorithm than its key"));
        }
    }

    #[test]
    fn a_key_with_more_or_less_than_it_says_is_none() {
        let (public, _) = ed25519(&SEED, b"");
        let whole = strings(&[b"ssh-ed25519", &public]);
        assert!(Key::read(&whole).is_ok());
        assert!(Key::read(&[&whole[..], &[0]].concat()).is_err());
        for end in 0..whole.len() {
            assert!(Key::read(&whole[..end]).is_err(), "{end}");
        }
        let certificate = strings(&[b"ssh-ed25519-cert-v01@openssh.com", b""]);
        assert_eq!(
            Key::read(&certificate).err(),
            Some("not supported yet: certificates")
        );
    }
}
