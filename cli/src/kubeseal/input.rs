//! Input as kubeseal's stream decoder takes it: JSON objects one after the other, or YAML documents between `---`.
//! Unlike that decoder it hides nothing: what can't be read is an error. Must not know what is done with the objects.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use sealing::SecretValue;
use serde_json::Deserializer;
use zeroize::Zeroizing;

use super::coerce;
use super::go_text::system_error;
use super::json_value;
use super::schema::Struct;
use super::texts::Error;
use super::typed::{self, Names};
use crate::documents::{Input, Place, is_utf16, read_open_file, read_secret, without_content};
use crate::node::{Builder, Node};
use crate::report;

/// One object of the input.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) value: SecretValue,
}

/// The input of a run: opened before anything else is done, and once only, since it may be a pipe.
#[derive(Debug)]
pub(super) enum Opened {
    Stdin,
    File { path: PathBuf, file: File },
}

impl Opened {
    /// No path is standard input; `-` is the name of a file like any other.
    pub(super) fn new(path: Option<&Path>) -> io::Result<Self> {
        match path {
            None => Ok(Self::Stdin),
            Some(path) => Ok(Self::File {
                path: path.to_owned(),
                file: File::open(path)?,
            }),
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> Input {
        match self {
            Self::Stdin => Input::Stdin,
            Self::File { path, .. } => Input::File(path.clone()),
        }
    }

    /// All that there is to read.
    pub(super) fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        match self {
            Self::Stdin => read_secret(&mut io::stdin().lock(), 0)
                .map_err(|error| Error::Stdin(system_error(&error))),
            Self::File { path, file } => {
                read_open_file(file).map_err(|error| Error::file("read", path, &error))
            }
        }
    }
}

/// All objects of `input` as `type_`. What is said in another spelling than it was written is warned of.
pub(super) fn read(input: &Opened, type_: &'static Struct) -> Result<Vec<Object>, Error> {
    let bytes = input.bytes()?;
    parse(&input.name(), &bytes, type_)
}

pub(super) fn parse(
    input: &Input,
    bytes: &[u8],
    type_: &'static Struct,
) -> Result<Vec<Object>, Error> {
    let Some(text) = str::from_utf8(bytes).ok().filter(|_| !is_utf16(bytes)) else {
        return Err(Error::NothingReadable(Box::new(Error::Syntax {
            place: Place {
                input: input.clone(),
                document: 1,
                line: 1,
            },
            problem: "expected UTF-8".to_owned(),
        })));
    };
    let mut stream = Stream {
        input,
        text,
        type_,
        at: 0,
        document: 0,
        objects: Vec::new(),
    };
    match stream.read() {
        Ok(()) => Ok(stream.objects),
        // Where Go's decoder skips what it can't read, nothing is left, and that is what scripts look for.
        Err(error) if stream.objects.is_empty() && error.is_skipped_by_go() => {
            Err(Error::NothingReadable(Box::new(error)))
        }
        Err(error) => Err(error),
    }
}

struct Stream<'text> {
    input: &'text Input,
    text: &'text str,
    type_: &'static Struct,
    /// Bytes that are read.
    at: usize,
    document: usize,
    objects: Vec<Object>,
}

