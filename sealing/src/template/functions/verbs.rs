//! What a verb of `printf` makes of a value, as Go's fmt does.
//! Knows nothing of formats: that is `printf`.

use super::floats::{general, scientific};
use super::{CallError, TooLong, Value, check_length, display};
use crate::go::float::float64_text;
use crate::go::quote::{quote, quote_char};
use crate::go::unicode::is_print;
use crate::template::value::IntType;

/// Deepest nesting that is printed: a dict can hold itself.
const MAX_DEPTH: usize = 200;

/// Flags, width and precision of a directive.
#[derive(Clone, Copy, Default)]
pub(super) struct Options {
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    /// `%#v`.
    pub(super) go_syntax: bool,
    /// `%+v`.
    pub(super) field_names: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

type Printed = Result<(), CallError>;

/// Prints a value; `depth` counts the lists and maps around it.
pub(super) fn print(
    out: &mut Vec<u8>,
    value: &Value,
    verb: char,
    options: Options,
    depth: usize,
) -> Printed {
    if depth > MAX_DEPTH {
        return Err(TooLong.into());
    }
    check_length(Some(out.len()))?;
    if verb == 'T' {
        pad(out, value.type_name().as_bytes(), options);
        return Ok(());
    }
    if has_string_method(value) && "vsxXq".contains(verb) {
        return string(out, value, &display(value)?, verb, options);
    }
    match value {
        Value::Nil if depth > 0 && options.go_syntax => out.extend(b"interface {}(nil)"),
        Value::Nil if depth > 0 => out.extend(b"<nil>"),
        Value::Nil if verb == 'v' => pad(out, b"<nil>", options),
        Value::Bool(flag) if "tv".contains(verb) => pad(out, flag.to_string().as_bytes(), options),
        Value::Int(number, int) => return integer(out, value, *number, *int, verb, options),
        Value::Float(float) => return real(out, value, *float, verb, options),
        Value::Text(text) => return string(out, value, text, verb, options),
        Value::List(list) => {
            let items = list.items().iter().map(|item| (None, item));
            return elements(out, value, items, verb, options, depth);
        }
        Value::Dict(_) | Value::Texts(_) => {
            let entries = value.entries().unwrap_or_default();
            let entries: Vec<(Value, Value)> = entries
                .into_iter()
                .map(|(key, item)| (Value::Text(key), item))
                .collect();
            let items = entries.iter().map(|(key, item)| (Some(key), item));
            return elements(out, value, items, verb, options, depth);
        }
        Value::Certificate(certificate) => {
            let fields = [certificate.cert.clone(), certificate.key.clone()].map(Value::Text);
            return structure(
                out,
                value,
                ["Cert", "Key"].into_iter().zip(&fields),
                verb,
                options,
                depth,
            );
        }
        _ => return bad_verb(out, value, verb, options),
    }
    Ok(())
}

/// Types that say themselves how they read.
fn has_string_method(value: &Value) -> bool {
    matches!(
        value,
        Value::Time(_)
            | Value::Version(_)
            | Value::Int(_, IntType::Duration | IntType::Month | IntType::Weekday)
    )
}

fn bad_verb(out: &mut Vec<u8>, value: &Value, verb: char, options: Options) -> Printed {
    out.extend(format!("%!{verb}(").bytes());
    if matches!(value, Value::Nil) {
        out.extend(b"<nil>");
    } else {
        out.extend(format!("{}=", value.type_name()).bytes());
        match value {
            Value::Bool(_) | Value::Int(..) | Value::Float(_) | Value::Text(_) => {
                print(out, value, 'v', options, 0)?;
            }
            other => out.extend_from_slice(&display(other)?),
        }
    }
    out.push(b')');
    Ok(())
}

/// Pads with spaces to the width, or with zeros to the left.
fn pad(out: &mut Vec<u8>, text: &[u8], options: Options) {
    let length = super::super::text::runes(text).count();
    let missing = options.width.unwrap_or(0).saturating_sub(length);
    if options.minus {
        out.extend_from_slice(text);
        out.extend(std::iter::repeat_n(b' ', missing));
    } else {
        let padding = if options.zero { b'0' } else { b' ' };
        out.extend(std::iter::repeat_n(padding, missing));
        out.extend_from_slice(text);
    }
}

fn without_zero(options: Options) -> Options {
    Options {
        zero: false,
        ..options
    }
}

fn elements<'v>(
    out: &mut Vec<u8>,
    value: &Value,
    items: impl Iterator<Item = (Option<&'v Value>, &'v Value)>,
    verb: char,
    options: Options,
    depth: usize,
) -> Printed {
    let is_map = value.kind() == "map";
    let (open, between, close) = match (options.go_syntax, is_map) {
        (true, _) => (format!("{}{{", value.type_name()), ", ", "}"),
        (false, true) => ("map[".to_owned(), " ", "]"),
        (false, false) => ("[".to_owned(), " ", "]"),
    };
    if options.go_syntax && matches!(value, Value::List(list) if list.is_nil()) {
        out.extend(format!("{}(nil)", value.type_name()).bytes());
        return Ok(());
    }
    out.extend(open.bytes());
    for (index, (key, item)) in items.enumerate() {
        out.extend(if index == 0 { "" } else { between }.bytes());
        if let Some(key) = key {
            print(out, key, verb, options, depth + 1)?;
            out.push(b':');
        }
        print(out, item, verb, options, depth + 1)?;
    }
    out.extend(close.bytes());
    Ok(())
}

