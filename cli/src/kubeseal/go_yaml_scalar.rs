//! One text in the style that Go's YAML library chooses for it: plain, quoted, or a block.
//! Must not know whether the text is a key or a value of what.

use granit_parser::ScalarStyle;

use crate::scalar::Scalar;

/// Lines are folded at the first space behind this column.
const WIDTH: usize = 80;
/// A longer key needs a `?` before it.
const LONGEST_SIMPLE_KEY: usize = 128;

/// Where a text is written.
#[derive(Clone, Copy)]
pub(super) struct Position {
    pub(super) column: usize,
    /// How far its further lines are indented.
    pub(super) indent: usize,
    /// Before a `:` on the same line; it is not folded.
    pub(super) is_key: bool,
}

pub(super) fn is_simple_key(text: &str) -> bool {
    !text.contains(is_break) && text.len() <= LONGEST_SIMPLE_KEY
}

pub(super) fn write_scalar(into: &mut String, text: &str, position: Position) {
    match style(text, position.is_key) {
        ScalarStyle::Plain => fold(into, text, position, Quotes::None),
        ScalarStyle::SingleQuoted => fold(into, text, position, Quotes::Single),
        ScalarStyle::DoubleQuoted => fold(into, text, position, Quotes::Double),
        _ => write_block(into, text, position.indent),
    }
}

fn style(text: &str, is_key: bool) -> ScalarStyle {
    let shape = Shape::of(text);
    if text.contains('\n') {
        let as_block =
            !is_key && !shape.ends_in_space && !shape.has_space_before_break && !shape.is_special;
        return if as_block {
            ScalarStyle::Literal
        } else {
            ScalarStyle::DoubleQuoted
        };
    }
    if !is_text_when_plain(text) {
        return ScalarStyle::DoubleQuoted;
    }
    if shape.is_special || shape.has_space_before_break || shape.has_space_after_break {
        ScalarStyle::DoubleQuoted
    } else if shape.may_be_plain {
        ScalarStyle::Plain
    } else {
        ScalarStyle::SingleQuoted
    }
}

/// What the characters of a text allow.
struct Shape {
    may_be_plain: bool,
    ends_in_space: bool,
    has_space_before_break: bool,
    has_space_after_break: bool,
    is_special: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let outer =
            |character: Option<&char>| character.is_some_and(|it| *it == ' ' || is_break(*it));
        let follows = |first: fn(char) -> bool, second: fn(char) -> bool| {
            characters
                .windows(2)
                .any(|pair| first(pair[0]) && second(pair[1]))
        };
        let may_be_plain = !outer(characters.first())
            && !outer(characters.last())
            && !characters.iter().any(|character| is_break(*character))
            && !has_indicator(&characters);
        Self {
            may_be_plain,
            ends_in_space: characters.last() == Some(&' '),
            has_space_before_break: follows(is_space, is_break),
            has_space_after_break: follows(is_break, is_space),
            is_special: characters.iter().any(|character| !is_printable(*character)),
        }
    }
}