impl Stream<'_> {
    fn read(&mut self) -> Result<(), Error> {
        let is_json = self.text.trim_start().starts_with('{');
        let as_json = if is_json { self.read_json() } else { Ok(()) };
        match as_json {
            Ok(()) => self.read_yaml(),
            // A stream of JSON objects stays one; after the first it may still be YAML that begins with a brace.
            Err(error) if self.document > 1 => Err(error),
            Err(error) => {
                let before = self.objects.len();
                self.skip_line_of_spaces();
                let as_yaml = self.read_yaml();
                match as_yaml {
                    Err(Error::Mismatch(_) | Error::NoObject(_))
                        if self.objects.len() == before =>
                    {
                        Err(error)
                    }
                    other => other,
                }
            }
        }
    }

    fn read_json(&mut self) -> Result<(), Error> {
        loop {
            let rest = &self.text[self.at..];
            let spaces = rest.len() - rest.trim_start().len();
            if rest.len() == spaces {
                self.at = self.text.len();
                return Ok(());
            }
            let start = self.at + spaces;
            let mut values =
                Deserializer::from_str(&self.text[start..]).into_iter::<json_value::Json>();
            let value = match values.next() {
                Some(Ok(json_value::Json(value))) => value,
                Some(Err(error)) => {
                    let problem = json_value::problem(&self.text[start..], &error);
                    return Err(self.syntax(start, &problem));
                }
                None => return Ok(()),
            };
            let end = start + values.byte_offset();
            self.push(value, "")?;
            self.document += 1;
            self.at = end;
        }
    }

    fn skip_line_of_spaces(&mut self) {
        let rest = &self.text[self.at..];
        let spaces = rest.len() - rest.trim_start().len();
        let line = rest[..spaces].find('\n').map_or(spaces, |end| end + 1);
        self.at += line;
    }

    /// Chunks between lines that begin with `---`, each with its own parser.
    fn read_yaml(&mut self) -> Result<(), Error> {
        let mut chunk = self.at..self.at;
        let rest = &self.text[self.at..];
        for line in rest.split_inclusive('\n') {
            if let Some(after) = line.strip_prefix("---") {
                let after = after.trim();
                if !after.is_empty() && !after.starts_with('#') {
                    return Err(self.syntax(chunk.end, "expected nothing but a comment behind ---"));
                }
                self.read_chunk(chunk.clone())?;
                chunk = chunk.end + line.len()..chunk.end + line.len();
            } else {
                chunk.end += line.len();
            }
        }
        self.read_chunk(chunk)
    }

    fn read_chunk(&mut self, chunk: std::ops::Range<usize>) -> Result<(), Error> {
        let text = &self.text[chunk.clone()];
        // A chunk of nothing but `%YAML 1.1` is the head of the next one.
        let mut lines = text.lines().map(str::trim);
        if lines.all(|line| line.is_empty() || line.starts_with(['#', '%'])) {
            return Ok(());
        }
        self.document += 1;
        let first_line = self.line_at(chunk.start);
        let mut builder = Builder::new(text, chunk.start, first_line);
        let Some(node) = self.next_document(&mut builder)? else {
            return Ok(());
        };
        let (value, respelled) = coerce::coerce(&node, self.type_)
            .map_err(|problem| self.syntax_at(problem.line, problem.fault.to_string()))?;
        self.push(value, "error unmarshaling JSON: while decoding JSON: ")?;
        for respelled in respelled {
            let place = self.place(respelled.line);
            report::warning(format_args!("{place}: {}", respelled.warning()));
        }
        // Here Go's decoder stops reading, at a line of `...` for one.
        match self.next_document(&mut builder)? {
            None => Ok(()),
            Some(another) => {
                let problem = "expected --- before another document".to_owned();
                Err(self.syntax_at(another.line, problem))
            }
        }
    }

    /// The next document of a chunk that says something.
    fn next_document(&self, builder: &mut Builder<'_>) -> Result<Option<Node>, Error> {
        loop {
            match builder.next_root() {
                Ok(Some(node)) if node.is_nothing() => {}
                Ok(document) => return Ok(document),
                Err(error) => {
                    let line = builder.line(error.marker());
                    return Err(self.syntax_at(line, without_content(&error)));
                }
            }
        }
    }

    /// Adds an object, unless it says nothing.
    fn push(&mut self, value: SecretValue, context: &str) -> Result<(), Error> {
        if value.is_null() {
            return Ok(());
        }
        if !matches!(value, SecretValue::Map(_)) {
            let found = typed::noun(&value);
            return Err(Error::NoObject(format!(
                "{context}json: cannot unmarshal {found} into Go value of type {}",
                self.type_.full_name
            )));
        }
        let typed = typed::read(value, self.type_, Names::AnyCase)
            .map_err(|mismatch| Error::Mismatch(format!("{context}{mismatch}")))?;
        if !typed.is_blank {
            self.objects.push(Object { value: typed.value });
        }
        Ok(())
    }

    fn line_at(&self, offset: usize) -> usize {
        1 + self.text[..offset].matches('\n').count()
    }

    fn place(&self, line: usize) -> Place {
        Place {
            input: self.input.clone(),
            document: self.document.max(1),
            line,
        }
    }

    fn syntax(&self, offset: usize, problem: &str) -> Error {
        self.syntax_at(self.line_at(offset), problem.to_owned())
    }

    fn syntax_at(&self, line: usize, problem: String) -> Error {
        Error::Syntax {
            place: self.place(line),
            problem,
        }
    }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
