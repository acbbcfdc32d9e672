//! The outline of a template: its actions, and whether blocks open and close as they must.
//! Looks at keywords only; expressions are the parser's business. The engine's parser is lax about the outline, and
//! would drop text in silence.

use std::borrow::Cow;

use super::literal;

/// One `{{ … }}`.
pub(super) struct Action<'a> {
    /// Offset of its first word, or of its end when it is empty.
    pub(super) offset: usize,
    /// Whether white space before it is cut off.
    trims_left: bool,
    /// What stands between the delimiters, trim markers and white space cut off.
    pub(super) text: &'a str,
}

impl Action<'_> {
    fn is_comment(&self) -> bool {
        self.text.trim_start().starts_with("/*")
    }

    /// The first word, if the action begins with one.
    pub(super) fn keyword(&self) -> &str {
        let end = self
            .text
            .find(|character: char| !character.is_ascii_alphabetic());
        &self.text[..end.unwrap_or(self.text.len())]
    }
}

/// A flaw and where it is.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) offset: usize,
    pub(super) message: String,
}

/// The actions of a template, comments among them. Stops at an action that does not end: the parser reports it.
pub(super) fn actions(source: &str) -> Vec<Action<'_>> {
    let mut actions = Vec::new();
    let mut position = 0;
    while let Some(found) = source[position..].find("{{") {
        let open = position + found + 2;
        let body = open + trim_marker(&source[open..]);
        let Some(length) = body_length(&source[body..]) else {
            break;
        };
        let text = &source[body..body + length];
        let start = body + (text.len() - text.trim_start().len());
        actions.push(Action {
            offset: start,
            trims_left: body > open,
            text: without_marker(text),
        });
        position = body + length + 2;
    }
    actions
}

/// The same template for the engine, byte for byte where it was: a comment that trims on its left only becomes an empty
/// text, because the engine would trim on the right as well.
pub(super) fn without_left_trimming_comments(source: &str) -> Cow<'_, str> {
    let mut patched = Cow::Borrowed(source);
    for action in actions(source) {
        let end = action.offset + action.text.len();
        let is_whole = is_whole_comment(action.text) && source[end..].starts_with("}}");
        if action.trims_left && is_whole {
            let blank = |character| if character == '\n' { '\n' } else { ' ' };
            let padding: String = action
                .text
                .bytes()
                .skip(2)
                .map(|byte| blank(char::from(byte)))
                .collect();
            patched
                .to_mut()
                .replace_range(action.offset..end, &format!("\"\"{padding}"));
        }
    }
    patched
}

/// The text of an action without white space around it and without a trim marker at its end. A comment must end right
/// before marker or delimiter, so its white space stays.
fn without_marker(text: &str) -> &str {
    let unmarked = text
        .strip_suffix('-')
        .filter(|cut| cut.ends_with(char::is_whitespace));
    match unmarked {
        Some(cut) if text.trim_start().starts_with("/*") => cut.trim_end(),
        Some(cut) => cut.trim(),
        None if text.trim_start().starts_with("/*") => text,
        None => text.trim(),
    }
}

/// Length of `- ` after an opening delimiter.
fn trim_marker(text: &str) -> usize {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some('-'), Some(space)) if space.is_whitespace() => 1 + space.len_utf8(),
        _ => 0,
    }
}

/// Bytes up to the closing delimiter, skipping comments, texts and characters.
fn body_length(text: &str) -> Option<usize> {
    // The engine takes a comment behind white space; Go does not, see `step`.
    if text.trim_start().starts_with("/*") {
        let end = text.find("*/")? + 2;
        return text[end..].find("}}").map(|close| end + close);
    }
    let bytes = text.as_bytes();
    let mut position = 0;
    while position < bytes.len() {
        match bytes[position] {
            b'}' if bytes.get(position + 1) == Some(&b'}') => return Some(position),
            b'"' | b'\'' | b'`' => position += literal::length(&text[position..])?,
            _ => position += 1,
        }
    }
    None
}

/// Most `else if` and `else with` of a template: the engine's parser handles each inside the one before it, on the
/// stack, without a limit of its own.
const MAX_ELSE_IF: usize = 200;

