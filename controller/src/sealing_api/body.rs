//! Reads one SealedSecret from the body of a request: JSON or YAML, bounded in parts.
//! It must not accept another kind, nor tell the caller more than a status.

use axum::http::StatusCode;
use crds::SealedSecret;
use crds::names::sealed_secret;
use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;

use crate::documents;
use crate::http_server::room::{Held, Unread};

/// Largest body: ten times what etcd can hold of one object.
pub(super) const LARGEST: usize = 10 << 20;
/// Bytes of bodies that are held at once, for all callers together.
pub(super) const HELD: usize = 32 << 20;
/// Most values in one body: each takes a hundred bytes of memory where it may take two of text.
const PARTS: usize = 50_000;
/// Most items: more values than these, sealed with the smallest key there is, are no object that etcd can hold.
const ITEMS: usize = 4096;

/// Whether further YAML documents are an error or left unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Documents {
    One,
    First,
}

/// Why a body is no use.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    TooLarge,
    /// It did not arrive whole, or not in time.
    Unreadable,
    NotASealedSecret,
    /// Other callers' bodies fill the room there is.
    Busy,
}

impl Problem {
    /// As upstream answers.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::NotASealedSecret => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

/// A body that was read.
#[derive(Debug)]
pub(super) struct Text(pub(super) Held);

impl From<Unread> for Problem {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => Self::TooLarge,
            Unread::Broken => Self::Unreadable,
            Unread::Busy => Self::Busy,
        }
    }
}

/// What a body says.
#[derive(Debug, PartialEq)]
pub(super) struct Sealed {
    /// The object as it came.
    pub(super) object: Value,
    /// The same, understood.
    pub(super) sealed: SealedSecret,
}

impl Text {
    /// The SealedSecret in it.
    pub(super) fn parse(&self, documents: Documents) -> Result<Sealed, Problem> {
        let text = std::str::from_utf8(&self.0.bytes).map_err(|_| Problem::NotASealedSecret)?;
        let object = object(text, documents)?;
        let ours = object["apiVersion"] == sealed_secret::API_VERSION
            && object["kind"] == sealed_secret::KIND;
        let sealed: SealedSecret = match ours {
            true => crds::decode(&object).map_err(|_| Problem::NotASealedSecret)?,
            false => return Err(Problem::NotASealedSecret),
        };
        match sealed.spec.encrypted_data.len() > ITEMS {
            true => Err(Problem::TooLarge),
            false => Ok(Sealed { object, sealed }),
        }
    }
}

fn object(text: &str, documents: Documents) -> Result<Value, Problem> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') && parts_of_json(text) > PARTS {
        return Err(Problem::TooLarge);
    }
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    match documents::first(text) {
        Some((first, further)) if !further || documents == Documents::First => {
            serde_saphyr::from_str_with_options(first, options())
                .map_err(|_| Problem::NotASealedSecret)
        }
        _ => Err(Problem::NotASealedSecret),
    }
}

/// At least as many as there are values: each begins the text, or follows a bracket or a comma.
fn parts_of_json(text: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let mut parts = 1;
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' | b',' if !quoted => parts += 1,
            _ => {}
        }
    }
    parts
}

/// As Go reads YAML: the last of two equal keys counts. Aliases count as often as they are used.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_documents: 1,
            max_nodes: PARTS,
            max_events: 2 * PARTS,
            max_total_scalar_bytes: LARGEST,
            max_recorded_anchor_events: PARTS,
            max_recorded_anchor_bytes: LARGEST,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: PARTS,
        },
    }
}

#[cfg(test)]
mod tests;
