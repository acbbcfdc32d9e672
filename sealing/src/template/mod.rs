//! Templates of `spec.template.data`: Go's text/template over the opened items.
//! Reads nothing but the items: no environment, no cluster, no clock; errors never echo a value.

use std::collections::BTreeMap;

use crate::secret_bytes::SecretBytes;

/// Why a template can't be rendered, in Go's words as far as they quote no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template: {name}:{message}")]
pub struct TemplateError {
    name: String,
    message: String,
}

/// What a template sees: the opened items, and the raw text of the other templates.
#[derive(Clone)]
pub(crate) struct Dot(BTreeMap<String, SecretBytes>);

impl Dot {
    pub(crate) fn new<'a>(
        items: &BTreeMap<String, SecretBytes>,
        sources: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        let mut dot: BTreeMap<String, SecretBytes> = sources
            .map(|(key, text)| (key.clone(), SecretBytes::from(text.clone())))
            .collect();
        dot.extend(items.clone());
        Self(dot)
    }
}

pub(crate) fn render(name: &str, source: &str, dot: &Dot) -> Result<SecretBytes, TemplateError> {
    if source.contains("{{") {
        return Err(TemplateError {
            name: name.to_owned(),
            message: format!("templates come in a moment ({} items)", dot.0.len()),
        });
    }
    Ok(SecretBytes::from(source.to_owned()))
}
