//! Text and characters between quotes, with what does not print escaped, as Go's `%q` shows them.
//! Reads none: that is `unquote` of the templates.

use super::unicode::is_print;

/// Go's `%q` of a string, which need not be UTF-8.
#[must_use]
pub fn quote(text: impl AsRef<[u8]>) -> String {
    let mut quoted = String::from('"');
    for chunk in text.as_ref().utf8_chunks() {
        for character in chunk.valid().chars() {
            push(&mut quoted, character, '"');
        }
        for byte in chunk.invalid() {
            quoted.push_str(&format!("\\x{byte:02x}"));
        }
    }
    quoted.push('"');
    quoted
}

/// Go's `%q` of a character.
#[must_use]
pub fn quote_char(character: char) -> String {
    let mut quoted = String::from('\'');
    push(&mut quoted, character, '\'');
    quoted.push('\'');
    quoted
}

/// A character as it stands in a literal of Go between these quotes.
fn push(out: &mut String, character: char, quote: char) {
    match character {
        '\\' => out.push_str("\\\\"),
        _ if character == quote => {
            out.push('\\');
            out.push(character);
        }
        '\u{07}' => out.push_str("\\a"),
        '\u{08}' => out.push_str("\\b"),
        '\u{0c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{0b}' => out.push_str("\\v"),
        _ if is_print(character) => out.push(character),
        '\0'..='\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(character))),
        '\u{80}'..='\u{ffff}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
        _ => out.push_str(&format!("\\U{:08x}", u32::from(character))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_is_that_of_go() {
        // Read off Go's own %q.
        for (bytes, wanted) in [
            (
                "a\u{301}\u{200b}\u{1}é日\u{a0}\u{1f600}\u{feff}".as_bytes(),
                "\"a\u{301}\\u200b\\x01é日\\u00a0\u{1f600}\\ufeff\"",
            ),
            (b"\xff\x00\x7f\xe2\x80\xa8", r#""\xff\x00\x7f\u2028""#),
            (b"a\"\\\n", r#""a\"\\\n""#),
        ] {
            assert_eq!(quote(bytes), wanted);
        }
        assert_eq!(quote_char('\''), r"'\''");
    }
}
