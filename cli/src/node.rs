//! A YAML or JSON value that remembers where it was written: byte range, line, quoting, anchors.
//! Must not know what the value means to Kubernetes, and never prints itself: it may hold a secret.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Marker, ScalarStyle, Span, Tag};
use indexmap::IndexMap;
use sealing::SecretValue;
use zeroize::Zeroizing;

use crate::problem::{Fault, Problem};
use crate::scalar::Scalar;

/// Values of one document after its aliases are expanded. A Secret is limited to 1 MiB by the API
/// server, so a document that needs more than this is an attack or a mistake.
pub(crate) const MOST_VALUES: usize = 200_000;

/// Text that counts as one value more, in bytes: the values of a document hold some 12 MiB of it at most.
const TEXT_OF_A_VALUE: usize = 64;

#[derive(Clone, PartialEq)]
pub(crate) struct Node {
    /// Bytes in the whole input. Of a block scalar: its content without the header.
    pub(crate) span: Range<usize>,
    /// Line in the whole input, from 1.
    pub(crate) line: usize,
    pub(crate) tag: Option<Tag>,
    pub(crate) anchored: bool,
    pub(crate) content: Content,
}

#[derive(Clone, PartialEq)]
pub(crate) enum Content {
    Scalar {
        text: Zeroizing<String>,
        style: ScalarStyle,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<(Node, Node)>),
    Alias(Arc<Node>),
    /// An alias inside of what it stands for: it has no value.
    Loop,
}

impl Node {
    /// The node itself, or what its alias stands for.
    pub(crate) fn target(&self) -> &Self {
        match &self.content {
            Content::Alias(target) => target.target(),
            _ => self,
        }
    }

