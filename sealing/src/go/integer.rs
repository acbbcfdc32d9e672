//! Whole numbers of 64 bits in Go's notations: `16`, `0x10`, `0o20`, `020`, `0b1_0000`.
//! Writes none.

/// Why text is no whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotInt {
    /// It is not written as one.
    Syntax,
    /// Beyond the range, at this end of it.
    Range(i64),
}

/// Go's `ParseInt(text, base, 64)`. Base 0 reads it from a prefix and takes underscores between digits.
///
/// # Errors
/// See [`NotInt`].
pub fn parse_int(text: &str, base: u32) -> Result<i64, NotInt> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let limit = if negative { i64::MIN } else { i64::MAX };
    let magnitude = match parse_uint(digits, base) {
        Ok(magnitude) => magnitude,
        Err(NotInt::Syntax) => return Err(NotInt::Syntax),
        Err(NotInt::Range(_)) => return Err(NotInt::Range(limit)),
    };
    let signed = i128::from(magnitude) * if negative { -1 } else { 1 };
    i64::try_from(signed).map_err(|_| NotInt::Range(limit))
}

/// Go's `ParseUint(text, base, 64)`; see [`parse_int`].
///
/// # Errors
/// See [`NotInt`].
pub fn parse_uint(text: &str, base: u32) -> Result<u64, NotInt> {
    let (base, digits) = if base == 0 {
        prefixed(text)?
    } else {
        (base, text.to_owned())
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return Err(NotInt::Syntax);
    }
    u64::from_str_radix(&digits, base).map_err(|_| NotInt::Range(i64::MAX))
}

/// The base that a prefix names, and the digits without underscores.
fn prefixed(text: &str) -> Result<(u32, String), NotInt> {
    let (base, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    let misplaced = digits.ends_with('_')
        || digits.contains("__")
        || (digits.starts_with('_') && digits.len() == text.len());
    if misplaced {
        return Err(NotInt::Syntax);
    }
    Ok((base, digits.replace('_', "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_go_reads_them() {
        // Read off Go's own ParseInt and ParseUint.
        for (text, number) in [
            ("16", 16),
            ("+16", 16),
            ("-16", -16),
            ("-0", 0),
            ("0x1F", 31),
            ("0B11", 3),
            ("0o17", 15),
            ("017", 15),
            ("1_000", 1000),
            ("0_7", 7),
            ("0x_1", 1),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(parse_int(text, 0), Ok(number), "{text}");
        }
        for text in [
            "", "+", "-", "0x", "08", "1__0", "_1", "1_", "x", "--1", "1.0",
        ] {
            assert_eq!(parse_int(text, 0), Err(NotInt::Syntax), "{text}");
        }
        let beyond = "9223372036854775808";
        assert_eq!(parse_int(beyond, 0), Err(NotInt::Range(i64::MAX)));
        assert_eq!(
            parse_int("-9223372036854775809", 0),
            Err(NotInt::Range(i64::MIN))
        );
        assert_eq!(parse_uint(beyond, 0), Ok(1 << 63));
        assert_eq!(parse_uint("+1", 0), Err(NotInt::Syntax));
        assert_eq!(parse_int("1_0", 10), Err(NotInt::Syntax));
    }
}
