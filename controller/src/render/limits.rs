//! How much one Application may bring along: what is read is held in memory while it is compared.

/// All manifest files of a source together; Argo CD's default for a directory, so that no source fits there only.
pub(super) const TOTAL_BYTES: usize = 10 * 1024 * 1024;
