//! Input files and standard input as streams of YAML or JSON documents that know their number and line.
//! Must not know what the documents mean: Secrets are read in `secret`, SealedSecrets in the commands.

use std::fmt;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use granit_parser::{ErrorKind, Event, ScanError};
use zeroize::Zeroizing;

use crate::node::{Builder, Node};
use crate::problem::{Fault, Problem};

/// Holds a Secret of the usual size, so that most input is read without growing.
const FIRST_BUFFER: usize = 64 * 1024;

/// Where input comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
}

impl Input {
    /// No path and `-` are standard input.
    pub(crate) fn new(path: Option<&Path>) -> Self {
        match path {
            Some(path) if path != Path::new("-") => Self::File(path.to_owned()),
            _ => Self::Stdin,
        }
    }

    /// Whether a person is expected to type the input.
    pub(crate) fn is_terminal(&self) -> bool {
        *self == Self::Stdin && io::stdin().is_terminal()
    }

    /// The whole input as text, wiped on drop. UTF-8 with or without a byte order mark.
    pub(crate) fn read_text(&self) -> Result<Zeroizing<String>, Error> {
        let bytes = match self {
            Self::Stdin => read_secret(&mut io::stdin().lock(), 0),
            Self::File(path) => read_secret_file(path),
        };
        let bytes = bytes.map_err(|source| Error::Read {
            input: self.clone(),
            source,
        })?;
        self.text(&bytes)
    }

    fn text(&self, bytes: &[u8]) -> Result<Zeroizing<String>, Error> {
        if is_utf16(bytes) {
            return Err(Error::Utf16 {
                input: self.clone(),
            });
        }
        match str::from_utf8(bytes) {
            Ok(text) => Ok(Zeroizing::new(text.to_owned())),
            Err(error) => Err(Error::NotUtf8 {
                input: self.clone(),
                line: line_at(bytes, error.valid_up_to()),
            }),
        }
    }
}

/// A whole file, wiped on drop.
pub(crate) fn read_secret_file(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    read_open_file(&File::open(path)?)
}

/// The same of a file that is open already.
pub(crate) fn read_open_file(mut file: &File) -> io::Result<Zeroizing<Vec<u8>>> {
    let expected = file.metadata()?.len();
    read_secret(&mut file, usize::try_from(expected).unwrap_or(0))
}

/// All that there is to read. A buffer that grows leaves no copy behind.
pub(crate) fn read_secret(
    reader: &mut impl Read,
    expected: usize,
) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; (expected + 1).max(FIRST_BUFFER)]);
    let mut filled = 0;
    loop {
        match reader.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if filled == bytes.len() {
            let mut larger = Zeroizing::new(vec![0; 2 * bytes.len()]);
            larger[..filled].copy_from_slice(&bytes);
            bytes = larger;
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

impl fmt::Display for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdin => formatter.write_str("standard input"),
            Self::File(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// A point in an input that an error or a warning is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) input: Input,
    pub(crate) document: usize,
    pub(crate) line: usize,
}

impl Place {
    pub(crate) fn at(&self, line: usize) -> Self {
        Self {
            line,
            ..self.clone()
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{} (document {})",
            self.input, self.line, self.document
        )
    }
}

/// One document that is not empty.
#[derive(Clone)]
pub(crate) struct Document {
    pub(crate) place: Place,
    pub(crate) root: Node,
}

impl Document {
    /// The object itself, or the items of a `kind: List`, each with its own line.
    pub(crate) fn objects(self) -> Vec<Self> {
        if !matches!(
            self.kind().as_deref(),
            Some("List" | "SecretList" | "SealedSecretList")
        ) {
            return vec![self];
        }
        let items = self
            .root
            .get("items")
            .map(Node::elements)
            .unwrap_or_default();
        items
            .iter()
            .map(|item| Self {
                place: self.place.at(item.line),
                root: item.clone(),
            })
            .collect()
    }

    pub(crate) fn kind(&self) -> Option<String> {
        self.root.get("kind").and_then(Node::text)
    }

    /// `Secret shop/db`, as far as it says so itself.
    pub(crate) fn identity(&self) -> String {
        identity(&self.root, self.kind().as_deref().unwrap_or("object"))
    }

    pub(crate) fn problem(&self, problem: Problem) -> Error {
        Error::Malformed {
            place: self.place.at(problem.line),
            identity: self.identity(),
            source: problem.fault,
        }
    }
}

/// `Secret shop/db`, `Secret db` without a namespace, `this Secret` without a name.
pub(crate) fn identity(object: &Node, kind: &str) -> String {
    let metadata = object.get("metadata");
    let said = |field: &str| {
        let text = metadata.and_then(|metadata| metadata.get(field)?.text());
        text.filter(|text| !text.is_empty())
    };
    match (said("namespace"), said("name")) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        (_, None) => format!("this {kind}"),
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read {input}")]
    Read { input: Input, source: io::Error },
    #[error("{input} is UTF-16, expected UTF-8")]
    Utf16 { input: Input },
    #[error("{input}:{line} is not UTF-8 text")]
    NotUtf8 { input: Input, line: usize },
    #[error("{place} is not YAML: {problem}")]
    Syntax { place: Place, problem: String },
    #[error("{place}: {identity} is malformed")]
    Malformed {
        place: Place,
        identity: String,
        source: Fault,
    },
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Utf16 {
                input: Input::File(path),
            } => Some(format!(
                "convert it: iconv -f UTF-16 -t UTF-8 {0} > utf8-{0}",
                path.display()
            )),
            Self::Utf16 { .. } => Some("convert it: iconv -f UTF-16 -t UTF-8".to_owned()),
            Self::NotUtf8 { .. } => Some(
                "convert it to UTF-8, from Latin-1 for example with: iconv -f LATIN1 -t UTF-8"
                    .to_owned(),
            ),
            Self::Malformed { source, .. } => source.hint(),
            Self::Read { .. } | Self::Syntax { .. } => None,
        }
    }
}

