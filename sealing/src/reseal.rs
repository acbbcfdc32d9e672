//! SealedSecret to the same SealedSecret under another key, item by item.
//! Renders no template and gives out nothing but ciphertext.

use std::collections::BTreeMap;

use crds::SealedSecret;
use rand_core::TryCryptoRng;

use crate::certificate::Certificate;
use crate::envelope::{EnvelopeError, seal_value};
use crate::keyring::Keyring;
use crate::unseal::{label_of, open_items};
use crate::unseal_error::{ItemErrors, UnsealError};

/// Why a SealedSecret can't be resealed.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// An item can't be opened.
    #[error("{0}")]
    Unseal(UnsealError),
    /// An item can't be sealed again.
    #[error("cannot seal item {item}")]
    Item {
        /// Key of the item.
        item: String,
        /// What went wrong.
        #[source]
        source: EnvelopeError,
    },
}

impl From<ItemErrors> for ResealError {
    fn from(errors: ItemErrors) -> Self {
        Self::Unseal(UnsealError::Items(errors))
    }
}

/// Seals each item of `spec.encryptedData` again under the `current` certificate; an item that is on that key already
/// is returned as it is, to the byte. The scope is that of the object's own metadata, so no value becomes readable in
/// a place where it was not before.
///
/// # Errors
/// When any item can't be opened, or the object has the deprecated `spec.data`, which has no items.
pub fn reseal<R: TryCryptoRng + ?Sized>(
    sealed: &SealedSecret,
    keyring: &Keyring,
    current: &Certificate,
    rng: &mut R,
) -> Result<BTreeMap<String, String>, ResealError> {
    if sealed.spec.data.is_some() {
        return Err(ResealError::Unseal(UnsealError::LegacyRefused));
    }
    let label = label_of(sealed);
    let mut resealed = sealed.spec.encrypted_data.clone();
    for (item, opened) in open_items(sealed, keyring)? {
        if opened.key != *current.fingerprint() {
            let value = seal_value(current.public_key(), &label, opened.plaintext.expose(), rng)
                .map_err(|source| ResealError::Item {
                    item: item.clone(),
                    source,
                })?;
            resealed.insert(item, value);
        }
    }
    Ok(resealed)
}
