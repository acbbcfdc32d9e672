//! Values as JSON: keys sorted, characters escaped as Go escapes them.
//! Bounded in length and depth.

use crate::template::MAX_OUTPUT;
use crate::template::functions::{CallError, failed};
use crate::template::print::TooLong;
use crate::template::text::{Text, runes};
use crate::template::value::{IntType, Value};

/// Deepest nesting that is written: a dict can hold itself.
const MAX_DEPTH: usize = 200;

/// How JSON is written.
#[derive(Clone, Copy)]
pub(in crate::template) struct Style {
    /// `<`, `>` and `&` as `\u003c` and so on.
    pub(in crate::template) html: bool,
    /// A line for each element, indented by two spaces.
    pub(in crate::template) pretty: bool,
}

pub(in crate::template) fn write(value: &Value, style: Style) -> Result<Text, CallError> {
    let mut writer = Writer {
        out: String::new(),
        style,
    };
    writer.value(value, 0)?;
    Ok(writer.out.into())
}

struct Writer {
    out: String,
    style: Style,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), CallError> {
        if depth > MAX_DEPTH {
            return Err(failed("json: unsupported value: encountered a cycle"));
        }
        if self.out.len() > MAX_OUTPUT {
            return Err(TooLong.into());
        }
        match value {
            Value::Nil => self.out.push_str("null"),
            Value::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Value::Int(number, IntType::Uint64) => {
                self.out.push_str(&number.cast_unsigned().to_string());
            }
            Value::Int(number, _) => self.out.push_str(&number.to_string()),
            Value::Float(float) => self.float(*float)?,
            Value::Text(text) => self.string(text),
            Value::List(list) if list.is_nil() => self.out.push_str("null"),
            Value::List(list) => {
                let items = list.items().iter().map(|item| (None, item));
                self.elements(items, ['[', ']'], depth)?;
            }
            Value::Dict(_) | Value::Texts(_) => {
                let entries = value.entries().unwrap_or_default();
                let items = entries.iter().map(|(key, item)| (Some(key), item));
                self.elements(items, ['{', '}'], depth)?;
            }
            Value::Time(time) => self.string(time.rfc3339().as_bytes()),
            Value::Version(version) => self.string(version.to_string().as_bytes()),
            Value::Certificate(certificate) => {
                let (cert, key) = (certificate.cert.clone(), certificate.key.clone());
                let fields = [
                    (Text::from("Cert"), Value::Text(cert)),
                    (Text::from("Key"), Value::Text(key)),
                ];
                let items = fields.iter().map(|(key, item)| (Some(key), item));
                self.elements(items, ['{', '}'], depth)?;
            }
        }
        Ok(())
    }

    fn elements<'v>(
        &mut self,
        items: impl Iterator<Item = (Option<&'v Text>, &'v Value)>,
        [open, close]: [char; 2],
        depth: usize,
    ) -> Result<(), CallError> {
        self.out.push(open);
        let mut any = false;
        for (key, item) in items {
            if any {
                self.out.push(',');
            }
            any = true;
            self.line(depth + 1);
            if let Some(key) = key {
                self.string(key);
                self.out
                    .push_str(if self.style.pretty { ": " } else { ":" });
            }
            self.value(item, depth + 1)?;
        }
        if any {
            self.line(depth);
        }
        self.out.push(close);
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        if self.style.pretty {
            self.out.push('\n');
            self.out.push_str(&"  ".repeat(depth));
        }
    }

    /// ECMAScript's form: an exponent below 1e-6 and from 1e21.
    fn float(&mut self, float: f64) -> Result<(), CallError> {
        if !float.is_finite() {
            let text = crate::go::float::float64_text(float);
            return Err(CallError::Echo(format!("json: unsupported value: {text}")));
        }
        let size = float.abs();
        if size == 0.0 || (1e-6..1e21).contains(&size) {
            self.out.push_str(&float.to_string());
        } else if size < 1.0 {
            self.out.push_str(&format!("{float:e}"));
        } else {
            self.out.push_str(&format!("{float:e}").replace('e', "e+"));
        }
        Ok(())
    }

    fn string(&mut self, text: &[u8]) {
        self.out.push('"');
        for chunk in text.utf8_chunks() {
            for character in chunk.valid().chars() {
                self.character(character);
            }
            // Go spells out the character that stands for what is no UTF-8.
            for _ in runes(chunk.invalid()) {
                self.out.push_str("\\ufffd");
            }
        }
        self.out.push('"');
    }

    fn character(&mut self, character: char) {
        match character {
            '"' => self.out.push_str("\\\""),
            '\\' => self.out.push_str("\\\\"),
            '\n' => self.out.push_str("\\n"),
            '\r' => self.out.push_str("\\r"),
            '\t' => self.out.push_str("\\t"),
            '\u{08}' => self.out.push_str("\\b"),
            '\u{0c}' => self.out.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => self.unicode(character),
            '<' | '>' | '&' if self.style.html => self.unicode(character),
            _ => self.out.push(character),
        }
    }

    fn unicode(&mut self, character: char) {
        self.out
            .push_str(&format!("\\u{:04x}", u32::from(character)));
    }
}
