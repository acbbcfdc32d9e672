//! Bytes as text without loss: the template engine's strings are UTF-8, Go's are bytes.
//! The same idea as Python's surrogateescape; knows no template.

use std::borrow::Cow;

/// A byte `b` from 0x80 up that is not part of UTF-8 stands as the character `ESCAPE_BASE + b`: U+10FF80 to U+10FFFF,
/// the last private-use characters.
const ESCAPE_BASE: u32 = 0x0010_FF00;

/// Bytes to text. Real characters of the escape range have their bytes escaped, so that nothing is ambiguous.
pub(super) fn encode(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(is_escape) => Cow::Borrowed(text),
        _ => Cow::Owned(encode_slowly(bytes)),
    }
}

fn encode_slowly(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_escape(character) {
                let mut buffer = [0; 4];
                text.extend(character.encode_utf8(&mut buffer).bytes().map(escape));
            } else {
                text.push(character);
            }
        }
        text.extend(chunk.invalid().iter().copied().map(escape));
    }
    text
}

/// Text to the bytes that it was made from.
pub(super) fn decode(text: &str) -> Cow<'_, [u8]> {
    if !text.chars().any(is_escape) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(u32::from(character).wrapping_sub(ESCAPE_BASE)) {
            Ok(byte) if is_escape(character) => bytes.push(byte),
            _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

fn escape(byte: u8) -> char {
    char::from_u32(ESCAPE_BASE + u32::from(byte))
        .expect("invariant: U+10FF00 to U+10FFFF are characters")
}

/// Whether a character stands for a byte.
pub(super) fn is_escape(character: char) -> bool {
    u32::from(character) >= ESCAPE_BASE + 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive_and_text_is_untouched() {
        assert_eq!(encode("grüße".as_bytes()), "grüße");
        for bytes in [
            &b"\xff\xfea\x80\xc3"[..],
            "a\u{10FF85}\u{10FFFF}b".as_bytes(),
            b"",
            &[0xf4, 0x8f, 0xbe],
        ] {
            assert_eq!(&*decode(&encode(bytes)), bytes);
        }
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        assert_eq!(&*decode(&encode(&all)), all.as_slice());
    }

    #[test]
    fn pieces_joined_as_text_are_the_joined_bytes() {
        let (left, right) = (&b"\xe6\x97"[..], &b"\xa5"[..]);
        let joined = format!("{}{}", encode(left), encode(right));
        assert_eq!(&*decode(&joined), "日".as_bytes());
    }
}
