//! Objects as Go's YAML library writes them by way of JSON: keys sorted, lists not indented, lines folded at 80 columns.
//! Must not know what it writes. The text is wiped on drop, since an unsealed Secret is written too.

use std::cmp::Ordering;

use sealing::SecretValue;
use zeroize::Zeroizing;

use super::go_json;
use super::go_yaml_scalar::{Position, is_simple_key, write_scalar};

/// The value as a document, with a line break at the end.
pub(super) fn document(value: &SecretValue) -> Zeroizing<String> {
    let mut writer = Writer {
        text: Zeroizing::new(String::with_capacity(2 * go_json::size(value))),
    };
    match value {
        SecretValue::Map(map) if !map.is_empty() => writer.map(value, 0, Start::OnThisLine),
        SecretValue::List(list) if !list.is_empty() => writer.list(value, 0, Start::OnThisLine),
        _ => writer.inline(value, 0),
    }
    writer.new_line(0);
    writer.text
}

struct Writer {
    text: Zeroizing<String>,
}

/// Where the first entry of a map or a list goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    OnThisLine,
    OnANewLine,
}

impl Writer {
    fn map(&mut self, value: &SecretValue, indent: usize, start: Start) {
        let SecretValue::Map(map) = value else {
            return;
        };
        let mut entries: Vec<(&String, &SecretValue)> = map.iter().collect();
        entries.sort_by(|(left, _), (right, _)| key_order(left, right));
        for (index, (key, value)) in entries.into_iter().enumerate() {
            if index > 0 || start == Start::OnANewLine {
                self.new_line(indent);
            }
            let is_simple = is_simple_key(key);
            if !is_simple {
                self.text.push_str("? ");
            }
            self.scalar(key, indent, is_simple);
            if !is_simple {
                self.new_line(indent);
            }
            self.text.push(':');
            self.value_of_key(value, indent, is_simple);
        }
    }

    fn value_of_key(&mut self, value: &SecretValue, indent: usize, is_simple: bool) {
        match value {
            SecretValue::Map(map) if !map.is_empty() && is_simple => {
                self.map(value, indent + 2, Start::OnANewLine);
            }
            SecretValue::Map(map) if !map.is_empty() => {
                self.text.push(' ');
                self.map(value, indent + 2, Start::OnThisLine);
            }
            SecretValue::List(list) if !list.is_empty() => {
                self.list(value, indent, Start::OnANewLine);
            }
            _ => {
                self.text.push(' ');
                self.inline(value, indent);
            }
        }
    }

    fn list(&mut self, value: &SecretValue, indent: usize, start: Start) {
        let SecretValue::List(elements) = value else {
            return;
        };
        for (index, element) in elements.iter().enumerate() {
            if index > 0 || start == Start::OnANewLine {
                self.new_line(indent);
            }
            self.text.push_str("- ");
            match element {
                SecretValue::Map(map) if !map.is_empty() => {
                    self.map(element, indent + 2, Start::OnThisLine);
                }
                SecretValue::List(list) if !list.is_empty() => {
                    self.list(element, indent + 2, Start::OnThisLine);
                }
                _ => self.inline(element, indent),
            }
        }
    }

    /// A scalar, or an empty map or list.
    fn inline(&mut self, value: &SecretValue, indent: usize) {
        match value {
            SecretValue::Text(text) => self.scalar(text, indent, false),
            SecretValue::Null => self.text.push_str("null"),
            SecretValue::Bool(flag) => self.text.push_str(if *flag { "true" } else { "false" }),
            SecretValue::Number(number) => self.text.push_str(&number.to_string()),
            SecretValue::List(_) => self.text.push_str("[]"),
            SecretValue::Map(_) => self.text.push_str("{}"),
        }
    }

    fn scalar(&mut self, text: &str, indent: usize, is_key: bool) {
        let line = self.text.rsplit('\n').next().unwrap_or_default();
        let position = Position {
            column: line.chars().count(),
            indent: indent + 2,
            is_key,
        };
        write_scalar(&mut self.text, text, position);
    }

    fn new_line(&mut self, indent: usize) {
        // A block of text that keeps its last line breaks has ended its line already.
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.extend(std::iter::repeat_n(' ', indent));
    }
}

/// The order of go-yaml: letters after everything else, digits by the number they make.
fn key_order(left: &str, right: &str) -> Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let Some(at) = left
        .iter()
        .zip(&right)
        .position(|(left, right)| left != right)
    else {
        return left.len().cmp(&right.len());
    };
    let (a, b) = (left[at], right[at]);
    match (a.is_alphabetic(), b.is_alphabetic()) {
        (true, true) => return a.cmp(&b),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // A zero inside of a number counts by what stands before it.
    let before = left[..at]
        .iter()
        .rev()
        .take_while(|character| character.is_numeric());
    let has_digits_before = (a == '0' || b == '0') && before.into_iter().any(|digit| *digit != '0');
    let first = i64::from(has_digits_before);
    let (a_number, a_end) = number(&left, at, first);
    let (b_number, b_end) = number(&right, at, first);
    a_number
        .cmp(&b_number)
        .then(a_end.cmp(&b_end))
        .then(a.cmp(&b))
}

/// The number that the digits from `at` on make behind `first`, and where they end.
fn number(text: &[char], at: usize, first: i64) -> (i64, usize) {
    let digits = text[at..]
        .iter()
        .take_while(|character| character.is_numeric());
    let mut end = at;
    let mut number = first;
    for digit in digits {
        let value = i64::from(u32::from(*digit)) - i64::from(b'0');
        number = number.wrapping_mul(10).wrapping_add(value);
        end += 1;
    }
    (number, end)
}

#[cfg(test)]
#[path = "go_yaml_tests.rs"]
mod tests;
