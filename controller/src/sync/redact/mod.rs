//! What of an Application others may read who don't read its spec: digests take the place of values, so that a status says
//! whether its sources have changed and not what they hold. What is unknown, or written for people, is left out.
//! It decides nothing, and where its key is kept is not its business.

mod source;
mod spec;
mod status;

use std::fmt;

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use crds::Application;

/// What a digest begins with.
const HMAC: &str = "hmac-sha256:";
/// 256 bits in base64.
const LETTERS: usize = 43;

/// Makes digests that nobody can make, or try guesses against, without its key.
#[derive(Clone)]
pub struct Redactor(hmac::Key);

impl Redactor {
    /// `key` is of any length; from 32 bytes on it can't be guessed.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// For one Application. Of another the same value has another digest, so that it can't be guessed by writing it elsewhere.
    #[must_use]
    pub fn of<'a>(&'a self, namespace: &'a str, name: &'a str) -> Redaction<'a> {
        Redaction {
            redactor: self,
            application: [namespace, name],
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

/// Redacts what belongs to one Application. What is redacted already stays as it is.
#[derive(Debug)]
pub struct Redaction<'a> {
    redactor: &'a Redactor,
    application: [&'a str; 2],
}

impl Redaction<'_> {
    /// The whole of it.
    pub fn application(&self, application: &mut Application) {
        let Application {
            metadata: _,
            spec,
            operation,
            status,
        } = application;
        self.spec(spec);
        let operation = operation.iter_mut();
        operation.for_each(|operation| self.request(operation));
        status.iter_mut().for_each(|status| self.status(status));
    }

    /// An empty text holds nothing.
    fn text(&self, place: &[&str], text: &mut String) {
        if !text.is_empty() && !is_digest(text) {
            *text = self.digest(place, text);
        }
    }

    /// HMAC-SHA256 (RFC 2104) of Application, place and value, each with its length in front.
    fn digest(&self, place: &[&str], value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.redactor.0);
        for part in self.application.iter().chain(place).chain([&value]) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        format!("{HMAC}{}", BASE64_URL_SAFE_NO_PAD.encode(context.sign()))
    }
}

/// It stands in the place of a value already.
fn is_digest(text: &str) -> bool {
    text.strip_prefix(HMAC).is_some_and(|tag| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        tag.len() == LETTERS && tag.bytes().all(is_letter)
    })
}

#[cfg(test)]
mod tests;
