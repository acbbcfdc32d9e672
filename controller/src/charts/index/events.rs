//! An index as YAML events, one after the other, so that it is never held as a whole.
//! It knows nothing of charts.

use std::{cell::Cell, io::BufRead, rc::Rc};

use granit_parser::{ErrorKind, Event, FallibleBufferedInput, Parser, ScalarStyle, ScanError};

use super::{
    super::limits::{ANCHORS, INDEX_BYTES, KEPT_INDEX_BYTES, VALUE_CHARACTERS, shown},
    characters::Characters,
};

/// Why an index is not read.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::charts) enum Unreadable {
    /// The text broke off before its end: why is known to who sends it.
    BrokenOff,
    /// Larger than [`INDEX_BYTES`].
    TooLarge,
    /// More versions than [`KEPT_INDEX_BYTES`] hold.
    TooMany,
    /// It is no index.
    Problem(String),
}

impl Unreadable {
    /// The limit, for a message.
    pub(in crate::charts) fn limit(&self) -> String {
        match self {
            Self::TooMany => format!("{} of versions", shown(KEPT_INDEX_BYTES)),
            _ => shown(INDEX_BYTES),
        }
    }
}

/// The events of a text.
pub(super) struct Events<R: BufRead> {
    parser: Parser<'static, FallibleBufferedInput<Characters<R>>>,
    since: Rc<Cell<usize>>,
    anchors: usize,
}

impl<R: BufRead> Events<R> {
    pub(super) fn new(input: R) -> Self {
        let since = Rc::new(Cell::new(0));
        let characters = Characters::new(input, Rc::clone(&since));
        let options = granit_parser::options! { emit_comments: false, emit_anchor_events: true };
        Self {
            parser: Parser::new_from_fallible_iter_with_options(characters, options),
            since,
            anchors: 0,
        }
    }

    /// The next event that is part of the content.
    pub(super) fn next(&mut self) -> Result<Event<'static>, Unreadable> {
        loop {
            let next = self
                .parser
                .next()
                .unwrap_or(Ok((Event::StreamEnd, Default::default())));
            let (event, _) = next.map_err(|error| unreadable(&error))?;
            self.since.set(0);
            match event {
                Event::Anchor(..) => {
                    self.anchors += 1;
                    if self.anchors > ANCHORS {
                        return Err(problem("its index.yaml has too many YAML anchors"));
                    }
                }
                event => return Ok(event),
            }
        }
    }

    /// Passes over the next node.
    pub(super) fn skip(&mut self) -> Result<(), Unreadable> {
        let first = self.next()?;
        self.skip_from(first)
    }

    /// Passes over the node that begins with `event`.
    pub(super) fn skip_from(&mut self, mut event: Event<'static>) -> Result<(), Unreadable> {
        let mut depth = 0_usize;
        loop {
            match event {
                Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
                Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
                Event::StreamEnd => return Err(Unreadable::BrokenOff),
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
            event = self.next()?;
        }
    }
}

/// Whether a plain scalar means nothing.
pub(super) fn is_null(text: &str, style: ScalarStyle) -> bool {
    style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

pub(super) fn problem(text: &str) -> Unreadable {
    Unreadable::Problem(text.to_owned())
}

/// What the parser says, without the text that it quotes.
fn unreadable(error: &ScanError) -> Unreadable {
    match error.kind() {
        ErrorKind::InputIo { error } => match error.io_error().map(std::io::Error::kind) {
            Some(std::io::ErrorKind::FileTooLarge) => Unreadable::TooLarge,
            Some(std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput) => {
                problem("its index.yaml says that it is compressed with gzip, and is not")
            }
            _ => Unreadable::BrokenOff,
        },
        ErrorKind::InputDecoding { .. } => problem("its index.yaml is not UTF-8 text"),
        ErrorKind::InputByteLimitExceeded { .. } => Unreadable::Problem(format!(
            "its index.yaml has a value of more than {}",
            shown(VALUE_CHARACTERS)
        )),
        _ => Unreadable::Problem(format!(
            "its index.yaml is not YAML (line {})",
            error.marker().line()
        )),
    }
}
