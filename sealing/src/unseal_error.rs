//! What can go wrong while unsealing, in the words that upstream's users and scripts know.
//! Carries keys of items and positions, never plaintext, and never which key or scope would have worked.

use std::collections::BTreeMap;
use std::fmt;

use crate::base64::IllegalBase64;
use crate::template::TemplateError;

/// Why a SealedSecret can't be unsealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// Items failed.
    #[error("{0}")]
    Items(#[from] ItemErrors),
    /// Current and deprecated form at once.
    #[error(
        "cannot use the field 'encryptedData' and the deprecated field 'data' at the same time"
    )]
    BothDataFields,
    /// The deprecated form, where it is not accepted.
    #[error("using deprecated 'data' field, use 'encryptedData' or flip the feature flag")]
    LegacyRefused,
    /// The deprecated form can't be opened.
    #[error("{0}")]
    Legacy(ItemProblem),
    /// The deprecated form was opened and holds something else.
    #[error("the deprecated field 'data' does not hold a v1 Secret")]
    LegacySecret,
    /// `spec.template.metadata` is no metadata.
    #[error("spec.template.metadata is not the metadata of an object: {reason}")]
    TemplateMetadata {
        /// The place in it, and what was expected there.
        reason: String,
    },
}

/// What is wrong with one item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemProblem {
    /// Not base64.
    #[error("{0}")]
    Base64(IllegalBase64),
    /// Wrong key, scope, name or namespace, or damaged: which of them is not told.
    #[error("no key could decrypt secret")]
    NoKey,
    /// The template of this item does not parse or execute.
    #[error("{0}")]
    Template(TemplateError),
}

/// The problems of all items that failed. Displayed one per line, items with the same problem together, sorted:
/// `no key could decrypt secret (a, b)`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ItemErrors(BTreeMap<String, ItemProblem>);

impl ItemErrors {
    /// Item → what is wrong with it; never empty.
    #[must_use]
    pub fn items(&self) -> &BTreeMap<String, ItemProblem> {
        &self.0
    }

    /// All values, or all problems.
    pub(crate) fn collect<T>(
        results: impl Iterator<Item = (String, Result<T, ItemProblem>)>,
    ) -> Result<BTreeMap<String, T>, Self> {
        let mut values = BTreeMap::new();
        let mut problems = BTreeMap::new();
        for (item, result) in results {
            match result {
                Ok(value) => {
                    values.insert(item, value);
                }
                Err(problem) => {
                    problems.insert(item, problem);
                }
            }
        }
        if problems.is_empty() {
            Ok(values)
        } else {
            Err(Self(problems))
        }
    }
}

impl fmt::Display for ItemErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (item, problem) in &self.0 {
            groups.entry(problem.to_string()).or_default().push(item);
        }
        for (index, (message, items)) in groups.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(formatter, "{line_break}{message} ({})", items.join(", "))?;
        }
        Ok(())
    }
}
