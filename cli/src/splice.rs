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
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::golden_errors::assert_said;

    const NEW: &str = "AgNewNewNewNewNewNewNewNewNewNewNewNewNewNewNewNew==";

    fn splice(text: &str) -> Result<String, Error> {
        let documents =
            documents::parse(&Input::Stdin, text).unwrap_or_else(|error| panic!("{error}"));
        let values = BTreeMap::from([("password".to_owned(), NEW.to_owned())]);
        let mut edits = Vec::new();
        for object in documents.into_iter().flat_map(Document::objects) {
            edits.extend(replace(text, &object, &values)?);
        }
        apply(&Input::Stdin, text, edits)
    }

    /// `OLD` stands for the value in each template: whatever is around it must survive.
    fn keeps_every_other_byte(template: &str) {
        for template in [
            template.to_owned(),
            template.replace('\n', "\r\n"),
            template.trim_end().to_owned(),
        ] {
            let edited = splice(&template.replace("OLD", "AgOldOldOld=="))
                .unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(edited, template.replace("OLD", NEW), "{template}");
            assert_eq!(
                splice(&edited).unwrap_or_else(|error| panic!("{error}")),
                edited,
                "the second time"
            );
        }
    }

    #[test]
    fn comments_order_quoting_and_neighbours_stay() {
        for template in [
            "# head\nspec:\n    encryptedData:   # here\n        other: AgX=  # keep\n        password: OLD # why\n\n    template:\n        data: {a: b}\nkind: SealedSecret\n",
            "spec: {encryptedData: {password: OLD, other: 'x'}, template: {}}\n",
            "{\"spec\": {\"encryptedData\": {\"password\": \"OLD\",\n\t\"b\": \"x\"}}}\n",
            "spec:\n  encryptedData:\n    password: \"OLD\"\n    b: 'AgX'\n",
            "spec:\n  encryptedData:\n    password: 'OLD'\n",
            "spec:\n  encryptedData:\n    \"password\":\n      OLD\n    z: |\n      text\n      more\n",
            "spec:\n  encryptedData:\n    password: >-\n      OLD\n\n    # after\n    z: x\n",
            "spec:\n  encryptedData:\n    password: |\n      OLD\n    z: x\n",
            "spec:\n  encryptedData:\n    password: |2-\n      OLD\n...\n---\n# tail\n",
            "kind: ConfigMap\ndata: {password: AgOther}\n---\nspec:\n  encryptedData:\n    password: OLD\n---\n# nothing\n---\nspec:\n  encryptedData:\n    password: OLD\n",
            "kind: List\nitems:\n- spec:\n    encryptedData:\n      password: OLD\n- spec:\n    encryptedData:\n      password: \"OLD\"\n",
            "\u{feff}spec:\n  template: {data: {u: \"ünï\"}}\n  encryptedData:\n    ünï: x\n    password: OLD\n",
        ] {
            keeps_every_other_byte(template);
        }
    }

    fn random_object(dice: &mut Dice) -> String {
        let indent = dice.throw(&["  ", "    ", " "]);
        let comment = ["", "", " # note", "   #  two: words"];
        let mut items = Vec::new();
        for key in ["a.b", "password", "'z'"] {
            let value = if key == "password" {
                "OLD"
            } else {
                "AgOther=="
            };
            let (start, end) =
                match dice.throw(&["plain", "single", "double", "folded", "literal", "below"]) {
                    "plain" => (String::new(), dice.throw(&comment).to_owned()),
                    "single" => ("'".to_owned(), format!("'{}", dice.throw(&comment))),
                    "double" => ("\"".to_owned(), format!("\"{}", dice.throw(&comment))),
                    "folded" => (
                        format!(">{}\n{indent}{indent}{indent}", dice.throw(&["", "-", "+"])),
                        dice.throw(&["", "\n", "\n\n"]).to_owned(),
                    ),
                    "literal" => (
                        format!("|{}\n{indent}{indent}{indent}", dice.throw(&["", "-", "+"])),
                        dice.throw(&["", "\n"]).to_owned(),
                    ),
                    _ => (format!("\n{indent}{indent}{indent}"), String::new()),
                };
            items.push(format!(
                "{indent}{indent}{key}:{}{start}{value}{end}\n",
                dice.throw(&[" ", "   "])
            ));
        }
        let data = format!(
            "{indent}encryptedData:{}\n{}",
            dice.throw(&comment),
            items.concat()
        );
        let template = format!(
            "{indent}template: {{metadata: {{labels: {{x: \"y\"}}}}}}\n{}",
            dice.throw(&["", "\n", "# deep\n"])
        );
        let spec = dice.throw(&["data", "template"]);
        let (first, second) = if spec == "data" {
            (data, template)
        } else {
            (template, data)
        };
        format!(
            "{}kind: SealedSecret\nspec:\n{first}{second}{}",
            dice.throw(&["", "# head\n", "\n"]),
            dice.throw(&["", "status: {}\n"])
        )
    }

    #[test]
    fn in_thousands_of_random_files_only_the_value_changes() {
        let mut dice = Dice::new(2026);
        for _ in 0..1000 {
            let objects = [random_object(&mut dice), random_object(&mut dice)];
            keeps_every_other_byte(&objects.join(dice.throw(&[
                "---\n",
                "--- # next\n",
                "...\n---\n",
            ])));
        }
    }

    #[test]
    fn a_wrapped_literal_block_stays_wrapped() {
        for newline in ["\n", "\r\n"] {
            let old = "spec:\n  encryptedData:\n    password: |\n      AgAAAAAAAAAAAAAAAAAA\n      BBBBBBBBBB==\n    z: x\n".replace('\n', newline);
            let new = "spec:\n  encryptedData:\n    password: |\n      AgNewNewNewNewNewNew\n      NewNewNewNewNewNewNe\n      wNewNewNew==\n    z: x\n".replace('\n', newline);
            assert_eq!(splice(&old).unwrap_or_else(|error| panic!("{error}")), new);
        }
    }

    #[test]
    fn edits_of_another_text_are_refused() {
        let text = "spec:\n  encryptedData:\n    password: AgOld\n";
        let values = BTreeMap::from([("password".to_owned(), NEW.to_owned())]);
        for other in [
            "kind: SealedSecret\n",
            "spec:\n  encryptedData:\n    password: Ag",
            "spec:\n  encryptedData:\n    passphrase: AgOld\n",
        ] {
            let objects = documents::parse(&Input::Stdin, text).expect("a document");
            let edits = replace(text, &objects[0], &values).expect("edits");
            let refused = apply(&Input::Stdin, other, edits);
            assert_said("splice", &[&refused.expect_err(other)]);
        }
    }

    #[test]
    fn shared_values_are_refused() {
        for text in [
            "spec:\n  encryptedData:\n    password: &p AgOld\n    other: *p\n",
            "x: &p AgOld\nspec:\n  encryptedData:\n    password: *p\n",
            "x: &d {password: AgOld}\nspec:\n  encryptedData: *d\n",
            "x: &d {password: AgOld}\nspec:\n  encryptedData:\n    <<: *d\n",
            "spec: &s\n  encryptedData:\n    password: AgOld\nagain: *s\n",
            "spec:\n  encryptedData:\n    password: AgOld\n    password: AgOlder\n",
            "spec:\n  encryptedData:\n    password: !!str AgOld\n",
            "spec:\n  encryptedData:\n    password: [AgOld]\n",
        ] {
            assert!(matches!(splice(text), Err(Error::Item { .. })), "{text}");
        }
    }
}
