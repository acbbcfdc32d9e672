//! A public key with its user IDs and subkeys (RFC 9580 §10.1), and what the signatures among them say it may do.
//! It must not trust what its primary key did not sign; whether to trust that one is the choice of who handed it over.

use super::{
    earlier,
    key::Key,
    packet::{Packet, packets},
    signature::{Signature, kind},
};

/// Tags of packets (§5).
mod tag {
    pub(super) const SIGNATURE: u8 = 2;
    pub(super) const SECRET_KEY: u8 = 5;
    pub(super) const PUBLIC_KEY: u8 = 6;
    pub(super) const SECRET_SUBKEY: u8 = 7;
    pub(super) const MARKER: u8 = 10;
    pub(super) const TRUST: u8 = 12;
    pub(super) const USER_ID: u8 = 13;
    pub(super) const PUBLIC_SUBKEY: u8 = 14;
}

/// A key that the cluster's admin handed over, with all that belongs to it.
#[derive(Clone, Debug)]
pub(in super::super) struct Certificate {
    primary: Member,
    subkeys: Vec<Member>,
}

/// A key of a certificate, and what was said of it.
#[derive(Clone, Debug)]
struct Member {
    key: Key,
    revoked: bool,
    /// Signed by the primary key; for the primary key itself by itself.
    statements: Vec<Statement>,
}

/// What a verified signature over a key says of it. Times are seconds since 1970.
#[derive(Clone, Debug)]
struct Statement {
    created: i64,
    expires: Option<i64>,
    key_expires: Option<i64>,
    may_sign: Option<bool>,
    /// By way of a user ID: what is said of the key itself goes first (§5.2.3.10).
    of_user: bool,
}

/// A key that may have made a signature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    certificate: &'a Certificate,
    member: &'a Member,
}

impl Certificate {
    /// All certificates of a block.
    pub(in super::super) fn read(block: &[u8]) -> Result<Vec<Self>, &'static str> {
        let packets = packets(block)?;
        let is_secret =
            |packet: &Packet<'_>| matches!(packet.tag, tag::SECRET_KEY | tag::SECRET_SUBKEY);
        if packets.iter().any(is_secret) {
            return Err("it holds a private key, and has to hold public keys only");
        }
        let mut certificates: Vec<Self> = Vec::new();
        for (about, signatures) in groups(&packets) {
            match (about.tag, certificates.last_mut()) {
                (tag::PUBLIC_KEY, _) => {
                    certificates.push(Self::new(Key::read(about.body)?, &signatures));
                }
                (_, None) => return Err("it does not begin with a public key"),
                (tag::USER_ID, Some(last)) => last.add_user(about.body, &signatures),
                (tag::PUBLIC_SUBKEY, Some(last)) => {
                    // A subkey of a kind that is not known here made no signature that is.
                    if let Ok(key) = Key::read(about.body) {
                        last.add_subkey(key, &signatures);
                    }
                }
                _ => {}
            }
        }
        Ok(certificates)
    }

    fn new(key: Key, signatures: &[Signature<'_>]) -> Self {
        let data: [&[u8]; 1] = [&key.hashed];
        let statements = signatures
            .iter()
            .filter(|signature| signature.kind == kind::DIRECT_KEY)
            .filter(|signature| is_by(&key, signature, &data))
            .filter_map(|signature| Statement::new(signature, &key, false))
            .collect();
        let primary = Member {
            revoked: holds_a(signatures, kind::KEY_REVOCATION),
            statements,
            key,
        };
        Self {
            primary,
            subkeys: Vec::new(),
        }
    }

    /// The newest statement about a user ID is the one that holds, also when it takes the user ID back.
    fn add_user(&mut self, user: &[u8], signatures: &[Signature<'_>]) {
        let key = &self.primary.key;
        let length = u32::try_from(user.len()).unwrap_or(u32::MAX).to_be_bytes();
        let data: [&[u8]; 4] = [&key.hashed, &[0xb4], &length, user];
        let newest = signatures
            .iter()
            .filter(|signature| {
                kind::CERTIFICATIONS.contains(&signature.kind)
                    || signature.kind == kind::CERTIFICATION_REVOCATION
            })
            .filter(|signature| is_by(key, signature, &data))
            .max_by_key(|signature| (signature.says.created, signature.kind));
        let statement = newest
            .filter(|signature| signature.kind != kind::CERTIFICATION_REVOCATION)
            .and_then(|signature| Statement::new(signature, key, true));
        self.primary.statements.extend(statement);
    }

    fn add_subkey(&mut self, key: Key, signatures: &[Signature<'_>]) {
        let data: [&[u8]; 2] = [&self.primary.key.hashed, &key.hashed];
        let statements = signatures
            .iter()
            .filter(|signature| signature.kind == kind::SUBKEY_BINDING)
            .filter(|signature| is_by(&self.primary.key, signature, &data))
            .filter_map(|signature| {
                let mut statement = Statement::new(signature, &key, false)?;
                if !agrees(&key, signature, &data) {
                    statement.may_sign = Some(false);
                }
                Some(statement)
            })
            .collect();
        self.subkeys.push(Member {
            revoked: holds_a(signatures, kind::SUBKEY_REVOCATION),
            statements,
            key,
        });
    }

    /// The keys of it that may have made the signature, by what that says itself.
    pub(super) fn candidates<'a>(
        &'a self,
        signature: &Signature<'_>,
    ) -> impl Iterator<Item = Candidate<'a>> {
        let members = std::iter::once(&self.primary).chain(&self.subkeys);
        members
            .filter(|member| signature.may_be_of(&member.key))
            .map(|member| Candidate {
                certificate: self,
                member,
            })
    }
}

