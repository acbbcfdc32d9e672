//! A scalar that was not quoted, and that YAML 1.1 reads as something else than the text that stands there.
//! Must not hold the text itself: it may be a secret.

/// Where it stands, for a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Respelled {
    /// Line in the whole input, from 1.
    pub(crate) line: usize,
    /// Path such as `stringData.pin`.
    pub(crate) field: String,
    /// What it is to YAML.
    pub(crate) noun: &'static str,
}

impl Respelled {
    /// What to tell the user about it.
    pub(crate) fn warning(&self) -> String {
        format!(
            "{} is {} to YAML and is read in another spelling; put it in quotes to keep it as written",
            self.field, self.noun
        )
    }
}
