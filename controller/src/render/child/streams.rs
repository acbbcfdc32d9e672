//! Reads what a child writes, up to a limit. It never waits for more than the child's own end.

use std::io::{self, Read};

/// What came out of a pipe.
pub(super) enum Stream {
    Whole(Vec<u8>),
    /// More than the limit; the rest was not read.
    Cut(Vec<u8>),
}

/// Reads all of `pipe`, or the first `limit` bytes of it.
pub(super) fn read(pipe: impl Read, limit: usize) -> io::Result<Stream> {
    let mut bytes = Vec::new();
    pipe.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        bytes.truncate(limit);
        return Ok(Stream::Cut(bytes));
    }
    Ok(Stream::Whole(bytes))
}

/// Reads the first `limit` bytes and throws the rest away, so that who writes never waits.
pub(super) fn read_beginning(mut pipe: impl Read, limit: usize) -> io::Result<Stream> {
    let mut bytes = Vec::new();
    pipe.by_ref().take(limit as u64).read_to_end(&mut bytes)?;
    io::copy(&mut pipe, &mut io::sink())?;
    Ok(Stream::Whole(bytes))
}