/// Packets that say something, each with the signatures behind it.
fn groups<'a>(packets: &[Packet<'a>]) -> Vec<(Packet<'a>, Vec<Signature<'a>>)> {
    let mut groups: Vec<(Packet<'a>, Vec<Signature<'a>>)> = Vec::new();
    for packet in packets {
        match packet.tag {
            tag::MARKER | tag::TRUST => {}
            tag::SIGNATURE => {
                // One that can't be read says nothing that could be relied upon.
                let read = Signature::read(packet.body).ok();
                if let Some((_, signatures)) = groups.last_mut() {
                    signatures.extend(read);
                }
            }
            _ => groups.push((*packet, Vec::new())),
        }
    }
    groups
}

fn is_by(key: &Key, signature: &Signature<'_>, data: &[&[u8]]) -> bool {
    signature.may_be_of(key) && signature.is_of(key, data) == Ok(true)
}

/// A subkey for signing signs in turn that it belongs to its primary key; else anybody could adopt it (§5.2.1.9).
fn agrees(subkey: &Key, binding: &Signature<'_>, data: &[&[u8]]) -> bool {
    let embedded = binding.says.embedded.map(Signature::read);
    embedded.is_some_and(|embedded| {
        embedded.is_ok_and(|embedded| {
            embedded.kind == kind::PRIMARY_BINDING && embedded.is_of(subkey, data) == Ok(true)
        })
    })
}

/// One that can't be verified, made by somebody appointed for instance, is a doubt, and doubt is enough.
fn holds_a(signatures: &[Signature<'_>], revocation: u8) -> bool {
    signatures
        .iter()
        .any(|signature| signature.kind == revocation)
}

impl Statement {
    fn new(signature: &Signature<'_>, about: &Key, of_user: bool) -> Option<Self> {
        let says = &signature.says;
        let created = says.created?;
        Some(Self {
            created,
            expires: says.expires_after.map(|after| created + after),
            key_expires: says.key_expires_after.map(|after| about.created + after),
            may_sign: says.may_sign,
            of_user,
        })
    }
}

impl Member {
    /// Whether it may sign, and until when: as the newest statements say that are in force.
    fn holds(&self, now: i64) -> Result<(bool, Option<i64>), &'static str> {
        let newest = |of_user| {
            self.statements
                .iter()
                .filter(|statement| statement.of_user == of_user)
                .filter(|statement| statement.expires.is_none_or(|expires| expires > now))
                .max_by_key(|statement| statement.created)
        };
        let in_force: Vec<_> = [newest(false), newest(true)]
            .into_iter()
            .flatten()
            .collect();
        if in_force.is_empty() {
            return Err("the key has no valid signature of its own over it");
        }
        let first = |said: fn(&Statement) -> Option<i64>| in_force.iter().find_map(|s| said(s));
        let key_expires = first(|statement| statement.key_expires);
        if key_expires.is_some_and(|expires| expires <= now) {
            return Err("the key has expired");
        }
        let may_sign = in_force.iter().find_map(|statement| statement.may_sign);
        let ends = in_force.iter().map(|statement| statement.expires);
        // Keys of before flags existed may do what their algorithm can.
        Ok((may_sign.unwrap_or(true), ends.fold(key_expires, earlier)))
    }
}

impl<'a> Candidate<'a> {
    pub(super) fn key(&self) -> &'a Key {
        &self.member.key
    }

    pub(super) fn primary(&self) -> &'a Key {
        &self.certificate.primary.key
    }

    /// Until when a signature counts at `now` that it made when `signed`.
    pub(super) fn valid_until(&self, signed: i64, now: i64) -> Result<Option<i64>, &'static str> {
        let primary = &self.certificate.primary;
        if primary.revoked || self.member.revoked {
            return Err("the key is revoked");
        }
        if signed < self.member.key.created {
            return Err("it is older than its key");
        }
        let (_, of_primary) = primary.holds(now)?;
        let (may_sign, of_key) = self.member.holds(now)?;
        if !may_sign {
            return Err("the key is not for signing");
        }
        Ok(earlier(of_primary, of_key))
    }
}
