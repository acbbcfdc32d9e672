//! Whose signatures the cluster knows: the OpenPGP keys and the allowed SSH signers that its admins handed over.
//! It must not fetch them; and none of them may do anything before a project lists it.

use std::collections::BTreeMap;

use super::{
    Signed, Verified,
    allowed_signers::{self, AllowedSigner},
    openpgp::{self, Certificate},
    problem::{Problem, Store},
    ssh,
};

/// Public keys, and what was found among them that is none.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    keys: Vec<Certificate>,
    signers: Vec<AllowedSigner>,
    unread_keys: Vec<String>,
    unread_signers: Vec<String>,
}

impl Trust {
    /// Reads armoured keys by the names of their entries, and a file of allowed signers.
    #[must_use]
    pub fn read(keys: &BTreeMap<String, String>, signers: &str) -> Self {
        let mut trust = Self::default();
        for (name, text) in keys {
            match openpgp::keys(text) {
                Ok(keys) => trust.keys.extend(keys),
                Err(problem) => trust.unread_keys.push(format!("{name}: {problem}")),
            }
        }
        (trust.signers, trust.unread_signers) = allowed_signers::parse(signers);
        trust
    }

    /// What of a store could not be read, by entry or line: there a key may stand that is missing.
    #[must_use]
    pub fn unread(&self, store: Store) -> &[String] {
        match store {
            Store::Keys => &self.unread_keys,
            Store::Signers => &self.unread_signers,
        }
    }

    /// Who signed, and until when that counts. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// When nobody did whom the cluster knows, or the signature does not hold.
    pub fn verify(&self, signed: &Signed, now: i64) -> Result<Verified, Problem> {
        let text = signed.signature.as_deref().ok_or(Problem::NotSigned)?;
        let begins = |label: &str| text.starts_with(&format!("-----BEGIN {label}-----"));
        if begins(openpgp::LABEL) {
            openpgp::verify(&self.keys, &signed.payload, text, now)
        } else if begins(ssh::LABEL) {
            ssh::verify(&self.signers, &signed.payload, text, signed.time)
        } else {
            Err(Problem::Unreadable("it is neither of OpenPGP nor of SSH"))
        }
    }
}