/// Whether a template is not safe to parse. Counts texts that look like `{{ else if`, whatever they are: a wrong
/// reading of comments or quotes must not matter here.
pub(super) fn has_too_many_branches(source: &str) -> bool {
    let is_else_if = |(index, open): &(usize, &str)| {
        let rest = &source[index + open.len()..];
        let rest = rest.strip_prefix('-').unwrap_or(rest).trim_start();
        let word = rest.strip_prefix("else").map(str::trim_start);
        word.is_some_and(|word| word.starts_with("if") || word.starts_with("with"))
    };
    source.match_indices("{{").filter(is_else_if).count() > MAX_ELSE_IF
}

/// A block that is open.
struct Block<'a> {
    keyword: &'a str,
    has_else: bool,
}

/// The first flaw of the outline, in Go's words.
pub(super) fn first_flaw(source: &str) -> Option<Flaw> {
    let actions = actions(source);
    let mut open: Vec<Block<'_>> = Vec::new();
    for action in &actions {
        if let Some(message) = step(&mut open, action) {
            return Some(Flaw {
                offset: action.offset,
                message,
            });
        }
    }
    // Behind the end, so that every other flaw comes first.
    (!open.is_empty()).then(|| Flaw {
        offset: source.len() + 1,
        message: "unexpected EOF".to_owned(),
    })
}

/// Takes one action in; says what is wrong with it where it stands.
fn step<'a>(open: &mut Vec<Block<'a>>, action: &'a Action<'_>) -> Option<String> {
    let keyword = action.keyword();
    match keyword {
        _ if action.is_comment() => step_comment(action.text),
        "define" if !open.is_empty() => Some("unexpected <define> in command".to_owned()),
        "if" | "range" | "with" | "block" | "define" => {
            open.push(Block {
                keyword,
                has_else: false,
            });
            None
        }
        "end" => open
            .pop()
            .is_none()
            .then(|| "unexpected {{end}}".to_owned()),
        "else" => step_else(open.last_mut(), action),
        "break" | "continue" if action.text == keyword && !in_range(open) => {
            Some(format!("{{{{{keyword}}}}} outside {{{{range}}}}"))
        }
        _ => has_raw_line_break(action.text).then(|| "unterminated quoted string".to_owned()),
    }
}

fn step_comment(text: &str) -> Option<String> {
    if !text.starts_with("/*") {
        return Some("unexpected \"/\" in command".to_owned());
    }
    (!is_whole_comment(text)).then(|| "comment ends before closing delimiter".to_owned())
}

/// Whether a text is a comment that ends at its end and not before.
fn is_whole_comment(text: &str) -> bool {
    text.starts_with("/*") && text.find("*/") == text.len().checked_sub(2)
}

fn step_else(block: Option<&mut Block<'_>>, action: &Action<'_>) -> Option<String> {
    let chained = !action.text["else".len()..].trim().is_empty();
    match block {
        None => Some("unexpected {{else}}".to_owned()),
        Some(block) if matches!(block.keyword, "define" | "block") => Some(format!(
            "unexpected {{{{else}}}} in {} clause",
            block.keyword
        )),
        Some(block) if block.has_else => Some("expected end; found {{else}}".to_owned()),
        Some(block) => {
            block.has_else = !chained;
            None
        }
    }
}

/// Whether the innermost template has an open range.
fn in_range(open: &[Block<'_>]) -> bool {
    let innermost = open
        .iter()
        .rev()
        .take_while(|block| !matches!(block.keyword, "define" | "block"));
    innermost.into_iter().any(|block| block.keyword == "range")
}

/// Whether a double-quoted text of an action holds a line break, which Go refuses and the engine takes.
fn has_raw_line_break(text: &str) -> bool {
    let mut position = 0;
    while let Some(found) = text[position..].find(['"', '`', '\'']) {
        let start = position + found;
        let Some(length) = literal::length(&text[start..]) else {
            return false;
        };
        let literal = &text[start..start + length];
        if literal.starts_with('"') && literal.contains('\n') {
            return true;
        }
        position = start + length;
    }
    false
}
