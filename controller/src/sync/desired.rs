//! What an Application wants in the cluster: its rendered manifests, normalised, stamped and hashed.
//! The value is made once per render key by `normalise::desired` and shared between passes; it knows nothing of live objects.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::key::ObjectKey;

/// One object as it will be applied.
#[derive(Clone, PartialEq)]
pub struct Wanted {
    /// Who it is.
    pub key: ObjectKey,
    /// Version of the `apiVersion` it is written in.
    pub version: String,
    /// Normalised and stamped with its tracking id: the exact body of the server-side apply.
    pub object: Value,
    /// Changes when, and only when, `object` changes.
    pub hash: WantedHash,
    /// Where it was written.
    pub origin: Origin,
}

/// The object may hold values of a plain Secret, so only its name and hash are shown.
impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wanted({} at {})", self.key, self.hash)
    }
}

/// SHA-256 over the normalised object's JSON, shortened to 16 bytes: long enough that two objects never meet by chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WantedHash(pub [u8; 16]);

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
    /// First line of the document, from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// All that an Application wants, and what was noticed while it was normalised.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Desired {
    /// Every object once.
    pub objects: BTreeMap<ObjectKey, Wanted>,
}
