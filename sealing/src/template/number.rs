//! Number, character and string literals: what Go's parser reads them as.
//! Calculates nothing.

use super::text::Text;
use crate::go::float::parse_float;
use crate::go::integer::{parse_int, parse_uint};

/// A number as it is written, and what it can be used as.
pub(super) struct Number {
    pub(super) text: String,
    pub(super) int: Option<i64>,
    pub(super) uint: Option<u64>,
    pub(super) float: Option<f64>,
}

/// What a number is where any type will do.
pub(super) enum Constant {
    Int(i64),
    Float(f64),
    Overflow,
}

impl Number {
    /// `'x'`: the number of the character.
    pub(super) fn of_character(literal: &str) -> Result<Self, String> {
        let invalid = || "invalid syntax".to_owned();
        let inner = literal.get(1..).ok_or_else(invalid)?;
        let (value, rest) = unescape(inner, '\'').ok_or_else(invalid)?;
        if rest != "'" {
            return Err(format!("malformed character constant: {literal}"));
        }
        let code = match value {
            Unescaped::Char(character) => u32::from(character),
            Unescaped::Byte(byte) => u32::from(byte),
        };
        Ok(Self {
            text: literal.to_owned(),
            int: Some(code.into()),
            uint: Some(code.into()),
            float: Some(code.into()),
        })
    }

    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "the conversions of Go's parser, which compares whether they lose anything"
    )]
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut int = parse_int(text, 0).ok();
        let mut uint = parse_uint(text, 0).ok();
        if int == Some(0) {
            uint = Some(0);
        }
        let mut float = int.map(|int| int as f64).or(uint.map(|uint| uint as f64));
        if float.is_none()
            && let Some(parsed) = parse_float(text)
        {
            if !text.contains(['.', 'e', 'E', 'p', 'P']) {
                return Err(format!("integer overflow: {text:?}"));
            }
            float = Some(parsed);
            int = (parsed as i64 as f64 == parsed).then_some(parsed as i64);
            uint = (parsed as u64 as f64 == parsed).then_some(parsed as u64);
        }
        if float.is_none() {
            return Err(format!("illegal number syntax: {text:?}"));
        }
        Ok(Self {
            text: text.to_owned(),
            int,
            uint,
            float,
        })
    }

    pub(super) fn constant(&self) -> Constant {
        let hexadecimal = self.text.starts_with("0x") || self.text.starts_with("0X");
        let is_int = self.text.starts_with('\'')
            || (hexadecimal && !self.text.contains(['p', 'P']))
            || !self.text.contains(['.', 'e', 'E', 'p', 'P']);
        match (self.int, self.float) {
            (_, Some(float)) if !is_int => Constant::Float(float),
            (Some(int), _) => Constant::Int(int),
            _ => Constant::Overflow,
        }
    }
}

enum Unescaped {
    Char(char),
    Byte(u8),
}

/// Go's `Unquote` of a literal in double quotes or backquotes.
pub(super) fn unquote(literal: &str) -> Option<Text> {
    let inner = literal.get(1..literal.len().checked_sub(1)?)?;
    if literal.starts_with('`') {
        return Some(inner.replace('\r', "").into());
    }
    let mut text = Vec::new();
    let mut rest = inner;
    while !rest.is_empty() {
        let (value, after) = unescape(rest, '"')?;
        match value {
            Unescaped::Char(character) => {
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Unescaped::Byte(byte) => text.push(byte),
        }
        rest = after;
    }
    Some(text.into())
}

/// Reads one character or escape of a literal in these quotes.
fn unescape(text: &str, quote: char) -> Option<(Unescaped, &str)> {
    let mut characters = text.chars();
    let first = characters.next()?;
    if first == quote {
        return None;
    }
    if first != '\\' {
        return Some((Unescaped::Char(first), characters.as_str()));
    }
    let escape = characters.next()?;
    let rest = characters.as_str();
    let simple = match escape {
        'a' => '\u{07}',
        'b' => '\u{08}',
        'f' => '\u{0c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{0b}',
        '\\' => '\\',
        '\'' | '"' if escape == quote => escape,
        _ => return numeric_escape(escape, rest),
    };
    Some((Unescaped::Char(simple), rest))
}

/// `\x41`, `\101`, `\u0041`, `\U00000041`.
fn numeric_escape(escape: char, rest: &str) -> Option<(Unescaped, &str)> {
    let (digits, after, base) = match escape {
        'x' => (rest.get(..2)?.to_owned(), &rest[2..], 16),
        'u' => (rest.get(..4)?.to_owned(), &rest[4..], 16),
        'U' => (rest.get(..8)?.to_owned(), &rest[8..], 16),
        '0'..='7' => (format!("{escape}{}", rest.get(..2)?), &rest[2..], 8),
        _ => return None,
    };
    if !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    let code = u32::from_str_radix(&digits, base).ok()?;
    let value = match escape {
        'u' | 'U' => Unescaped::Char(char::from_u32(code)?),
        _ => Unescaped::Byte(u8::try_from(code).ok()?),
    };
    Some((value, after))
}
