//! Templates of `spec.template.data`: Go's text/template over the opened items.
//! Reads nothing but the items: no environment, no cluster, no clock; errors never echo a value.

mod check;
mod crypto;
mod error;
mod escape;
mod execute;
mod functions;
mod instrument;
mod json;
mod literal;
mod parse;
mod scan;
mod source_text;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::Value;

pub use error::TemplateError;

use crate::secret_bytes::SecretBytes;
use crate::surroundings::Surroundings;

/// Largest text that a template or a function in it may make, in bytes: twice what a Secret can hold in all
/// (Kubernetes' limit is 1 MiB), so that nothing useful is refused and no template can eat the memory.
pub(crate) const MAX_OUTPUT: usize = 2 << 20;

/// What a template sees: the opened items, and the raw text of the other templates. The engine keeps values in shared
/// strings, which are not wiped.
pub(crate) struct Dot(Value);

impl Dot {
    /// An opened item hides a text of the same key.
    pub(crate) fn new<'a>(
        items: &BTreeMap<String, SecretBytes>,
        texts: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        let value = |bytes: &[u8]| Value::String(escape::encode(bytes).into());
        let texts = texts.map(|(key, text)| (Arc::from(key.as_str()), value(text.as_bytes())));
        let mut dot: BTreeMap<Arc<str>, Value> = texts.collect();
        dot.extend(
            items
                .iter()
                .map(|(key, item)| (Arc::from(key.as_str()), value(item.expose()))),
        );
        Self(Value::Map(Arc::new(dot)))
    }
}

/// Renders one template.
///
/// # Errors
/// A template that Go refuses or that fails while it runs; in the latter case the message says where and why without
/// quoting a value.
pub(crate) fn render(
    name: &str,
    source: &str,
    dot: &Dot,
    _surroundings: &Surroundings<'_>,
) -> Result<SecretBytes, TemplateError> {
    let source = escape::encode(source.as_bytes());
    let trees =
        parse::parse(name, &source).map_err(|flaw| TemplateError::syntax(name, &source, &flaw))?;
    execute::execute(name, &source, trees, &dot.0)
}
