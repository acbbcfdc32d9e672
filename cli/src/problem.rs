//! What can be wrong with a value that is well-formed YAML, and what helps.
//! Must not quote the value: it may be a secret.

/// A fault and where it is.
#[derive(Debug, PartialEq)]
pub(crate) struct Problem {
    /// Line in the whole input, from 1.
    pub(crate) line: usize,
    pub(crate) fault: Fault,
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("expected a mapping")]
    NoMapping,
    #[error("merges too many entries")]
    TooManyMerged,
    #[error("larger than a Secret can be after aliases are expanded")]
    TooLarge,
    #[error("a key is not text")]
    Key,
    #[error("{found}, expected one value")]
    NoScalar { found: &'static str },
    #[error("!!binary is not base64 of UTF-8 text")]
    Binary,
    /// As kubeseal says it.
    #[error("document contains excessive aliasing")]
    Aliasing,
    /// As kubeseal has it: keys are text otherwise.
    #[error("a key is null")]
    NullKey,
    /// As kubeseal says it of numbers that JSON does not have.
    #[error("json: unsupported value: {0}")]
    Unsupported(String),
}

impl Fault {
    pub(crate) fn at(self, line: usize) -> Problem {
        Problem { line, fault: self }
    }

    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoMapping => "a mapping is lines of `name: value`; `<<` takes in mappings only",
            Self::TooManyMerged | Self::TooLarge | Self::Aliasing => {
                "write it out without aliases; a Secret holds 1 MiB at most"
            }
            Self::Key | Self::NullKey => "put the key in quotes",
            Self::NoScalar { .. } => "write the value out in place of the alias",
            Self::Binary => "put base64 under data, and without a tag",
            Self::Unsupported(_) => "put it in quotes",
        };
        Some(hint.to_owned())
    }
}
