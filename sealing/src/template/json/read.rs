//! JSON as values: all numbers become floating point, half surrogate pairs U+FFFD, of equal keys the last one counts.
//! Says where a text is no JSON, without a character of it.

use std::collections::BTreeMap;

use crate::go::float::parse_float;
use crate::template::functions::{CallError, failed};
use crate::template::run::Run;
use crate::template::text::{Text, runes};
use crate::template::value::{Element, List, Value};

/// Deepest nesting that is read. Go's limit is 10,000; ours is that of lists.
const MAX_DEPTH: usize = 90;

pub(in crate::template) fn read(run: &Run<'_>, text: &[u8]) -> Result<Value, CallError> {
    let text: String = runes(text).collect();
    let mut reader = Reader {
        text: &text,
        position: 0,
        run,
    };
    let value = reader.value(0)?;
    reader.skip_space();
    if reader.position < text.len() {
        return reader.flaw();
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    position: usize,
    run: &'a Run<'a>,
}

impl Reader<'_> {
    fn flaw<T>(&self) -> Result<T, CallError> {
        if self.position >= self.text.len() {
            return Err(failed("unexpected end of JSON input"));
        }
        let message = format!(
            "invalid character at offset {} of JSON input",
            self.position
        );
        Err(CallError::Echo(message))
    }

    fn rest(&self) -> &str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.position += 1;
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.position += if found { word.len() } else { 0 };
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), CallError> {
        if self.take(word) { Ok(()) } else { self.flaw() }
    }

    fn value(&mut self, depth: usize) -> Result<Value, CallError> {
        self.run.spend(0)?;
        if depth > MAX_DEPTH {
            return Err(failed("exceeded max depth"));
        }
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::text),
            Some(b't') => self.expect("true").map(|()| Value::Bool(true)),
            Some(b'f') => self.expect("false").map(|()| Value::Bool(false)),
            Some(b'n') => self.expect("null").map(|()| Value::Nil),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.flaw(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, CallError> {
        let mut entries = BTreeMap::new();
        self.position += 1;
        self.skip_space();
        if self.take("}") {
            return Ok(self.run.dict(entries));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return self.flaw();
            }
            let key = Text::from(self.string()?);
            self.skip_space();
            self.expect(":")?;
            entries.insert(key, self.value(depth + 1)?);
            self.skip_space();
            if self.take("}") {
                return Ok(self.run.dict(entries));
            }
            self.expect(",")?;
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, CallError> {
        let mut items = Vec::new();
        self.position += 1;
        self.skip_space();
        if !self.take("]") {
            loop {
                items.push(self.value(depth + 1)?);
                self.skip_space();
                if self.take("]") {
                    break;
                }
                self.expect(",")?;
            }
        }
        let list = List::new(Element::Any, items);
        list.map(Value::List).ok_or(failed("exceeded max depth"))
    }

    fn digits(&mut self) -> Result<(), CallError> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return self.flaw();
        }
        while let Some(b'0'..=b'9') = self.peek() {
            self.position += 1;
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Value, CallError> {
        let start = self.position;
        self.take("-");
        if !self.take("0") {
            self.digits()?;
        }
        if self.take(".") {
            self.digits()?;
        }
        if self.take("e") || self.take("E") {
            let _sign = self.take("+") || self.take("-");
            self.digits()?;
        }
        let float = parse_float(&self.text[start..self.position]);
        float.map(Value::Float).ok_or(failed(
            "json: cannot unmarshal number into Go value of type float64",
        ))
    }

    fn string(&mut self) -> Result<String, CallError> {
        let mut out = String::new();
        self.position += 1;
        loop {
            match self.rest().chars().next() {
                None | Some('\0'..='\u{1f}') => return self.flaw(),
                Some('"') => {
                    self.position += 1;
                    return Ok(out);
                }
                Some('\\') => {
                    self.position += 1;
                    out.push(self.escape()?);
                }
                Some(character) => {
                    self.position += character.len_utf8();
                    out.push(character);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, CallError> {
        let character = match self.peek() {
            Some(b'u') => {
                self.position += 1;
                return self.unicode();
            }
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{08}',
            Some(b'f') => '\u{0c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return self.flaw(),
        };
        self.position += 1;
        Ok(character)
    }

    /// `\u1234`, or two of them for a pair of surrogates.
    fn unicode(&mut self) -> Result<char, CallError> {
        let first = self.hexadecimal()?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let after = self.position;
        if first < 0xDC00 && self.take("\\u") {
            let second = self.hexadecimal()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.position = after;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hexadecimal(&mut self) -> Result<u32, CallError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return self.flaw();
            };
            code = code * 16 + digit;
            self.position += 1;
        }
        Ok(code)
    }
}