    /// Whether nothing is written where a value could be.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(&self.content, Content::Scalar { .. } if self.span.is_empty())
    }

    /// The last value written under `name` in this mapping, merged entries included.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let entries = self.entries().ok()?;
        entries
            .into_iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value)
    }

    /// The text of a scalar as Go reads it into a string.
    pub(crate) fn secret_text(&self) -> Option<Zeroizing<String>> {
        self.scalar().ok().map(Scalar::into_text)
    }

    /// The same for a field that is no secret.
    pub(crate) fn text(&self) -> Option<String> {
        self.secret_text().map(|text| text.to_string())
    }

    /// Elements of a sequence; none for anything else.
    pub(crate) fn elements(&self) -> &[Self] {
        match &self.target().content {
            Content::Sequence(elements) => elements,
            _ => &[],
        }
    }

    /// Entries of a mapping in the order written, keys as text, `<<` expanded where it stands.
    pub(crate) fn entries(&self) -> Result<Vec<(String, &Self)>, Problem> {
        let pairs = self.pairs()?.into_iter();
        pairs.map(|(key, value)| Ok((key.key()?, value))).collect()
    }

    /// The same with the keys as they were written.
    pub(crate) fn pairs(&self) -> Result<Vec<(&Self, &Self)>, Problem> {
        let Content::Mapping(written) = &self.target().content else {
            return Err(Fault::NoMapping.at(self.line));
        };
        let mut pairs = Vec::with_capacity(written.len());
        for (key, value) in written {
            match &value.target().content {
                _ if !key.is_merge() => pairs.push((key, value)),
                Content::Sequence(sources) => {
                    for source in sources.iter().rev() {
                        pairs.extend(source.pairs()?);
                    }
                }
                _ => pairs.extend(value.pairs()?),
            }
            if pairs.len() > MOST_VALUES {
                return Err(Fault::TooManyMerged.at(self.line));
            }
        }
        Ok(pairs)
    }

    /// Whether entries come from elsewhere by `<<`.
    pub(crate) fn has_merge(&self) -> bool {
        matches!(&self.target().content, Content::Mapping(pairs) if pairs.iter().any(|(key, _)| key.is_merge()))
    }

    fn is_merge(&self) -> bool {
        matches!(&self.content, Content::Scalar { text, style: ScalarStyle::Plain } if **text == "<<")
    }

    fn key(&self) -> Result<String, Problem> {
        match self.scalar() {
            Ok(Scalar::Null) | Err(_) => Err(Fault::Key.at(self.line)),
            // Go's reader turns a bare `y` used as a key into `true`; nobody means that.
            Ok(Scalar::Bool(_)) if matches!(self.plain_text(), Some("y" | "n" | "Y" | "N")) => {
                Ok(self.plain_text().unwrap_or_default().to_owned())
            }
            Ok(scalar) => Ok(scalar.into_text().to_string()),
        }
    }

    fn plain_text(&self) -> Option<&str> {
        match &self.target().content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// How much it counts towards [`MOST_VALUES`], apart from what is in it.
    pub(crate) fn weight(&self) -> usize {
        1 + self.plain_text().map_or(0, str::len) / TEXT_OF_A_VALUE
    }

    /// The tag by its name in YAML's own namespace. What has one of another reads as text.
    pub(crate) fn yaml_tag(&self) -> Option<Cow<'_, str>> {
        let tag = self.tag.as_ref()?;
        let name = tag.suffix_in_namespace("tag:yaml.org,2002:");
        Some(name.unwrap_or("str".into()))
    }

    /// What a scalar means. An error for lists and mappings.
    pub(crate) fn scalar(&self) -> Result<Scalar, Problem> {
        let node = self.target();
        let Content::Scalar { text, style } = &node.content else {
            let found = self.noun();
            return Err(Fault::NoScalar { found }.at(self.line));
        };
        match node.yaml_tag().as_deref() {
            None if *style == ScalarStyle::Plain => Ok(Scalar::plain(text)),
            None | Some("str") => Ok(Scalar::Text(text.clone())),
            Some("binary") => binary(text).ok_or_else(|| Fault::Binary.at(self.line)),
            Some("float") => Ok(as_float(Scalar::plain(text))),
            Some(_) => Ok(Scalar::plain(text)),
        }
    }

    /// What a person calls this value.
    pub(crate) fn noun(&self) -> &'static str {
        match &self.target().content {
            Content::Sequence(_) => "a list",
            Content::Mapping(_) => "a mapping",
            Content::Loop => "an alias of itself",
            _ => self.scalar().map_or("a value", |scalar| scalar.noun()),
        }
    }

    /// The value with aliases and merges expanded, of duplicate keys the last.
    pub(crate) fn to_value(&self) -> Result<SecretValue, Problem> {
        self.expand(&mut 0)
    }

    fn expand(&self, values: &mut usize) -> Result<SecretValue, Problem> {
        *values += self.weight();
        if *values > MOST_VALUES {
            return Err(Fault::TooLarge.at(self.line));
        }
        match &self.target().content {
            Content::Sequence(elements) => elements
                .iter()
                .map(|element| element.expand(values))
                .collect::<Result<_, _>>()
                .map(SecretValue::List),
            Content::Mapping(_) => {
                let mut map = IndexMap::new();
                for (key, value) in self.entries()? {
                    map.insert(key, value.expand(values)?);
                }
                Ok(SecretValue::Map(map))
            }
            _ => Ok(self.scalar()?.into_value()),
        }
    }
}

fn binary(text: &str) -> Option<Scalar> {
    let mut compact = Zeroizing::new(String::with_capacity(text.len()));
    compact.extend(text.chars().filter(|character| !character.is_whitespace()));
    let bytes = sealing::decode_base64(compact.as_bytes()).ok()?;
    str::from_utf8(bytes.expose()).ok().map(Scalar::text)
}

fn as_float(scalar: Scalar) -> Scalar {
    match scalar {
        Scalar::Integer(digits) => digits
            .parse()
            .map_or_else(|_| Scalar::text(&digits), Scalar::Float),
        other => other,
    }
}

/// Builds nodes from the events of one parser.
pub(crate) struct Builder<'input> {
    text: &'input str,
    /// Up to which byte of the text lines were counted, and how many ended there.
    counted: Cell<(usize, usize)>,
    parser: granit_parser::Parser<'input, granit_parser::StrInput<'input>>,
    anchors: HashMap<usize, Arc<Node>>,
    /// Where the parsed text begins in the whole input.
    pub(crate) first_byte: usize,
    pub(crate) first_line: usize,
}

