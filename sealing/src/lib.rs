//! The pure part of Signet: envelope, keys, scopes, Secrets and templates. No I/O, no async, no clock.
