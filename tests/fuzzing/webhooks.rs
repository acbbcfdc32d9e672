//! Fuzz target: what strangers send to `/api/webhook`. An input is a line `SENDER EVENT PROOF`, then the body.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use serde_json::Value;

use super::payload::{self, Event};
use super::provider::{Proof, Provider};
use super::secrets::Secrets;
use super::signature;

pub fn target(data: &[u8]) {
    let Some((provider, headers, body)) = request(data) else {
        return;
    };
    nobody_is_believed(provider, &headers, body);
    if let Ok(Event::Push(locations)) = payload::read(provider, &headers, body) {
        // What is not looked at may be deeper than a value can be.
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return;
        };
        let mut texts = Vec::new();
        collect(&body, &mut texts);
        assert!(!locations.is_empty() && locations.len() <= 16);
        for location in locations {
            is_named_by_one_of(location.as_str(), &texts);
        }
    }
}

fn request(data: &[u8]) -> Option<(Provider, HeaderMap, &[u8])> {
    let end = data.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&data[..end]).ok()?;
    let mut words = line.splitn(3, ' ');
    let name = words.next()?;
    let provider = Provider::ALL
        .into_iter()
        .find(|provider| provider.name() == name)?;
    let mut headers = HeaderMap::new();
    let event = words.next()?.replace('_', " ");
    headers.insert(provider.event_header(), HeaderValue::from_str(&event).ok()?);
    if let Some(proof) = words.next() {
        let name = match provider.proof() {
            Proof::Hmac(name) | Proof::Token(name) => HeaderName::from_static(name),
            Proof::Basic => header::AUTHORIZATION,
        };
        headers.insert(name, HeaderValue::from_str(proof).ok()?);
    }
    Some((provider, headers, &data[end + 1..]))
}

/// No input of a fuzzer knows a secret, and where there is none nobody is believed either.
fn nobody_is_believed(provider: Provider, headers: &HeaderMap, body: &[u8]) {
    let keys = provider.keys().iter();
    let secret = ByteString(b"0f1e2d3c4b5a69788796a5b4c3d2e1f0".to_vec());
    let data = keys.map(|key| ((*key).to_owned(), secret.clone()));
    let known = Secrets::decode(&Secret {
        data: Some(data.collect()),
        ..Secret::default()
    });
    for secrets in [known, Secrets::default()] {
        assert!(signature::verify(provider, headers, body, &secrets, false).is_err());
    }
}

/// A place is spelled by one text of the body: a host and a path of two texts are no place.
fn is_named_by_one_of(location: &str, texts: &[String]) {
    let (host, path) = location.split_once('/').expect("a host and a path");
    assert!(!host.is_empty() && !path.is_empty());
    assert!(!host.contains(['@', ' ']), "{host}");
    let last = path.rsplit('/').next().unwrap_or_default();
    let names = |text: &&String| text.contains(host) && text.contains(last);
    assert!(texts.iter().any(|text| names(&text)), "{location}");
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.to_lowercase()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

#[cfg(test)]
#[test]
fn the_corpus_keeps_the_properties() {
    crate::fuzz_replay::replay("webhooks", target);
}