/// The documents of `text`; empty ones and comments between separators are no documents, but are counted.
pub(crate) fn parse(input: &Input, text: &str) -> Result<Vec<Document>, Error> {
    let mut documents = Vec::new();
    let mut number = 0;
    let mut builder = Builder::new(text, 0, 1);
    while let Some(next) = builder.next() {
        let event = match next {
            Ok((Event::DocumentStart(..), span)) => {
                number += 1;
                let place = Place {
                    input: input.clone(),
                    document: number,
                    line: builder.line(&span.start),
                };
                read_document(&mut builder, &place).map(|document| documents.extend(document))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = event {
            match next_json_value(&error, &builder, text, documents.last()) {
                Some(rest) => builder = rest,
                None => return Err(syntax(input, number, &builder, &error)),
            }
        }
    }
    Ok(documents)
}

fn read_document(builder: &mut Builder<'_>, place: &Place) -> Result<Option<Document>, ScanError> {
    let Some(next) = builder.next() else {
        return Ok(None);
    };
    let (event, span) = next?;
    let root = builder.node(event, span)?;
    Ok((!root.is_nothing()).then(|| Document {
        place: place.at(root.line),
        root,
    }))
}

/// JSON objects may follow each other without `---`: the parser starts again at the next one.
fn next_json_value<'text>(
    error: &ScanError,
    builder: &Builder<'text>,
    text: &'text str,
    last: Option<&Document>,
) -> Option<Builder<'text>> {
    let start = builder.first_byte + error.marker().byte_offset()?;
    let follows_json = last.is_some_and(|document| {
        text.as_bytes().get(document.root.span.start) == Some(&b'{')
            && text
                .get(document.root.span.end..start)
                .is_some_and(|between| between.trim().is_empty())
    });
    let begins_json =
        *error.kind() == ErrorKind::ExpectedDocumentStart && text[start..].starts_with('{');
    (follows_json && begins_json)
        .then(|| Builder::new(&text[start..], start, builder.line(error.marker())))
}

fn syntax(input: &Input, number: usize, builder: &Builder<'_>, error: &ScanError) -> Error {
    let place = Place {
        input: input.clone(),
        document: number.max(1),
        line: builder.line(error.marker()),
    };
    Error::Syntax {
        place,
        problem: without_content(error),
    }
}

/// The parser's own words, except where they repeat a piece of the input, which may be a secret.
pub(crate) fn without_content(error: &ScanError) -> String {
    match error.kind() {
        ErrorKind::UnexpectedCharacter { .. } => "unexpected character".to_owned(),
        ErrorKind::Custom(_) => "malformed document".to_owned(),
        _ => error.info(),
    }
}

/// A byte order mark, or every second byte zero as in UTF-16 without one.
pub(crate) fn is_utf16(bytes: &[u8]) -> bool {
    match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => true,
        [first, second, ..] => (*first == 0) != (*second == 0),
        _ => false,
    }
}

fn line_at(bytes: &[u8], offset: usize) -> usize {
    1 + bytes[..offset]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
