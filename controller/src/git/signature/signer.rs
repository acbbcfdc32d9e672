//! Who made a signature that holds.
//! It must not say whether that is enough: projects do.

use super::{openpgp::Fingerprint, principals::Principals};

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// A key of the keyring, or a subkey of it.
    OpenPgp {
        key: Fingerprint,
        primary: Fingerprint,
    },
    /// A key of the file of allowed signers, with the names of each line that it stands on.
    Ssh {
        fingerprint: String,
        principals: Vec<Principals>,
    },
}

impl std::fmt::Display for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::OpenPgp { key, primary } if key == primary => {
                write!(f, "OpenPGP key {}", key.key_id())
            }
            Self::OpenPgp { key, primary } => {
                let (key, primary) = (key.key_id(), primary.key_id());
                write!(f, "OpenPGP key {key} of {primary}")
            }
            Self::Ssh {
                fingerprint,
                principals,
            } => {
                let names: Vec<_> = principals.iter().map(Principals::to_string).collect();
                write!(f, "SSH key {fingerprint} of {}", names.join(","))
            }
        }
    }
}

/// An id of an OpenPGP key as projects write it: 16 hexadecimal digits, or the 40 of a fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// Reads an id.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match (text.len(), digits) {
            (16 | 40, true) => Ok(Self(text.to_ascii_uppercase())),
            _ => Err(format!(
                "found \"{text}\", expected the 16 digits of a key's id or the 40 of its fingerprint"
            )),
        }
    }

    /// Whether it means this key: a fingerprint is compared as a whole, an id with its end.
    #[must_use]
    pub fn means(&self, key: &Fingerprint) -> bool {
        key.to_string().ends_with(&self.0)
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_16_or_40_digits_in_any_case() {
        for (text, taken) in [
            ("4AEE18F83AFDEB23", true),
            ("4aee18f83afdeb23", true),
            ("5DE3E0509C47EA3CF04A42D34AEE18F83AFDEB23", true),
            ("3AFDEB23", false),
            ("0x4AEE18F83AFDEB23", false),
            ("4AEE18F83AFDEB2X", false),
            ("", false),
        ] {
            assert_eq!(KeyId::parse(text).is_ok(), taken, "{text}");
        }
    }
}
