//! Replaces the values of `spec.encryptedData` in a file and leaves every other byte as it is.
//! Refuses what it cannot replace safely; must not know where the new values come from.

use std::collections::BTreeMap;
use std::ops::Range;

use granit_parser::ScalarStyle;

use crate::documents::{self, Document, Input, Place};
use crate::node::{Content, Node};

/// One replacement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    range: Range<usize>,
    text: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{place}: cannot replace encryptedData.{item} in place: {reason}")]
    Item {
        place: Place,
        item: String,
        reason: Reason,
    },
    #[error("{input}: cannot replace the values in place: another part of the file would change")]
    Unsafe { input: Input },
}

/// Why a value can't be replaced where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Reason {
    #[error("it is written twice")]
    Repeated,
    #[error("spec.encryptedData is shared by an anchor, an alias or a merge")]
    Shared,
    #[error("it is not a plain value")]
    NoScalar,
    #[error("it has an anchor")]
    Anchored,
    #[error("it has a tag")]
    Tagged,
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Item { .. } => {
                Some("write the value out as plain text under spec.encryptedData".to_owned())
            }
            Self::Unsafe { .. } => None,
        }
    }
}

/// The edits that put `values` into the SealedSecret `object`. Items whose value is already there need none.
pub(crate) fn replace(
    text: &str,
    object: &Document,
    values: &BTreeMap<String, String>,
) -> Result<Vec<Edit>, Error> {
    let mut edits = Vec::new();
    let Some(data) = object
        .root
        .get("spec")
        .and_then(|spec| spec.get("encryptedData"))
    else {
        return Ok(edits);
    };
    let entries = data.entries().unwrap_or_default();
    for (item, value) in values {
        let nodes: Vec<&Node> = entries
            .iter()
            .filter(|(key, _)| key == item)
            .map(|(_, node)| *node)
            .collect();
        let Some(node) = nodes.last() else { continue };
        if node.text().as_deref() == Some(value) {
            continue;
        }
        let refuse = |reason| Error::Item {
            place: object.place.at(node.line),
            item: item.clone(),
            reason,
        };
        if nodes.len() > 1 {
            return Err(refuse(Reason::Repeated));
        }
        if data.has_merge() || shares(&object.root, data) {
            return Err(refuse(Reason::Shared));
        }
        edits.push(edit(text, node, value).map_err(refuse)?);
    }
    Ok(edits)
}

/// Whether `data`, or `spec` above it, is an alias or can be one's target.
fn shares(root: &Node, data: &Node) -> bool {
    let is_shared = |node: &Node| node.anchored || matches!(node.content, Content::Alias(_));
    is_shared(data)
        || is_shared(root)
        || root.has_merge()
        || root
            .get("spec")
            .is_none_or(|spec| is_shared(spec) || spec.has_merge())
}

fn edit(text: &str, node: &Node, value: &str) -> Result<Edit, Reason> {
    let Content::Scalar { style, .. } = &node.content else {
        return Err(Reason::NoScalar);
    };
    if node.anchored {
        return Err(Reason::Anchored);
    }
    if node.tag.is_some() {
        return Err(Reason::Tagged);
    }
    let range = node.span.clone();
    match style {
        ScalarStyle::Plain => Ok(Edit {
            range,
            text: value.to_owned(),
        }),
        ScalarStyle::SingleQuoted => Ok(Edit {
            range,
            text: format!("'{value}'"),
        }),
        ScalarStyle::DoubleQuoted => Ok(Edit {
            range,
            text: format!("\"{value}\""),
        }),
        ScalarStyle::Literal | ScalarStyle::Folded => Ok(block(text, range, *style, value)),
    }
}

/// A literal block keeps its line width, a folded one gets a single line: folding would put spaces into base64.
fn block(text: &str, range: Range<usize>, style: ScalarStyle, value: &str) -> Edit {
    let old = text[range.clone()].trim_end();
    let range = range.start..range.start + old.len();
    let mut lines = old.lines();
    let width = lines.next().map_or(0, |first| first.trim_end().len());
    let wraps = style == ScalarStyle::Literal && lines.next().is_some() && width > 0;
    if !wraps {
        return Edit {
            range,
            text: value.to_owned(),
        };
    }
    let start_of_line = text[..range.start]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let indent = &text[start_of_line..range.start];
    let newline = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let pieces: Vec<&str> = value
        .as_bytes()
        .chunks(width)
        .filter_map(|piece| str::from_utf8(piece).ok())
        .collect();
    Edit {
        range,
        text: pieces.join(&format!("{newline}{indent}")),
    }
}

/// The text after all edits, read again to prove that nothing else changed.
pub(crate) fn apply(input: &Input, text: &str, mut edits: Vec<Edit>) -> Result<String, Error> {
    edits.sort_by_key(|edit| edit.range.start);
    match edited(text, &edits) {
        Some(edited) if same_apart_from(&edits, input, text, &edited) => Ok(edited),
        _ => Err(Error::Unsafe {
            input: input.clone(),
        }),
    }
}

/// `None` when the edits lie over each other or beyond the text.
fn edited(text: &str, edits: &[Edit]) -> Option<String> {
    let mut edited = String::with_capacity(text.len());
    let mut copied = 0;
    for edit in edits {
        edited.push_str(text.get(copied..edit.range.start)?);
        edited.push_str(&edit.text);
        copied = edit.range.end;
    }
    edited.push_str(text.get(copied..)?);
    Some(edited)
}

fn same_apart_from(edits: &[Edit], input: &Input, old: &str, new: &str) -> bool {
    let (Ok(old), Ok(new)) = (documents::parse(input, old), documents::parse(input, new)) else {
        return false;
    };
    old.len() == new.len()
        && old
            .iter()
            .zip(&new)
            .all(|(old, new)| same(edits, &old.root, &new.root))
}

fn same(edits: &[Edit], old: &Node, new: &Node) -> bool {
    if old.tag != new.tag || old.anchored != new.anchored {
        return false;
    }
    match (&old.content, &new.content) {
        (
            Content::Scalar {
                text: old_text,
                style: old_style,
            },
            Content::Scalar { text, style },
        ) => {
            let edit = edits
                .iter()
                .find(|edit| edit.range.start == old.span.start && !old.span.is_empty());
            old_style == style
                && edit.map_or(old_text == text, |edit| {
                    compact(&edit.text) == compact(text)
                })
        }
        (Content::Sequence(old), Content::Sequence(new)) => {
            old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(edits, old, new))
        }
        (Content::Mapping(old), Content::Mapping(new)) => {
            let equal = |((old_key, old), (new_key, new)): (&(Node, Node), &(Node, Node))| {
                same(edits, old_key, new_key) && same(edits, old, new)
            };
            old.len() == new.len() && old.iter().zip(new).all(equal)
        }
        (Content::Alias(old), Content::Alias(new)) => same(edits, old, new),
        _ => false,
    }
}

/// Without the quotes and line breaks that an edit writes around and inside of a value.
fn compact(text: &str) -> String {
    text.chars()
        .filter(|character| !matches!(character, '"' | '\'' | ' ' | '\r' | '\n'))
        .collect()
}

#[cfg(test)]
#[path = "splice_tests.rs"]
mod tests;
