//! What the items of a Secret were rendered from, where rendering gives something else each time.
//! Tells by a digest whether values that exist came of it; the digest is no way back to them.

use std::collections::BTreeSet;
use std::fmt;

use aws_lc_rs::hmac;

use crate::secret_bytes::SecretBytes;

/// Items whose templates call a function such as `randAlphaNum` or `now`, and what they are made from.
#[derive(Clone)]
pub struct Rendering {
    items: BTreeSet<String>,
    /// Templates and opened items, each with its length before it.
    source: SecretBytes,
}

impl Rendering {
    /// Items that vary, and all keys and values that they were made from; `None` when no item varies.
    pub fn new<'a>(
        items: BTreeSet<String>,
        sources: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Option<Self> {
        if items.is_empty() {
            return None;
        }
        let mut source = Vec::new();
        for (key, value) in sources {
            for part in [key.as_bytes(), value] {
                push(&mut source, part);
            }
        }
        Some(Self {
            items,
            source: SecretBytes::from(source),
        })
    }

    /// The items that would be different the next time.
    #[must_use]
    pub fn items(&self) -> &BTreeSet<String> {
        &self.items
    }

    /// `hex(HMAC-SHA256(values, source))`: fits these values of the items, made from this source, and no others. Who
    /// can't read the values can't search for an item behind it either. `None` when a value is missing.
    #[must_use]
    pub fn digest<'a>(&self, value: impl Fn(&str) -> Option<&'a [u8]>) -> Option<String> {
        let mut values = Vec::new();
        for item in &self.items {
            push(&mut values, value(item)?);
        }
        let values = SecretBytes::from(values);
        let key = hmac::Key::new(hmac::HMAC_SHA256, values.expose());
        let digest = hmac::sign(&key, self.source.expose());
        Some(
            digest
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        )
    }
}

fn push(out: &mut Vec<u8>, part: &[u8]) {
    let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(part);
}

impl fmt::Debug for Rendering {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Rendering({:?})", self.items)
    }
}