fn structure<'v>(
    out: &mut Vec<u8>,
    value: &Value,
    fields: impl Iterator<Item = (&'v str, &'v Value)>,
    verb: char,
    options: Options,
    depth: usize,
) -> Printed {
    let name = if options.go_syntax {
        value.type_name()
    } else {
        ""
    };
    out.extend(format!("{name}{{").bytes());
    for (index, (name, field)) in fields.enumerate() {
        let between = if options.go_syntax { ", " } else { " " };
        out.extend(if index == 0 { "" } else { between }.bytes());
        if options.go_syntax || options.field_names {
            out.extend(format!("{name}:").bytes());
        }
        print(out, field, verb, options, depth + 1)?;
    }
    out.push(b'}');
    Ok(())
}

fn string(out: &mut Vec<u8>, value: &Value, text: &[u8], verb: char, options: Options) -> Printed {
    match verb {
        'v' if options.go_syntax => pad(out, quote(cut(text, options)).as_bytes(), options),
        'v' | 's' => pad(out, cut(text, options), options),
        'q' => {
            let text = cut(text, options);
            let shown = match std::str::from_utf8(text) {
                Ok(plain) if options.sharp && can_backquote(plain) => format!("`{plain}`"),
                _ if options.plus => ascii(&quote(text)),
                _ => quote(text),
            };
            pad(out, shown.as_bytes(), options);
        }
        'x' | 'X' => {
            let length = options.precision.unwrap_or(text.len()).min(text.len());
            let shown = hexadecimal(&text[..length], verb == 'X', options);
            let options = Options {
                zero: options.zero && !options.minus,
                ..options
            };
            pad(out, shown.as_bytes(), options);
        }
        _ => return bad_verb(out, value, verb, options),
    }
    Ok(())
}

/// The first characters, as many as the precision says.
fn cut(text: &[u8], options: Options) -> &[u8] {
    let Some(limit) = options.precision else {
        return text;
    };
    let mut position = 0;
    for chunk in text.utf8_chunks() {
        let valid = chunk.valid().chars().map(char::len_utf8);
        let lengths = valid.chain(chunk.invalid().iter().map(|_| 1));
        for (count, length) in lengths.enumerate() {
            if count >= limit {
                return &text[..position];
            }
            position += length;
        }
        if position < text.len() {
            let rest = Options {
                precision: Some(
                    limit.saturating_sub(super::super::text::runes(&text[..position]).count()),
                ),
                ..options
            };
            let more = cut(&text[position..], rest).len();
            return &text[..position + more];
        }
    }
    text
}

fn can_backquote(text: &str) -> bool {
    text.chars().all(|character| {
        !matches!(character, '`' | '\u{7f}' | '\u{feff}') && (character == '\t' || character >= ' ')
    })
}