impl<'input> Builder<'input> {
    pub(crate) fn new(text: &'input str, first_byte: usize, first_line: usize) -> Self {
        let options = granit_parser::options! { emit_comments: false };
        let parser = granit_parser::Parser::new_from_str_with_options(text, options);
        Self {
            text,
            counted: Cell::default(),
            parser,
            anchors: HashMap::new(),
            first_byte,
            first_line,
        }
    }

    pub(crate) fn next(
        &mut self,
    ) -> Option<Result<(Event<'input>, Span), granit_parser::ScanError>> {
        self.parser.next_event()
    }

    /// The root of the next document, if only an empty one.
    pub(crate) fn next_root(&mut self) -> Result<Option<Node>, granit_parser::ScanError> {
        while let Some(next) = self.next() {
            let (event, span) = next?;
            match event {
                Event::StreamStart | Event::StreamEnd | Event::Comment(..) => {}
                Event::DocumentStart(..) | Event::DocumentEnd => {}
                event => return self.node(event, span).map(Some),
            }
        }
        Ok(None)
    }

    /// Line in the whole input of a place in the parsed text. To YAML a lone carriage return ends a line as well, but not to
    /// editors.
    pub(crate) fn line(&self, place: &Marker) -> usize {
        let offset = place.byte_offset().unwrap_or_default().min(self.text.len());
        let (from, ended) = match self.counted.get() {
            (from, _) if from > offset => (0, 0),
            counted => counted,
        };
        let between = &self.text.as_bytes()[from..offset];
        let ended = ended + between.iter().filter(|byte| **byte == b'\n').count();
        self.counted.set((offset, ended));
        self.first_line + ended
    }

    /// The node that begins with `event`.
    pub(crate) fn node(
        &mut self,
        event: Event<'input>,
        span: Span,
    ) -> Result<Node, granit_parser::ScanError> {
        let (anchor, tag) = (event.anchor_id(), event.tag().cloned());
        let (mut end, line) = (self.end(&span), self.line(&span.start));
        let content = match event {
            Event::Scalar(text, style, ..) => Content::Scalar {
                text: Zeroizing::new(text.into_owned()),
                style,
            },
            Event::SequenceStart(..) => {
                let (elements, last) = self.elements()?;
                end = last;
                Content::Sequence(elements)
            }
            Event::MappingStart(..) => {
                let (elements, last) = self.elements()?;
                end = last;
                Content::Mapping(pairs(elements))
            }
            Event::Alias(id) => self.alias(id),
            _ => Content::Scalar {
                text: Zeroizing::default(),
                style: ScalarStyle::Plain,
            },
        };
        let start = self.first_byte + span.start.byte_offset().unwrap_or_default();
        let anchored = anchor.is_some() && !matches!(content, Content::Alias(_));
        let node = Node {
            span: start..end,
            line,
            tag,
            anchored,
            content,
        };
        if let Some(id) = anchor.filter(|_| anchored) {
            self.anchors.insert(id, Arc::new(node.clone()));
        }
        Ok(node)
    }

    fn alias(&self, id: usize) -> Content {
        match self.anchors.get(&id) {
            Some(target) => Content::Alias(Arc::clone(target)),
            None => Content::Loop,
        }
    }

    fn elements(&mut self) -> Result<(Vec<Node>, usize), granit_parser::ScanError> {
        let mut elements = Vec::new();
        while let Some(next) = self.next() {
            let (event, span) = next?;
            if matches!(event, Event::SequenceEnd | Event::MappingEnd) {
                return Ok((elements, self.end(&span)));
            }
            elements.push(self.node(event, span)?);
        }
        Ok((elements, self.first_byte))
    }

    fn end(&self, span: &Span) -> usize {
        self.first_byte + span.end.byte_offset().unwrap_or_default()
    }
}

fn pairs(elements: Vec<Node>) -> Vec<(Node, Node)> {
    let mut pairs = Vec::with_capacity(elements.len() / 2);
    let mut elements = elements.into_iter();
    while let (Some(key), Some(value)) = (elements.next(), elements.next()) {
        pairs.push((key, value));
    }
    pairs
}
