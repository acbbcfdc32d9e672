//! Objects as Go's encoder writes JSON: two spaces deep, and `<`, `>`, `&` escaped.
//! Must not know what it writes. The text is wiped on drop, since an unsealed Secret is written too.

use sealing::SecretValue;
use zeroize::Zeroizing;

/// The value over several lines, without a line break at the end.
pub(super) fn pretty(value: &SecretValue) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(size(value)));
    write(&mut text, value, Some(0));
    text
}

/// The value on one line.
pub(super) fn compact(value: &SecretValue) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(size(value)));
    write(&mut text, value, None);
    text
}

/// Room enough for the text, so that it never moves and leaves no copy: each character may take six, and lines are
/// indented.
pub(super) fn size(value: &SecretValue) -> usize {
    const LINE: usize = 64;
    match value {
        SecretValue::Text(text) => LINE + 6 * text.len(),
        SecretValue::List(elements) => LINE + elements.iter().map(size).sum::<usize>(),
        SecretValue::Map(map) => {
            let entry = |(key, value): (&String, &SecretValue)| LINE + 6 * key.len() + size(value);
            LINE + map.iter().map(entry).sum::<usize>()
        }
        _ => LINE,
    }
}

/// `depth` is that of the line which the value begins on; none for everything on one line.
fn write(text: &mut String, value: &SecretValue, depth: Option<usize>) {
    match value {
        SecretValue::Null => text.push_str("null"),
        SecretValue::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        SecretValue::Number(number) => text.push_str(&number.to_string()),
        SecretValue::Text(string) => write_string(text, string),
        SecretValue::List(elements) => {
            let write_element = |text: &mut String, element: &SecretValue, depth: Option<usize>| {
                write(text, element, depth);
            };
            write_all(text, ['[', ']'], elements.iter(), depth, write_element);
        }
        SecretValue::Map(map) => {
            let write_entry =
                |text: &mut String, (key, value): (&String, &SecretValue), depth: Option<usize>| {
                    write_string(text, key);
                    text.push_str(if depth.is_some() { ": " } else { ":" });
                    write(text, value, depth);
                };
            write_all(text, ['{', '}'], map.iter(), depth, write_entry);
        }
    }
}

fn write_all<T>(
    text: &mut String,
    [open, close]: [char; 2],
    items: impl ExactSizeIterator<Item = T>,
    depth: Option<usize>,
    write_item: impl Fn(&mut String, T, Option<usize>),
) {
    let is_empty = items.len() == 0;
    let inner = depth.map(|depth| depth + 1);
    text.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        break_line(text, inner);
        write_item(text, item, inner);
    }
    if !is_empty {
        break_line(text, depth);
    }
    text.push(close);
}

fn break_line(text: &mut String, depth: Option<usize>) {
    if let Some(depth) = depth {
        text.push('\n');
        text.extend(std::iter::repeat_n("  ", depth));
    }
}

fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            _ => text.push(character),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_written_as_go_writes_it() {
        // Read off kubeseal v0.36.6.
        let value = json!({
            "html": "<&>", "line": "a\u{2028}b", "control": "\u{1}\u{8}\t\"\\", "crab": "🦀",
            "empty": {}, "none": [], "list": ["a", {"b": null}], "number": 5, "flag": true,
        });
        let expected = "{\n  \"html\": \"\\u003c\\u0026\\u003e\",\n  \"line\": \"a\\u2028b\",\n  \
            \"control\": \"\\u0001\\b\\t\\\"\\\\\",\n  \"crab\": \"🦀\",\n  \"empty\": {},\n  \"none\": [],\n  \
            \"list\": [\n    \"a\",\n    {\n      \"b\": null\n    }\n  ],\n  \"number\": 5,\n  \"flag\": true\n}";
        assert_eq!(*pretty(&value.into()), expected);
        assert_eq!(
            *compact(&json!({"a": [1, {"b": "<"}]}).into()),
            "{\"a\":[1,{\"b\":\"\\u003c\"}]}"
        );
    }
}
