//! Opened today.
