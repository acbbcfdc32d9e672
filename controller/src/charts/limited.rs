//! A reader whose end is an error when more would follow. It knows nothing of what is read.

use std::io::{ErrorKind, Read, Result};

/// Gives `left` more bytes, then fails with [`ErrorKind::FileTooLarge`].
pub(super) struct Limited<R> {
    pub(super) input: R,
    pub(super) left: usize,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.input.read(buffer)?;
        self.left = self.left.checked_sub(read).ok_or(ErrorKind::FileTooLarge)?;
        Ok(read)
    }
}
