//! Source to syntax tree, as strictly as Go: the engine's parser alone takes templates that Go refuses.
//! Executes nothing.

use std::collections::BTreeMap;

use gotmpl::TemplateError as EngineError;
use gotmpl::parse::{ListNode, Node, Parser};

use super::check;
use super::scan::{self, Flaw};

/// A text that no template contains, put after the source: it must come out at the end of the outermost list, else
/// the parser has lost its way.
const SENTINEL: &str = "\u{1}\u{10ffff}";

/// The trees of a template by name: its own, and one for each `define` and `block` in it.
pub(super) type Trees = BTreeMap<String, ListNode>;

/// Parses and checks. The first flaw is reported, with its offset in the source.
pub(super) fn parse(name: &str, source: &str) -> Result<Trees, Flaw> {
    if scan::has_too_many_branches(source) {
        return Err(Flaw {
            offset: 0,
            message: "too many {{else if}}".to_owned(),
        });
    }
    let outline = scan::first_flaw(source);
    let marked = format!("{}{SENTINEL}", scan::without_left_trimming_comments(source));
    let (top, defines) = match Parser::new(&marked, "{{", "}}").and_then(Parser::parse) {
        Ok(parsed) => parsed,
        Err(error) => return Err(earlier(outline, syntax_flaw(source, &error))),
    };
    if let Some(flaw) = outline {
        return Err(flaw);
    }
    let top = without_sentinel(top).ok_or_else(|| Flaw {
        offset: source.len(),
        message: "unexpected EOF".to_owned(),
    })?;
    let mut trees = Trees::from([(name.to_owned(), top)]);
    for define in defines {
        add(&mut trees, define.name.as_str(), define.body).map_err(|message| Flaw {
            offset: define.pos.offset,
            message,
        })?;
    }
    check::first_flaw(&trees, source).map_or(Ok(trees), Err)
}

fn earlier(outline: Option<Flaw>, syntax: Flaw) -> Flaw {
    match outline {
        Some(flaw) if flaw.offset <= syntax.offset => flaw,
        _ => syntax,
    }
}

/// Adds a named template: an empty one never replaces another, and two that are not empty must not share a name.
fn add(trees: &mut Trees, name: &str, body: ListNode) -> Result<(), String> {
    match trees.get(name) {
        Some(there) if body.is_empty_tree() && !there.is_empty_tree() => {}
        Some(there) if !there.is_empty_tree() => {
            return Err(format!(
                "template: multiple definition of template {name:?}"
            ));
        }
        _ => {
            trees.insert(name.to_owned(), body);
        }
    }
    Ok(())
}

/// The list without the sentinel at its end; `None` when it does not end so.
fn without_sentinel(mut list: ListNode) -> Option<ListNode> {
    let Some(Node::Text(mut last)) = list.nodes.pop() else {
        return None;
    };
    let text = last.text.strip_suffix(SENTINEL)?;
    if !text.is_empty() {
        last.text = text.into();
        list.nodes.push(Node::Text(last));
    }
    Some(list)
}

/// A flaw that the engine's parser found, in Go's words where Go has other ones. The engine's own texts quote nothing
/// but the template.
fn syntax_flaw(source: &str, error: &EngineError) -> Flaw {
    // The sentinel can hide that an action has no end.
    let own = Parser::new(source, "{{", "}}")
        .and_then(Parser::parse)
        .err();
    let Some(
        error @ (EngineError::Lex {
            line, col, message, ..
        }
        | EngineError::Parse {
            line, col, message, ..
        }),
    ) = own.as_ref().or(Some(error))
    else {
        return Flaw {
            offset: source.len(),
            message: "unclosed action".to_owned(),
        };
    };
    let offset = offset_of(source, *line, *col);
    let lexical = matches!(error, EngineError::Lex { .. });
    let message = if own.is_none() {
        "unclosed action".to_owned()
    } else {
        go_message(source, offset, message, lexical)
    };
    Flaw { offset, message }
}

fn offset_of(source: &str, line: usize, column: usize) -> usize {
    let mut lines = source.split_inclusive('\n');
    let before: usize = lines
        .by_ref()
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = &source[before..];
    let within = rest
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(rest.len(), |(index, _)| index);
    before + within
}

fn go_message(source: &str, offset: usize, message: &str, lexical: bool) -> String {
    let known = match message {
        "comment not terminated by closing delimiter" => "comment ends before closing delimiter",
        "unterminated string" => "unterminated quoted string",
        "unterminated raw string" => "unterminated raw quoted string",
        "unterminated character literal" => "unterminated character constant",
        "empty command" => return missing_value(source, offset),
        _ if message.starts_with("expected RightParen") => "unclosed left paren",
        _ if message.starts_with("expected closing delimiter, got RightParen") => {
            "unexpected right paren"
        }
        _ if message.starts_with("expected closing delimiter") => {
            return unexpected_operand(message);
        }
        _ if lexical && message.starts_with("unexpected character") => {
            return bad_character(source, offset);
        }
        other => other,
    };
    known.to_owned()
}

/// The engine's `expected closing delimiter, got If ("if")` in Go's words.
fn unexpected_operand(message: &str) -> String {
    let found = message
        .rsplit_once(" (")
        .and_then(|(_, found)| found.strip_suffix(')'));
    let found = found.unwrap_or("\"\"");
    let keyword = found.trim_matches('"');
    if [
        "if", "end", "else", "range", "with", "define", "block", "template", "break", "continue",
    ]
    .contains(&keyword)
    {
        return format!("unexpected <{keyword}> in operand");
    }
    format!("unexpected {found} in operand")
}

/// `missing value for if`: the keyword of the action that the flaw is in.
fn missing_value(source: &str, offset: usize) -> String {
    let actions = scan::actions(source);
    let action = actions.iter().rev().find(|action| action.offset <= offset);
    let context = action
        .map(scan::Action::keyword)
        .filter(|keyword| ["if", "range", "with"].contains(keyword))
        .unwrap_or("command");
    format!("missing value for {context}")
}

/// Right behind a word or field a character is bad, elsewhere it is unexpected.
fn bad_character(source: &str, offset: usize) -> String {
    let before = source[..offset].chars().next_back();
    let Some(character) = source[offset..].chars().next() else {
        return "unclosed action".to_owned();
    };
    if before.is_some_and(|before| before.is_alphanumeric() || before == '_') {
        format!("bad character U+{:04X} '{character}'", u32::from(character))
    } else {
        let context = if character == '}' {
            "operand"
        } else {
            "command"
        };
        format!("unexpected \"{character}\" in {context}")
    }
}
