//! Standard base64 with padding, accepting and refusing exactly what Go's decoder does.
//! Knows nothing of what the bytes mean.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::secret_bytes::SecretBytes;

/// RFC 4648 §4. Non-zero unused bits in the last character are accepted, as Go accepts them.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// Text that is not base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("illegal base64 data at input byte {offset}")]
pub struct IllegalBase64 {
    /// 0-based offset of the offending character, counted as Go's `encoding/base64` counts it.
    pub offset: usize,
}

/// Encodes with padding and without line breaks.
pub(crate) fn encode(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}

/// Decodes; carriage returns and line feeds anywhere are ignored.
///
/// # Errors
/// Another alphabet, missing padding, spaces, and anything after the padding.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, IllegalBase64> {
    // Base64 of a secret is a secret: the copy is wiped, and has its size from the start so that it never moves.
    let mut joined = Zeroizing::new(Vec::new());
    let digits = if text.iter().any(|byte| is_line_break(*byte)) {
        joined.reserve_exact(text.len());
        joined.extend(text.iter().copied().filter(|byte| !is_line_break(*byte)));
        joined.as_slice()
    } else {
        text
    };
    ENGINE.decode(digits).map_err(|_| IllegalBase64 {
        offset: go_offset(text),
    })
}

/// Decodes a secret as `decode` does.
///
/// # Errors
/// What is not base64 as Go's decoder takes it.
pub fn decode_base64(text: &[u8]) -> Result<SecretBytes, IllegalBase64> {
    decode(text).map(SecretBytes::from)
}

fn is_line_break(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'
}

/// Where Go says that illegal `text` goes wrong: at the offending character; for text that ends inside a quantum, the
/// start of that quantum; for a single `=` where two are wanted, the end of the text.
fn go_offset(text: &[u8]) -> usize {
    let mut position = 0;
    let mut filled = 0;
    while let Some(&byte) = text.get(position) {
        position += 1;
        if is_digit(byte) {
            filled = (filled + 1) % 4;
        } else if byte == b'=' && filled >= 2 {
            return offset_after_padding(text, position, filled);
        } else if !is_line_break(byte) {
            return position - 1;
        }
    }
    position - filled
}

/// The offset for text whose first `=`, the one just before `position`, came after `filled` digits of a quantum.
fn offset_after_padding(text: &[u8], position: usize, filled: usize) -> usize {
    let mut position = skip_line_breaks(text, position);
    if filled == 2 {
        match text.get(position) {
            None => return text.len(),
            Some(b'=') => position += 1,
            Some(_) => return position - 1,
        }
    }
    skip_line_breaks(text, position)
}

fn skip_line_breaks(text: &[u8], from: usize) -> usize {
    from + text[from..]
        .iter()
        .take_while(|byte| is_line_break(**byte))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_are_ignored_and_unused_bits_are_free() {
        assert_eq!(decode(b"aGVs\r\nbG8=\n").as_deref(), Ok(&b"hello"[..]));
        assert_eq!(decode(b"aGVsbG9=").as_deref(), Ok(&b"hello"[..]));
        assert_eq!(decode(b"").as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn the_offset_is_the_one_go_reports() {
        // Expected numbers were read off Go's own decoder.
        for (text, offset) in [
            ("NOTVALIDBASE64", 12),
            ("QUI", 0),
            ("A", 0),
            ("!!!", 0),
            ("aGVs bG8=", 4),
            ("=", 0),
            ("A=", 1),
            ("AB=", 3),
            ("AB=C", 2),
            ("ABC=DEFG", 4),
            ("AB==DEFG", 4),
            ("-QAr", 0),
            ("AB\nC", 1),
            ("AB=\n", 4),
            ("AB\n=", 4),
            ("AB\n=\n=\nX", 7),
            ("ABC\n", 1),
            ("ABCDE\nF", 5),
        ] {
            assert_eq!(
                decode(text.as_bytes()),
                Err(IllegalBase64 { offset }),
                "{text:?}"
            );
        }
    }
}
