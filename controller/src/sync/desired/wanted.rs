//! One wanted object: its body, its hash, where it was written and what its annotations ask for.
//! It is shown without its content, since that may be a plain Secret.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::dialect::{ApplyPolicy, ObjectPolicy, Refusal};
use crate::ignore::Ignored;
use crate::sync::key::ObjectKey;
use crate::sync::plan::Slot;

/// One object as it will be applied.
#[derive(Clone, PartialEq)]
pub struct Wanted {
    /// Who it is.
    pub key: ObjectKey,
    /// Version of the `apiVersion` it is written in, without the group.
    pub version: String,
    /// Normalised and stamped with its tracking id: the exact body of the server-side apply.
    pub object: Value,
    /// Changes when, and only when, `object` changes in what counts.
    pub hash: WantedHash,
    /// What of it does not count.
    pub ignored: Ignored,
    /// A manager whose fields become ours, beside kubectl and Argo CD.
    pub predecessor: Option<Arc<str>>,
    /// Where it was written.
    pub origin: Origin,
    /// What its annotations ask for, or what in it is not accepted: then it is not applied.
    pub policy: Result<ObjectPolicy, Vec<Refusal>>,
    /// When it is applied: in its own wave, or earlier when something earlier needs it.
    pub slot: Slot,
}

impl Wanted {
    /// How it is written. What is refused is not written at all.
    pub(in crate::sync) fn apply_policy(&self) -> ApplyPolicy {
        let policy = self.policy.as_ref();
        policy.map(|policy| policy.apply).unwrap_or_default()
    }

    pub(in crate::sync) fn own_slot(&self) -> Slot {
        Slot::sync(self.policy.as_ref().map_or(0, |policy| policy.wave))
    }
}

/// The object may hold values of a plain Secret, so only its name and hash are shown.
impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wanted({} at {})", self.key, self.hash)
    }
}

/// SHA-256 over the JSON of what counts of the normalised object, shortened to 16 bytes: long enough that two objects never meet by chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantedHash(pub [u8; 16]);

impl WantedHash {
    /// The hash of a normalised object.
    pub fn of(object: &Value) -> Self {
        let digest = Sha256::digest(object.to_string());
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest[..16]);
        Self(hash)
    }
}

impl fmt::Display for WantedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Where a manifest stands in the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Path of the file, from the repository's root.
    pub file: String,
    /// Which document of the file, from 1.
    pub document: usize,
    /// First line of the document, from 1; none where a program wrote it.
    pub line: Option<usize>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            document,
            line,
        } = self;
        match line {
            Some(line) => write!(f, "{file}: document {document}, line {line}"),
            None => write!(f, "{file}: document {document}"),
        }
    }
}
