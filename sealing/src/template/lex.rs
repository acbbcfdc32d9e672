//! Splits a template into the tokens that Go's lexer finds, each with its place.
//! Knows no grammar: that is `parse`.

use super::token::{Kind, Token};
use super::tree::Pos;
use crate::go::quote::quote;
use crate::go::unicode::{is_digit, is_letter, is_print};

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const KEYWORDS: [&str; 10] = [
    "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with",
];

/// All tokens of a source. The last is `Eof`; after an error there is nothing else.
pub(super) fn lex(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        source,
        pos: 0,
        line: 1,
        counted: 0,
        tokens: Vec::new(),
    };
    if let Err((start, message)) = lexer.run() {
        lexer.push(Kind::Error, start, message);
        lexer.pos = start;
    }
    lexer.push(Kind::Eof, lexer.pos, String::new());
    lexer.tokens
}

/// Where a token begins that can't be, and what is wrong with it.
type Flaw = (Pos, String);

struct Lexer<'a> {
    source: &'a str,
    pos: Pos,
    /// Line of the offset up to which line ends have been counted.
    line: usize,
    counted: Pos,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn push(&mut self, kind: Kind, start: Pos, text: String) {
        let passed = self.source.get(self.counted..start).unwrap_or_default();
        self.line += passed.matches('\n').count();
        self.counted = self.counted.max(start);
        self.tokens.push(Token {
            kind,
            pos: start,
            line: self.line,
            text,
        });
    }

    fn emit(&mut self, kind: Kind, start: Pos) {
        let text = self.source[start..self.pos].to_owned();
        self.push(kind, start, text);
    }

    fn rest(&self) -> &str {
        &self.source[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.pos += next.len_utf8();
        Some(next)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let accepted = self.peek().is_some_and(|next| valid.contains(next));
        self.pos += usize::from(accepted);
        accepted
    }

    fn run(&mut self) -> Result<(), Flaw> {
        while self.pos < self.source.len() {
            let Some(found) = self.rest().find(LEFT) else {
                let start = self.pos;
                self.pos = self.source.len();
                self.emit(Kind::Text, start);
                break;
            };
            self.text_before(found);
            self.action()?;
        }
        Ok(())
    }

    /// The text up to the next action, less what a trim marker takes.
    fn text_before(&mut self, length: usize) {
        let start = self.pos;
        let action = start + length;
        let mut end = action;
        if is_left_trim(&self.source[action + LEFT.len()..]) {
            end = start + self.source[start..action].trim_end_matches(is_space).len();
        }
        self.pos = end;
        if end > start {
            self.emit(Kind::Text, start);
        }
        self.pos = action;
    }

    fn action(&mut self) -> Result<(), Flaw> {
        let start = self.pos;
        self.pos += LEFT.len();
        let delim_end = self.pos;
        if is_left_trim(self.rest()) {
            self.pos += 2;
        }
        if self.rest().starts_with("/*") {
            return self.comment();
        }
        self.push(
            Kind::LeftDelim,
            start,
            self.source[start..delim_end].to_owned(),
        );
        let mut open = 0;
        while !self.right_delim(open)? {
            self.inside(&mut open)?;
        }
        Ok(())
    }

    fn comment(&mut self) -> Result<(), Flaw> {
        let start = self.pos;
        let Some(end) = self.rest()[2..].find("*/") else {
            return Err((start, "unclosed comment".to_owned()));
        };
        self.pos += 2 + end + 2;
        let trims = is_right_trim(self.rest());
        if trims {
            self.pos += 2;
        }
        if !self.rest().starts_with(RIGHT) {
            return Err((start, "comment ends before closing delimiter".to_owned()));
        }
        self.after_right_delim(trims);
        Ok(())
    }

    fn after_right_delim(&mut self, trims: bool) {
        self.pos += RIGHT.len();
        if trims {
            let rest = self.rest();
            self.pos += rest.len() - rest.trim_start_matches(is_space).len();
        }
    }

    /// Takes the end of an action, if here is one.
    fn right_delim(&mut self, open: usize) -> Result<bool, Flaw> {
        let start = self.pos;
        let trims = is_right_trim(self.rest());
        let delim = start + if trims { 2 } else { 0 };
        if !self.source[delim..].starts_with(RIGHT) {
            return Ok(false);
        }
        if open > 0 {
            return Err((start, "unclosed left paren".to_owned()));
        }
        self.push(Kind::RightDelim, delim, RIGHT.to_owned());
        self.pos = delim;
        self.after_right_delim(trims);
        Ok(true)
    }

    fn inside(&mut self, open: &mut usize) -> Result<(), Flaw> {
        let start = self.pos;
        let flaw = |message: &str| Err((start, message.to_owned()));
        let Some(next) = self.next() else {
            return flaw("unclosed action");
        };
        let kind = match next {
            _ if is_space(next) => {
                self.space();
                Kind::Space
            }
            '=' => Kind::Assign,
            ':' if self.accept("=") => Kind::Declare,
            ':' => return flaw("expected :="),
            '|' => Kind::Pipe,
            '"' => self.quoted(start, '"', "unterminated quoted string", Kind::String)?,
            '\'' => self.quoted(
                start,
                '\'',
                "unterminated character constant",
                Kind::CharConstant,
            )?,
            '`' => match self.rest().find('`') {
                Some(end) => {
                    self.pos += end + 1;
                    Kind::RawString
                }
                None => return flaw("unterminated raw quoted string"),
            },
            '$' => self.name(start, Kind::Variable, Kind::Variable)?,
            '.' if !self.peek().is_some_and(|next| next.is_ascii_digit())
                && self.pos < self.source.len() =>
            {
                self.name(start, Kind::Field, Kind::Dot)?
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos = start;
                self.number(start)?
            }
            _ if is_alphanumeric(next) => self.word(start)?,
            '(' => {
                *open += 1;
                Kind::LeftParen
            }
            ')' if *open == 0 => return flaw("unexpected right paren"),
            ')' => {
                *open -= 1;
                Kind::RightParen
            }
            ' '..='~' => Kind::Char,
            _ => {
                return Err((
                    start,
                    format!("unrecognized character in action: {}", code_point(next)),
                ));
            }
        };
        self.emit(kind, start);
        Ok(())
    }

    /// White space, less the last of it where that belongs to a trim marker.
    fn space(&mut self) {
        let rest = self.rest();
        self.pos += rest.len() - rest.trim_start_matches(is_space).len();
        let last = self.source[..self.pos]
            .chars()
            .next_back()
            .map_or(0, char::len_utf8);
        if self.source[self.pos - last..].starts_with(is_space)
            && self.rest().starts_with('-')
            && self.rest()[1..].starts_with(RIGHT)
        {
            self.pos -= last;
        }
    }

    fn quoted(&mut self, start: Pos, end: char, problem: &str, kind: Kind) -> Result<Kind, Flaw> {
        loop {
            match self.next() {
                Some('\\') if self.peek().is_some_and(|next| next != '\n') => {
                    self.next();
                }
                None | Some('\n' | '\\') => return Err((start, problem.to_owned())),
                Some(next) if next == end => return Ok(kind),
                Some(_) => {}
            }
        }
    }

    /// A field or variable; alone, `.` and `$` mean something else.
    fn name(&mut self, start: Pos, kind: Kind, alone: Kind) -> Result<Kind, Flaw> {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        self.terminator(start)?;
        Ok(if self.pos == start + 1 { alone } else { kind })
    }

    fn word(&mut self, start: Pos) -> Result<Kind, Flaw> {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
        self.terminator(start)?;
        Ok(match &self.source[start..self.pos] {
            "nil" => Kind::Nil,
            "true" | "false" => Kind::Bool,
            word if KEYWORDS.contains(&word) => Kind::Keyword,
            _ => Kind::Identifier,
        })
    }

    /// A name has to end where another token may begin.
    fn terminator(&self, start: Pos) -> Result<(), Flaw> {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => Ok(()),
            Some(next) if is_space(next) || self.rest().starts_with(RIGHT) => Ok(()),
            Some(next) => Err((start, format!("bad character {}", code_point(next)))),
        }
    }

    fn number(&mut self, start: Pos) -> Result<Kind, Flaw> {
        let good = self.scan_number();
        if good && !matches!(self.peek(), Some('+' | '-')) {
            return Ok(Kind::Number);
        }
        if good {
            self.scan_number();
        }
        let text = &self.source[start..self.pos];
        Err((start, format!("bad number syntax: {}", quote(text))))
    }

    /// Something like a number, not to be followed by a letter.
    fn scan_number(&mut self) -> bool {
        const DECIMAL: &str = "0123456789_";
        const HEXADECIMAL: &str = "0123456789abcdefABCDEF_";
        self.accept("+-");
        let mut digits = DECIMAL;
        if self.accept("0") {
            if self.accept("xX") {
                digits = HEXADECIMAL;
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        while self.accept(digits) {}
        if self.accept(".") {
            while self.accept(digits) {}
        }
        if (digits == DECIMAL && self.accept("eE")) || (digits == HEXADECIMAL && self.accept("pP"))
        {
            self.accept("+-");
            while self.accept(DECIMAL) {}
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn is_alphanumeric(character: char) -> bool {
    character == '_' || is_letter(character) || is_digit(character)
}

fn is_left_trim(rest: &str) -> bool {
    rest.strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(is_space))
}

fn is_right_trim(rest: &str) -> bool {
    rest.starts_with(is_space) && rest[1..].starts_with('-')
}

/// Go's `%#U`.
fn code_point(character: char) -> String {
    let code = u32::from(character);
    if is_print(character) {
        format!("U+{code:04X} '{character}'")
    } else {
        format!("U+{code:04X}")
    }
}
