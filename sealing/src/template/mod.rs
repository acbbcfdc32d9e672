//! Templates of `spec.template.data`: Go's text/template with sprig's functions over the opened items.
//! Reads nothing but the items and the given surroundings: no environment, no cluster; errors never echo a value.

mod arguments;
mod compare;
mod crypto;
mod decimal;
mod error;
mod execute;
mod fields;
mod functions;
mod json;
mod lex;
mod number;
mod parse;
mod print;
mod run;
mod text;
mod time;
mod token;
mod tree;
mod url;
mod value;

use std::collections::BTreeMap;
use std::rc::Rc;

pub use crypto::Rendering;
pub use error::TemplateError;

use crate::secret_bytes::SecretBytes;
use crate::surroundings::Surroundings;
use parse::Trees;
use run::Run;
use text::Text;
use value::Value;

/// Largest text that a template or a function in it may make, in bytes: twice what a Secret can hold in all
/// (Kubernetes' limit is 1 MiB), so that nothing useful is refused and no template can eat the memory.
pub(crate) const MAX_OUTPUT: usize = 2 << 20;

/// What a template gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rendered {
    pub(crate) text: SecretBytes,
    /// Whether it would be another text at another moment or with other dice.
    pub(crate) varies: bool,
}

/// What a template sees: the opened items, and the raw text of the other templates.
pub(crate) struct Dot(Value);

impl Dot {
    /// An opened item hides a text of the same key.
    pub(crate) fn new<'a>(
        items: &BTreeMap<String, SecretBytes>,
        texts: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        let key = |key: &String| Text::from(key.as_str());
        let mut dot: BTreeMap<Text, Text> = texts
            .map(|(name, text)| (key(name), text.as_str().into()))
            .collect();
        dot.extend(
            items
                .iter()
                .map(|(name, item)| (key(name), item.expose().into())),
        );
        Self(Value::Texts(Rc::new(dot)))
    }
}

/// A template that parses.
pub(crate) struct Template<'a> {
    name: &'a str,
    source: &'a str,
    trees: Trees,
}

impl<'a> Template<'a> {
    /// Parses a source.
    ///
    /// # Errors
    /// A template that Go refuses.
    pub(crate) fn parse(name: &'a str, source: &'a str) -> Result<Self, TemplateError> {
        let trees =
            parse::parse(name, source).map_err(|flaw| TemplateError::syntax(name, &flaw))?;
        Ok(Self {
            name,
            source,
            trees,
        })
    }

    /// Renders the template.
    ///
    /// # Errors
    /// Says where and why it fails without quoting a value.
    pub(crate) fn render(
        &self,
        dot: &Dot,
        surroundings: &Surroundings<'_>,
    ) -> Result<Rendered, TemplateError> {
        let fill = |buffer: &mut [u8]| surroundings.fill(buffer);
        let run = Run::new(surroundings.now, &fill);
        let text = execute::execute(self, &run, &dot.0)?;
        Ok(Rendered {
            text,
            varies: run.varies(),
        })
    }
}
