//! Reads one SealedSecret from a request: JSON or YAML, bounded in size.
//! It must not accept another kind, nor tell the caller more than a status.

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use crds::SealedSecret;
use crds::names::sealed_secret;
use serde_json::Value;

/// Largest body: ten times what etcd can hold of one object.
const LARGEST: usize = 10 << 20;

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
    Unreadable,
    NotASealedSecret,
}

impl Problem {
    /// As upstream answers.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::NotASealedSecret => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// The SealedSecret of a request.
pub(super) async fn sealed_secret(
    body: Body,
    documents: Documents,
) -> Result<SealedSecret, Problem> {
    decode(&object(body, documents).await?)
}

/// The object of a request, as it came.
pub(super) async fn object(body: Body, documents: Documents) -> Result<Value, Problem> {
    let bytes = to_bytes(body, LARGEST).await.map_err(|error| {
        // Axum hides the limit's error as a source.
        let too_large = std::error::Error::source(&error)
            .is_some_and(|source| source.to_string().contains("length limit"));
        if too_large {
            Problem::TooLarge
        } else {
            Problem::Unreadable
        }
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Problem::NotASealedSecret)?;
    parse(text, documents)
        .filter(is_sealed_secret)
        .ok_or(Problem::NotASealedSecret)
}

pub(super) fn decode(object: &Value) -> Result<SealedSecret, Problem> {
    crds::decode(object).map_err(|_| Problem::NotASealedSecret)
}

fn is_sealed_secret(object: &Value) -> bool {
    object["apiVersion"] == sealed_secret::API_VERSION && object["kind"] == sealed_secret::KIND
}

fn parse(text: &str, documents: Documents) -> Option<Value> {
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let text = text.trim_start_matches('\u{feff}');
    let (first, further) = split(text);
    if further && documents == Documents::One {
        return None;
    }
    serde_saphyr::from_str(first).ok()
}

/// The first YAML document, and whether another begins after it. A marker before all content begins the first one.
fn split(text: &str) -> (&str, bool) {
    let mut begun = false;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let marker = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if marker && begun {
            return (&text[..offset], true);
        }
        let content = line.trim();
        begun |= !marker && !content.is_empty() && !content.starts_with('#');
        offset += line.len();
    }
    (text, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\n";

    async fn read(text: &str, documents: Documents) -> Result<Value, Problem> {
        object(Body::from(text.to_owned()), documents).await
    }

    #[tokio::test]
    async fn json_and_yaml_are_read() {
        assert!(read(OBJECT, Documents::One).await.is_ok());
        let json = "{\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":\"SealedSecret\"}";
        assert!(read(json, Documents::One).await.is_ok());
    }

    #[tokio::test]
    async fn another_kind_or_none_is_refused() {
        for text in [
            "",
            "x",
            "kind: SealedSecret\n",
            "apiVersion: v1\nkind: Secret\n",
            "[",
            "\u{0}",
        ] {
            assert_eq!(
                read(text, Documents::One).await,
                Err(Problem::NotASealedSecret),
                "{text:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_second_document_is_refused_or_left_unread() {
        let two = format!("---\n{OBJECT}---\n: broken [\n");
        assert_eq!(
            read(&two, Documents::One).await,
            Err(Problem::NotASealedSecret)
        );
        assert!(read(&two, Documents::First).await.is_ok());
        assert!(
            read(&format!("# note\n---\n{OBJECT}"), Documents::One)
                .await
                .is_ok()
        );
    }

    #[tokio::test]
    async fn a_body_beyond_ten_mebibytes_is_too_large() {
        let large = format!("{OBJECT}#{}", "x".repeat(LARGEST));
        assert_eq!(read(&large, Documents::One).await, Err(Problem::TooLarge));
    }
}