/// Whether a character means something to YAML where it stands.
fn has_indicator(characters: &[char]) -> bool {
    let is_blank_at = |at: usize| {
        characters
            .get(at)
            .is_none_or(|it| *it == ' ' || *it == '\t')
    };
    characters
        .iter()
        .enumerate()
        .any(|(at, character)| match character {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`'
                if at == 0 =>
            {
                true
            }
            '?' | '-' if at == 0 => is_blank_at(1),
            ':' => is_blank_at(at + 1),
            '#' => matches!(characters[at - 1], ' ' | '\t') || is_break(characters[at - 1]),
            _ => false,
        })
}

/// Whether the text, written without quotes, is read back as text: not as a number, a date, `yes`, or a time such as
/// `12:30`, which other readers take for a number.
fn is_text_when_plain(text: &str) -> bool {
    matches!(Scalar::plain(text), Scalar::Text(_)) && !is_date(text) && !is_base_60(text)
}

/// `2024-01-02`, also with a time behind it.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let digits = rest.find(|character: char| !character.is_ascii_digit());
    let (day, time) = rest.split_at(digits.unwrap_or(rest.len()));
    year.len() == 4
        && year.bytes().all(|byte| byte.is_ascii_digit())
        && is_number(month, 1, 12)
        && is_number(day, 1, days_in(year, month))
        && is_time(time)
}

fn is_number(text: &str, from: u32, to: u32) -> bool {
    (1..=2).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text
            .parse()
            .is_ok_and(|number: u32| (from..=to).contains(&number))
}

fn days_in(year: &str, month: &str) -> u32 {
    let year: u32 = year.parse().unwrap_or(0);
    match month.parse() {
        Ok(4 | 6 | 9 | 11) => 30,
        Ok(2)
            if year.is_multiple_of(4)
                && (!year.is_multiple_of(100) || year.is_multiple_of(400)) =>
        {
            29
        }
        Ok(2) => 28,
        _ => 31,
    }
}

/// Nothing, ` 15:04:05.9`, or `T15:04:05.9` with a zone.
fn is_time(text: &str) -> bool {
    let (clock, needs_zone) = match text.chars().next() {
        None => return true,
        Some(' ') => (&text[1..], false),
        Some('T' | 't') => (&text[1..], true),
        Some(_) => return false,
    };
    let end = clock
        .find(|character: char| !character.is_ascii_digit() && !matches!(character, ':' | '.'))
        .unwrap_or(clock.len());
    let (clock, zone) = clock.split_at(end);
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let is_clock = match whole.split(':').collect::<Vec<_>>()[..] {
        [hour, minute, second] => {
            is_number(hour, 0, 23) && is_number(minute, 0, 59) && is_number(second, 0, 59)
        }
        _ => false,
    };
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let is_zone = match (needs_zone, zone.as_bytes()) {
        (false, rest) => rest.is_empty(),
        (true, b"Z") => true,
        (true, [b'+' | b'-', hours @ .., b':', _, _]) => {
            hours.len() == 2 && is_number(&zone[1..3], 0, 24) && is_number(&zone[4..], 0, 60)
        }
        _ => false,
    };
    is_clock && is_fraction && is_zone
}

/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    first.starts_with(|character: char| character.is_ascii_digit())
        && first.bytes().all(is_digit)
        && !rest.is_empty()
        && rest.iter().all(|part| is_number(part, 0, 59))
        && fraction.bytes().all(is_digit)
}

fn is_space(character: char) -> bool {
    character == ' '
}

fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Characters that are written as they are. Those beyond the first plane are escaped.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// Writes a text over as many lines as it takes.
fn fold(into: &mut String, text: &str, position: Position, quotes: Quotes) {
    let characters: Vec<char> = text.chars().collect();
    // go-yaml takes every character for a byte order mark when the first one is.
    let escape_all = characters.first() == Some(&'\u{feff}');
    let mut line = Line {
        into,
        column: position.column,
        indent: position.indent,
    };
    line.quote(quotes);
    let mut after_space = false;
    let mut after_break = false;
    for (at, character) in characters.iter().copied().enumerate() {
        let next_is_space = characters.get(at + 1) == Some(&' ');
        let is_inner = quotes == Quotes::None || (at > 0 && at + 1 < characters.len());
        let is_space = character == ' ' && !escape_all;
        let folds = is_space && !position.is_key && !after_space && line.column > WIDTH && is_inner;
        if folds && (quotes == Quotes::Double || !next_is_space) {
            line.new_line();
            if next_is_space {
                line.push('\\');
            }
        } else if quotes == Quotes::Double && (escape_all || needs_escape(character)) {
            line.push_str(&escaped(character));
        } else {
            if after_break && !is_break(character) {
                line.pad();
            }
            if quotes == Quotes::Single && character == '\'' {
                line.push('\'');
            }
            line.push(character);
            if is_break(character) {
                line.column = 0;
            }
        }
        after_space = is_space;
        after_break = is_break(character) && quotes != Quotes::Double;
    }
    line.quote(quotes);
}

/// The line that is being written.
struct Line<'text> {
    into: &'text mut String,
    column: usize,
    indent: usize,
}

impl Line<'_> {
    fn push(&mut self, character: char) {
        self.into.push(character);
        self.column += 1;
    }

    fn push_str(&mut self, text: &str) {
        text.chars().for_each(|character| self.push(character));
    }

    fn quote(&mut self, quotes: Quotes) {
        match quotes {
            Quotes::None => {}
            Quotes::Single => self.push('\''),
            Quotes::Double => self.push('"'),
        }
    }

    fn new_line(&mut self) {
        self.into.push('\n');
        self.column = 0;
        self.pad();
    }

    fn pad(&mut self) {
        while self.column < self.indent {
            self.push(' ');
        }
    }
}

fn needs_escape(character: char) -> bool {
    !is_printable(character) || is_break(character) || matches!(character, '"' | '\\')
}

fn escaped(character: char) -> String {
    match character {
        '\0' => "\\0".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{1b}' => "\\e".to_owned(),
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\u{85}' => "\\N".to_owned(),
        '\u{a0}' => "\\_".to_owned(),
        '\u{2028}' => "\\L".to_owned(),
        '\u{2029}' => "\\P".to_owned(),
        _ => match u32::from(character) {
            code @ ..=0xff => format!("\\x{code:02X}"),
            code @ ..=0xffff => format!("\\u{code:04X}"),
            code => format!("\\U{code:08X}"),
        },
    }
}

/// `|`, how far it is indented where that is not plain, and what becomes of the last line breaks.
fn write_block(into: &mut String, text: &str, indent: usize) {
    into.push('|');
    if text.starts_with(|character| character == ' ' || is_break(character)) {
        into.push('2');
    }
    let mut last = text.chars().rev();
    match (
        last.next().is_some_and(is_break),
        last.next().is_none_or(is_break),
    ) {
        (false, _) => into.push('-'),
        (true, true) => into.push('+'),
        (true, false) => {}
    }
    into.push('\n');
    let mut at_start = true;
    for character in text.chars() {
        if at_start && !is_break(character) {
            into.extend(std::iter::repeat_n(' ', indent));
        }
        into.push(character);
        at_start = is_break(character);
    }
}
