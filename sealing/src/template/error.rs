//! Template errors in Go's form: `template: NAME:LINE: …`, `template: NAME:LINE:COLUMN: executing "NAME" at <…>: …`.
//! Built from the template's own text and from fixed words, so that they can be published.

use super::parse::Flaw;
use super::tree::Pos;
use crate::go::quote::quote;

/// Why a template can't be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{message}")]
pub struct TemplateError {
    name: String,
    message: String,
}

impl TemplateError {
    /// A template that does not parse. Go gives the line only.
    pub(super) fn syntax(name: &str, flaw: &Flaw) -> Self {
        Self {
            name: name.to_owned(),
            message: format!("{}: {}", flaw.line, flaw.message),
        }
    }

    /// A template that fails while it runs, in this of its trees. Go's columns begin at 0.
    pub(super) fn execution(name: &str, source: &str, place: &Place<'_>, message: &str) -> Self {
        let before = &source[..place.pos.min(source.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.len() - before.rfind('\n').map_or(0, |index| index + 1);
        let (tree, text) = (quote(place.tree), &place.text);
        Self {
            name: name.to_owned(),
            message: format!("{line}:{column}: executing {tree} at <{text}>: {message}"),
        }
    }
}

/// What was at work when a template failed.
pub(super) struct Place<'a> {
    pub(super) tree: &'a str,
    pub(super) pos: Pos,
    /// The part of the template, as errors show it.
    pub(super) text: String,
}
