//! From the events of `index.yaml` to an [`Index`], keeping what finds charts and passing over everything else.
//! It is as strict as Helm about what makes an index, and as lenient about single versions.

use std::{collections::btree_map::Entry, io::BufRead};

use granit_parser::Event;

use super::{
    super::limits::KEPT_INDEX_BYTES,
    Digest, Index, Release,
    events::{Events, is_null, problem},
};

pub(in crate::charts) use super::events::Unreadable;

/// What a version takes beside its texts: its place in a list, and two allocations.
const RELEASE_BYTES: usize = 128;

/// Reads an index bit by bit.
pub(in crate::charts) fn read(input: impl BufRead) -> Result<Index, Unreadable> {
    let mut reader = Reader {
        events: Events::new(input),
        index: Index::default(),
        kept: 0,
    };
    reader.document()?;
    Ok(reader.index)
}

struct Reader<R: BufRead> {
    events: Events<R>,
    index: Index,
    /// Bytes of `index`.
    kept: usize,
}

impl<R: BufRead> Reader<R> {
    fn document(&mut self) -> Result<(), Unreadable> {
        let mut event = self.events.next()?;
        while matches!(event, Event::StreamStart | Event::DocumentStart(..)) {
            event = self.events.next()?;
        }
        let Event::MappingStart(..) = event else {
            return Err(problem("its index.yaml is no mapping"));
        };
        let mut is_index = false;
        while let Some(key) = self.key()? {
            match key.as_str() {
                "apiVersion" => is_index = self.text()?.is_some_and(|version| !version.is_empty()),
                "entries" => self.charts()?,
                _ => self.events.skip()?,
            }
        }
        // Whatever follows the document is none of it, but has to be text.
        while !matches!(self.events.next()?, Event::StreamEnd) {}
        if is_index {
            return Ok(());
        }
        Err(problem("its index.yaml has no apiVersion"))
    }

    fn charts(&mut self) -> Result<(), Unreadable> {
        match self.events.next()? {
            Event::MappingStart(..) => {}
            Event::Scalar(text, style, ..) if is_null(&text, style) => return Ok(()),
            Event::Alias(_) => return Err(alias()),
            _ => return Err(problem("entries of its index.yaml is no mapping")),
        }
        while let Some(name) = self.key()? {
            let releases = self.releases()?;
            self.keep(name.len())?;
            match self.index.charts.entry(name.into()) {
                Entry::Vacant(place) => drop(place.insert(releases)),
                Entry::Occupied(_) => return Err(problem("its index.yaml lists a chart twice")),
            }
        }
        Ok(())
    }

    fn releases(&mut self) -> Result<Vec<Release>, Unreadable> {
        let mut releases = Vec::new();
        match self.events.next()? {
            Event::SequenceStart(..) => {}
            Event::Alias(_) => return Err(alias()),
            other => {
                self.events.skip_from(other)?;
                return Ok(releases);
            }
        }
        loop {
            match self.events.next()? {
                Event::SequenceEnd => break,
                Event::MappingStart(..) => releases.extend(self.release()?),
                Event::Alias(_) => return Err(alias()),
                other => self.events.skip_from(other)?,
            }
        }
        releases.shrink_to_fit();
        Ok(releases)
    }

    /// One version; `None` when it has no version or no URL, as Helm passes over such ones too.
    fn release(&mut self) -> Result<Option<Release>, Unreadable> {
        let (mut version, mut url, mut digest) = (None, None, Digest::Nothing);
        while let Some(key) = self.key()? {
            match key.as_str() {
                "version" => version = self.text()?,
                "urls" => url = self.first_text()?,
                "digest" => {
                    digest = self
                        .text()?
                        .map_or(Digest::Nothing, |text| Digest::parse(&text))
                }
                _ => self.events.skip()?,
            }
        }
        let (Some(version), Some(url)) = (version, url) else {
            return Ok(None);
        };
        self.keep(version.len() + url.len())?;
        Ok(Some(Release {
            version: version.into(),
            url: url.into(),
            digest,
        }))
    }

    /// The next key of a mapping, until its end; keys that are no text are passed over with their values.
    fn key(&mut self) -> Result<Option<String>, Unreadable> {
        loop {
            match self.events.next()? {
                Event::MappingEnd => return Ok(None),
                Event::Scalar(text, ..) if text == "<<" => return Err(alias()),
                Event::Scalar(text, ..) => return Ok(Some(text.into_owned())),
                Event::Alias(_) => return Err(alias()),
                other => {
                    self.events.skip_from(other)?;
                    self.events.skip()?;
                }
            }
        }
    }

    /// The next node as text; `None` for nothing and for what is no scalar.
    fn text(&mut self) -> Result<Option<String>, Unreadable> {
        match self.events.next()? {
            Event::Scalar(text, style, ..) if is_null(&text, style) => Ok(None),
            Event::Scalar(text, ..) => Ok(Some(text.into_owned())),
            Event::Alias(_) => Err(alias()),
            other => self.events.skip_from(other).map(|()| None),
        }
    }

    /// The first of a list of texts: Helm asks no other URL either.
    fn first_text(&mut self) -> Result<Option<String>, Unreadable> {
        match self.events.next()? {
            Event::SequenceStart(..) => {}
            Event::Alias(_) => return Err(alias()),
            other => return self.events.skip_from(other).map(|()| None),
        }
        let first = match self.events.next()? {
            Event::SequenceEnd => return Ok(None),
            Event::Scalar(text, ..) => Some(text.into_owned()),
            Event::Alias(_) => return Err(alias()),
            other => self.events.skip_from(other).map(|()| None)?,
        };
        loop {
            match self.events.next()? {
                Event::SequenceEnd => return Ok(first),
                other => self.events.skip_from(other)?,
            }
        }
    }

    fn keep(&mut self, bytes: usize) -> Result<(), Unreadable> {
        self.kept += RELEASE_BYTES + bytes;
        if self.kept > KEPT_INDEX_BYTES {
            return Err(Unreadable::TooMany);
        }
        Ok(())
    }
}

/// What an alias stands for was passed over. No tool that writes indexes uses one there.
fn alias() -> Unreadable {
    problem(
        "its index.yaml has a YAML alias in place of a chart, version or URL, which is not supported",
    )
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
