//! Booleans in Go's spellings.
//! Knows nothing of YAML, which has others.

/// Go's `ParseBool`. `None` for any other text.
#[must_use]
pub fn parse(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
