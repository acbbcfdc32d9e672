//! Signatures of OpenPGP, as `gpg` makes them for git: RFC 9580's keys and signatures of version 4.
//! Nothing here decrypts, and a private key is refused on sight.

mod certificate;
mod key;
mod packet;
mod signature;
#[cfg(test)]
mod tests;

pub(super) use certificate::Certificate;
pub use key::Fingerprint;

use super::{
    Verified, armor,
    problem::{Problem, Store},
    signer::Signer,
};
use signature::{Signature, kind};

/// What frames a signature.
pub(super) const LABEL: &str = "PGP SIGNATURE";
/// What frames keys.
const KEYS: &str = "PGP PUBLIC KEY BLOCK";

/// The keys of an armoured text.
pub(super) fn keys(text: &str) -> Result<Vec<Certificate>, &'static str> {
    let mut keys = Vec::new();
    for block in armor::all(text, KEYS)? {
        keys.extend(Certificate::read(&block)?);
    }
    match keys.is_empty() {
        true => Err("it holds no OpenPGP public key"),
        false => Ok(keys),
    }
}

/// Who signed `payload`, as known from `keys` at `now`.
pub(super) fn verify(
    keys: &[Certificate],
    payload: &[u8],
    text: &str,
    now: i64,
) -> Result<Verified, Problem> {
    let block = armor::only(text, LABEL).map_err(Problem::Unreadable)?;
    let signature = signature_of(&block).map_err(Problem::Unreadable)?;
    let mut candidates = keys
        .iter()
        .flat_map(|certificate| certificate.candidates(&signature))
        .peekable();
    if candidates.peek().is_none() {
        let by = signature.says.by.map(|fingerprint| fingerprint.key_id());
        let id = by.or(signature.says.by_id.map(hex));
        return Err(id.map_or(
            Problem::Unreadable("it does not say which key made it"),
            |id| Problem::UnknownKey {
                signer: format!("OpenPGP key {id}"),
                store: Store::Keys,
            },
        ));
    }
    // Two keys of one id are possible: the one that made it counts.
    let mut failed = Problem::Unreadable("it does not say which key made it");
    for candidate in candidates {
        let signer = Signer::OpenPgp {
            key: candidate.key().fingerprint,
            primary: candidate.primary().fingerprint,
        };
        match holds(&signature, &candidate, payload, now) {
            Ok(until) => return Ok(Verified { signer, until }),
            Err(problem) => {
                let signer = signer.to_string();
                failed = Problem::Invalid { signer, problem };
            }
        }
    }
    Err(failed)
}

fn signature_of(block: &[u8]) -> Result<Signature<'_>, &'static str> {
    match packet::packets(block)?.as_slice() {
        [packet] if packet.tag == 2 => Signature::read(packet.body),
        _ => Err("it is not one signature alone"),
    }
}

fn holds(
    signature: &Signature<'_>,
    candidate: &certificate::Candidate<'_>,
    payload: &[u8],
    now: i64,
) -> Result<Option<i64>, &'static str> {
    if signature.kind != kind::BINARY {
        return Err("it is not a signature over data");
    }
    if signature.is_by_sha1() {
        return Err("it was made with SHA-1, which is broken");
    }
    if !signature.is_of(candidate.key(), &[payload])? {
        return Err("it belongs to another content");
    }
    let made = signature.says.created.ok_or("it has no date")?;
    let expires = signature.says.expires_after.map(|after| made + after);
    if expires.is_some_and(|expires| expires <= now) {
        return Err("it has expired");
    }
    Ok(earlier(candidate.valid_until(made, now)?, expires))
}

/// The earlier of two ends; none is never.
fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn hex(id: [u8; 8]) -> String {
    id.iter().map(|byte| format!("{byte:02X}")).collect()
}
