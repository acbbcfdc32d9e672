//! Translates an expression of Go's regexp into one that means the same to the `regex` crate: `\d` and its kin are ASCII
//! only, `\Q…\E` quotes, braces and brackets that mean nothing stand for themselves.
//! Refuses what Go refuses and the crate would take.

/// Greatest number of repetitions.
const MAX_REPEAT: u32 = 1000;

/// `None` for what is no expression of Go, as far as the crate would not notice.
pub(super) fn translate(source: &str) -> Option<String> {
    let mut translator = Translator {
        rest: source,
        out: String::new(),
        repeated: false,
    };
    while !translator.rest.is_empty() {
        translator.next()?;
    }
    Some(translator.out)
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
    /// Whether what was read last is a repetition, which can't be repeated.
    repeated: bool,
}

impl Translator<'_> {
    fn take(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn next(&mut self) -> Option<()> {
        let was_repeated = std::mem::take(&mut self.repeated);
        match self.take()? {
            '\\' => self.escape()?,
            '[' => self.class()?,
            '(' => self.group()?,
            operator @ ('*' | '+' | '?') => self.repetition(&operator.to_string(), was_repeated)?,
            '{' => match repeat_count(self.rest) {
                Some(count) => {
                    let count = count?;
                    self.rest = &self.rest[count.len() + 1..];
                    self.repetition(&format!("{{{count}}}"), was_repeated)?;
                }
                None => self.out.push_str("\\{"),
            },
            '}' => self.out.push_str("\\}"),
            other => self.out.push(other),
        }
        Some(())
    }

    fn repetition(&mut self, operator: &str, was_repeated: bool) -> Option<()> {
        if was_repeated {
            return None;
        }
        self.out.push_str(operator);
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
            self.out.push('?');
        }
        self.repeated = true;
        Some(())
    }

    /// Groups of Go: plain, named, and with the flags i, m, s and U.
    fn group(&mut self) -> Option<()> {
        self.out.push('(');
        if !self.rest.starts_with('?') {
            return Some(());
        }
        let named = self.rest.starts_with("?P<") || self.rest.starts_with("?<");
        let end = if named {
            self.rest.find('>')?
        } else {
            self.rest.find([':', ')'])?
        };
        let opening = &self.rest[..end];
        let plain = |name: &str| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|next| next.is_ascii_alphanumeric() || next == '_')
        };
        let known = match opening.rsplit_once('<') {
            Some((_, name)) => plain(name),
            None => opening[1..].chars().all(|flag| "imsU-".contains(flag)),
        };
        if !known {
            return None;
        }
        self.out.push_str(opening);
        self.rest = &self.rest[end..];
        Some(())
    }

    fn escape(&mut self) -> Option<()> {
        match self.take()? {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            's' => self.out.push_str("[\\t\\n\\f\\r ]"),
            'S' => self.out.push_str("[^\\t\\n\\f\\r ]"),
            'w' => self.out.push_str("[0-9A-Za-z_]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            'b' => self.out.push_str("(?-u:\\b)"),
            'B' => self.out.push_str("(?-u:\\B)"),
            'A' => self.out.push_str("\\A"),
            'z' => self.out.push_str("\\z"),
            'Q' => {
                let (quoted, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.out.push_str(&::regex::escape(quoted));
                self.rest = rest;
            }
            other => self.character_escape(other)?,
        }
        Some(())
    }

    /// An escape that stands for characters also inside a class.
    fn character_escape(&mut self, escape: char) -> Option<()> {
        match escape {
            'p' | 'P' => {
                self.out.push('\\');
                self.out.push(escape);
                let length = match self.rest.starts_with('{') {
                    true => self.rest.find('}')? + 1,
                    false => self.rest.chars().next()?.len_utf8(),
                };
                self.out.push_str(&self.rest[..length]);
                self.rest = &self.rest[length..];
            }
            'a' | 'f' | 'n' | 'r' | 't' | 'v' => {
                self.out.push('\\');
                self.out.push(escape);
            }
            'x' => {
                let length = match self.rest.starts_with('{') {
                    true => self.rest.find('}')? + 1,
                    false => 2,
                };
                self.out.push_str("\\x");
                self.out.push_str(self.rest.get(..length)?);
                self.rest = &self.rest[length..];
            }
            '0'..='7' => self.octal(escape)?,
            other if other.is_ascii_punctuation() => {
                self.out.push_str(&::regex::escape(&other.to_string()));
            }
            _ => return None,
        }
        Some(())
    }

    /// `\123`; a single digit but 0 would be a reference to a group, which there is none of.
    fn octal(&mut self, first: char) -> Option<()> {
        let more = self
            .rest
            .chars()
            .take_while(|digit| digit.is_digit(8))
            .take(2)
            .count();
        if first != '0' && more == 0 {
            return None;
        }
        let digits = format!("{first}{}", &self.rest[..more]);
        self.rest = &self.rest[more..];
        let code = u32::from_str_radix(&digits, 8).ok()?;
        self.out.push_str(&format!("\\x{{{code:x}}}"));
        Some(())
    }

    fn class(&mut self) -> Option<()> {
        self.out.push('[');
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            self.out.push('^');
        }
        let mut first = true;
        loop {
            match self.take()? {
                ']' if !first => break,
                '\\' => self.class_escape()?,
                '[' if self.rest.starts_with(':') && self.rest.contains(":]") => {
                    let end = self.rest.find(":]")? + 2;
                    self.out.push('[');
                    self.out.push_str(&self.rest[..end]);
                    self.rest = &self.rest[end..];
                }
                '-' => self.out.push_str(self.dash(first)),
                plain @ ('[' | ']' | '&' | '~' | '^') => {
                    self.out.push('\\');
                    self.out.push(plain);
                }
                other => self.out.push(other),
            }
            first = false;
        }
        self.out.push(']');
        Some(())
    }

    /// A dash at an end of a class stands for itself.
    fn dash(&self, first: bool) -> &'static str {
        if first || self.rest.starts_with(']') {
            "\\-"
        } else {
            "-"
        }
    }

    fn class_escape(&mut self) -> Option<()> {
        match self.take()? {
            'd' => self.out.push_str("0-9"),
            'D' => self.out.push_str("[^0-9]"),
            's' => self.out.push_str("\\t\\n\\f\\r "),
            'S' => self.out.push_str("[^\\t\\n\\f\\r ]"),
            'w' => self.out.push_str("0-9A-Za-z_"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            other => self.character_escape(other)?,
        }
        Some(())
    }
}

/// What stands before `}` if it is a number of repetitions; `Some(None)` for too many.
fn repeat_count(rest: &str) -> Option<Option<String>> {
    let inside = &rest[..rest.find('}')?];
    let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(least) || !(is_number(most) || most.is_empty()) {
        return None;
    }
    let number = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|number| *number <= MAX_REPEAT)
    };
    let good = number(least)
        .is_some_and(|least| most.is_empty() || number(most).is_some_and(|most| least <= most));
    Some(good.then(|| inside.to_owned()))
}
