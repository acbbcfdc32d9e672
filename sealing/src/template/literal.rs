//! Literals of a template as they are written: where they end, and whether Go would take them.
//! The engine takes more escapes than Go.

/// Length of the quoted literal that `text` begins with, quotes included.
pub(super) fn length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.first()?;
    let mut position = 1;
    loop {
        match *bytes.get(position)? {
            b'\\' if quote != b'`' => position += 2,
            byte if byte == quote => return Some(position + 1),
            _ => position += 1,
        }
    }
}

/// The literal that the text begins with: quoted, or a number.
pub(super) fn at_start(text: &str) -> &str {
    let quoted = text.starts_with(['"', '`', '\'']);
    let length = if quoted {
        length(text)
    } else {
        text.find(|character: char| character.is_whitespace() || "|)},:".contains(character))
    };
    &text[..length.unwrap_or(text.len())]
}

/// Whether the escapes of a double-quoted literal are ones that Go knows.
pub(super) fn has_valid_escapes(literal: &str) -> bool {
    if !literal.starts_with('"') {
        return true;
    }
    let mut rest = literal;
    while let Some(found) = rest.find('\\') {
        rest = &rest[found + 1..];
        let Some(after) = after_escape(rest) else {
            return false;
        };
        rest = after;
    }
    true
}

/// What follows the escape that `text`, behind its backslash, begins with.
fn after_escape(text: &str) -> Option<&str> {
    let (kind, rest) = text.split_at_checked(1)?;
    let (digits, base, longest) = match kind {
        "a" | "b" | "f" | "n" | "r" | "t" | "v" | "\\" | "\"" => return Some(rest),
        "x" => (rest.get(..2)?, 16, 0xff),
        "u" => (rest.get(..4)?, 16, 0xffff),
        "U" => (rest.get(..8)?, 16, 0x0010_ffff),
        _ => (text.get(..3)?, 8, 0xff),
    };
    let is_number = digits.chars().all(|digit| digit.is_digit(base));
    let number = u32::from_str_radix(digits, base)
        .ok()
        .filter(|_| is_number)?;
    let is_character = matches!(kind, "u" | "U");
    if number > longest || (is_character && char::from_u32(number).is_none()) {
        return None;
    }
    let start = if base == 8 { 0 } else { 1 };
    text.get(start + digits.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_go() {
        for good in [
            r#""""#,
            r#""\a\b\f\n\r\t\v\\\"""#,
            r#""\x41\101\u00e9\U0001F600""#,
            r"`\q`",
            "'\\''",
        ] {
            assert!(has_valid_escapes(good), "{good}");
        }
        for bad in [
            r#""\q""#,
            r#""\'""#,
            r#""\x4""#,
            r#""\400""#,
            r#""\ud800""#,
            r#""\U00110000""#,
            r#""\ ""#,
            r#""\x+1""#,
        ] {
            assert!(!has_valid_escapes(bad), "{bad}");
        }
    }
}