/// A quoted text with everything beyond ASCII escaped.
fn ascii(quoted: &str) -> String {
    let mut out = String::new();
    for character in quoted.chars() {
        match u32::from(character) {
            0..=0x7f => out.push(character),
            code @ 0x80..=0xffff => out.push_str(&format!("\\u{code:04x}")),
            code => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out
}

fn hexadecimal(bytes: &[u8], upper: bool, options: Options) -> String {
    let mut out = String::new();
    for (index, byte) in bytes.iter().enumerate() {
        if options.space && index > 0 {
            out.push(' ');
        }
        if options.sharp && (index == 0 || options.space) {
            out.push_str(if upper { "0X" } else { "0x" });
        }
        out.push_str(&if upper {
            format!("{byte:02X}")
        } else {
            format!("{byte:02x}")
        });
    }
    out
}

fn integer(
    out: &mut Vec<u8>,
    value: &Value,
    number: i64,
    int: IntType,
    verb: char,
    options: Options,
) -> Printed {
    let code = u32::try_from(number).ok().and_then(char::from_u32);
    let character = code.unwrap_or(char::REPLACEMENT_CHARACTER);
    match verb {
        'v' if options.go_syntax && int.is_unsigned() => {
            pad(out, format!("{number:#x}").as_bytes(), options);
        }
        'v' | 'd' | 'b' | 'o' | 'O' | 'x' | 'X' => digits(out, number, int, verb, options),
        'c' => pad(out, character.to_string().as_bytes(), options),
        'q' => {
            let shown = quote_char(character);
            let shown = if options.plus { ascii(&shown) } else { shown };
            pad(out, shown.as_bytes(), options);
        }
        'U' => {
            let precision = options.precision.unwrap_or(4).max(4);
            let mut shown = format!("U+{number:0precision$X}");
            if let Some(code) = code.filter(|code| options.sharp && is_print(*code)) {
                shown.push_str(&format!(" '{code}'"));
            }
            pad(out, shown.as_bytes(), without_zero(options));
        }
        _ => return bad_verb(out, value, verb, options),
    }
    Ok(())
}

fn digits(out: &mut Vec<u8>, number: i64, int: IntType, verb: char, options: Options) {
    let negative = number < 0 && !int.is_unsigned();
    let size = if negative {
        number.unsigned_abs()
    } else {
        number.cast_unsigned()
    };
    if options.precision == Some(0) && size == 0 {
        return pad(out, b"", without_zero(options));
    }
    let signed = negative || options.plus || options.space;
    let least = match (options.precision, options.width) {
        (Some(precision), _) => precision,
        (None, Some(width)) if options.zero && !options.minus => {
            width - usize::from(signed && width > 0)
        }
        _ => 0,
    };
    let text = match verb {
        'b' => format!("{size:b}"),
        'o' | 'O' => format!("{size:o}"),
        'x' => format!("{size:x}"),
        'X' => format!("{size:X}"),
        _ => size.to_string(),
    };
    let text = format!("{}{text}", "0".repeat(least.saturating_sub(text.len())));
    let prefix = match verb {
        'O' => "0o",
        'b' if options.sharp => "0b",
        'o' if options.sharp && !text.starts_with('0') => "0",
        'x' if options.sharp => "0x",
        'X' if options.sharp => "0X",
        _ => "",
    };
    let sign = match () {
        () if negative => "-",
        () if options.plus => "+",
        () if options.space => " ",
        () => "",
    };
    pad(
        out,
        format!("{sign}{prefix}{text}").as_bytes(),
        without_zero(options),
    );
}

fn real(out: &mut Vec<u8>, value: &Value, float: f64, verb: char, options: Options) -> Printed {
    let text = match (verb, options.precision) {
        _ if !float.is_finite() => float64_text(float),
        ('v' | 'g', None) => float64_text(float),
        ('G', None) => float64_text(float).to_uppercase(),
        ('v' | 'g', Some(precision)) => general(float, precision),
        ('G', Some(precision)) => general(float, precision).to_uppercase(),
        ('e', precision) => scientific(float, precision.unwrap_or(6)),
        ('E', precision) => scientific(float, precision.unwrap_or(6)).to_uppercase(),
        ('f' | 'F', precision) => format!("{float:.*}", precision.unwrap_or(6)),
        _ => return bad_verb(out, value, verb, options),
    };
    let (sign, size) = match text.strip_prefix(['-', '+']) {
        Some(size) => (&text[..1], size.to_owned()),
        None => ("+", text.clone()),
    };
    let sign = match sign {
        "+" if options.plus => "+",
        "+" if options.space => " ",
        "+" if float.is_infinite() => "+",
        "+" => "",
        sign => sign,
    };
    let zeros = options.zero && !options.minus && float.is_finite();
    let width = options.width.unwrap_or(0);
    if zeros && !sign.is_empty() && width > size.len() + 1 {
        let zeros = "0".repeat(width - size.len() - 1);
        out.extend(format!("{sign}{zeros}{size}").bytes());
    } else {
        let options = if zeros {
            options
        } else {
            without_zero(options)
        };
        pad(out, format!("{sign}{size}").as_bytes(), options);
    }
    Ok(())
}
