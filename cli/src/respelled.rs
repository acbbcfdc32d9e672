//! A scalar that YAML 1.1 reads as something else than the text that stands there.
//! Must not hold the text itself: it may be a secret.

use granit_parser::ScalarStyle;

use crate::node::{Content, Node};

/// Where it stands, for a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Respelled {
    /// Line in the whole input, from 1.
    pub(crate) line: usize,
    /// Path such as `stringData.pin`.
    pub(crate) field: String,
    /// What it is to YAML.
    pub(crate) noun: &'static str,
    /// Whether a tag makes it that.
    pub(crate) is_tagged: bool,
}

impl Respelled {
    /// A scalar that is read as `becomes`, if that is not what stands there. The tags of text and of bytes are meant.
    pub(crate) fn of(node: &Node, field: impl FnOnce() -> String, becomes: &str) -> Option<Self> {
        let target = node.target();
        let Content::Scalar { text, style } = &target.content else {
            return None;
        };
        let tag = target.yaml_tag();
        let is_as_meant = match tag.as_deref() {
            None => *style != ScalarStyle::Plain,
            tag => matches!(tag, Some("str" | "binary")),
        };
        if is_as_meant {
            return None;
        }
        let written = if target.span.is_empty() { "" } else { text };
        (written != becomes).then(|| Self {
            line: node.line,
            field: field(),
            noun: node.noun(),
            is_tagged: tag.is_some(),
        })
    }

    /// What to tell the user about it.
    pub(crate) fn warning(&self) -> String {
        let remedy = match self.is_tagged {
            true => "put it in quotes, without its tag,",
            false => "put it in quotes",
        };
        format!(
            "{} is {} to YAML and is read in another spelling; {remedy} to keep it as written",
            self.field, self.noun
        )
    }
}
