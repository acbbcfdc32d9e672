//! Template errors in Go's form: `template: NAME:LINE: …`, `template: NAME:LINE:COLUMN: executing "NAME" at <…>: …`.
//! Built from the template's own text and from fixed words, so that they can be published.

use super::instrument::Site;
use super::scan::Flaw;

/// Why a template can't be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{message}")]
pub struct TemplateError {
    name: String,
    message: String,
}

impl TemplateError {
    /// A template that does not parse. Go gives the line only.
    pub(super) fn syntax(name: &str, source: &str, flaw: &Flaw) -> Self {
        let (line, _) = line_and_column(source, flaw.offset);
        Self {
            name: name.to_owned(),
            message: format!("{line}: {}", flaw.message),
        }
    }

    /// A template that fails while it runs. Go's columns begin at 0.
    pub(super) fn execution(name: &str, source: &str, site: &Site, message: &str) -> Self {
        let (line, column) = line_and_column(source, site.offset);
        let (tree, text) = (&site.tree, &site.text);
        Self {
            name: name.to_owned(),
            message: format!("{line}:{column}: executing {tree:?} at <{text}>: {message}"),
        }
    }
}

fn line_and_column(source: &str, offset: usize) -> (usize, usize) {
    let before = &source[..offset.min(source.len())];
    let line_start = before.rfind('\n').map_or(0, |index| index + 1);
    (before.matches('\n').count() + 1, before.len() - line_start)
}
