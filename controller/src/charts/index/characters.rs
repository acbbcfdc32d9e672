//! The characters of UTF-8 text that is read bit by bit, with a limit on how many belong to one value.
//! It holds no more of the text than its reader does.

use std::{cell::Cell, io::BufRead, rc::Rc};

use granit_parser::{ErrorKind, InputIoError};

use super::super::limits::VALUE_CHARACTERS;

/// Characters of a text.
pub(super) struct Characters<R> {
    input: R,
    /// How many were read since the last event, for the parser's consumer to set back.
    since: Rc<Cell<usize>>,
}

impl<R: BufRead> Characters<R> {
    pub(super) fn new(input: R, since: Rc<Cell<usize>>) -> Self {
        Self { input, since }
    }

    fn read(&mut self) -> Result<Option<char>, ErrorKind> {
        let buffer = self.input.fill_buf().map_err(failed)?;
        let Some(&first) = buffer.first() else {
            return Ok(None);
        };
        if first.is_ascii() {
            self.input.consume(1);
            return Ok(Some(char::from(first)));
        }
        let width = first.leading_ones() as usize;
        if !(2..=4).contains(&width) {
            return Err(not_utf8());
        }
        let mut bytes = [0; 4];
        // One character may lie in two pieces of the text.
        self.input
            .read_exact(&mut bytes[..width])
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => not_utf8(),
                _ => failed(error),
            })?;
        let text = std::str::from_utf8(&bytes[..width]).map_err(|_| not_utf8())?;
        Ok(text.chars().next())
    }
}

impl<R: BufRead> Iterator for Characters<R> {
    type Item = Result<char, ErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        self.since.set(self.since.get() + 1);
        if self.since.get() > VALUE_CHARACTERS {
            return Some(Err(ErrorKind::InputByteLimitExceeded {
                limit: VALUE_CHARACTERS,
            }));
        }
        self.read().transpose()
    }
}

fn failed(error: std::io::Error) -> ErrorKind {
    ErrorKind::InputIo {
        error: InputIoError::from_io(error),
    }
}

fn not_utf8() -> ErrorKind {
    ErrorKind::InputDecoding {
        message: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn characters(bytes: &[u8]) -> Result<String, ErrorKind> {
        // A buffer of one byte cuts each character that has more.
        let reader = BufReader::with_capacity(1, bytes);
        Characters::new(reader, Rc::default()).collect()
    }

    #[test]
    fn characters_that_lie_in_two_pieces_are_put_together() {
        assert_eq!(characters("aé€😀".as_bytes()), Ok("aé€😀".to_owned()));
    }

    #[test]
    fn what_is_not_utf8_is_an_error() {
        for bytes in [
            &[0xff][..],
            &[0xc3],
            &[0xc3, b'a'],
            &[0xed, 0xa0, 0x80],
            &[0x80],
        ] {
            assert_eq!(characters(bytes), Err(not_utf8()), "{bytes:?}");
        }
    }

    #[test]
    fn no_value_is_read_without_end() {
        let endless = BufReader::new(std::io::repeat(b'a'));
        let read = Characters::new(endless, Rc::default()).find(Result::is_err);
        let limit = VALUE_CHARACTERS;
        assert_eq!(read, Some(Err(ErrorKind::InputByteLimitExceeded { limit })));
    }
}
