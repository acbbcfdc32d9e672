//! Whether a webhook comes from somebody who knows the secret. Comparisons take the same time whatever is compared.
//! It must not look at what a body says, nor let a caller learn why it was refused.

use aws_lc_rs::{constant_time, digest, hmac};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::provider::{Proof, Provider};
use super::secrets::{Configured, Secrets, without_braces};

/// Why a webhook is not believed. For our log alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no secret is configured for it")]
    NoSecret,
    #[error("its secret is configured as a key of another Secret, which is not supported yet")]
    SecretElsewhere,
    #[error("it carries no {0}")]
    Unsigned(&'static str),
    #[error("its {0} does not fit the secret")]
    Wrong(&'static str),
}

/// Accepts what a sender signed. Where no secret is configured, `allow_unsigned` says whether anybody is believed.
pub(super) fn verify(
    provider: Provider,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &Secrets,
    allow_unsigned: bool,
) -> Result<(), Refusal> {
    let secret = match secrets.of(provider) {
        Some(Configured::Value(secret)) => secret,
        Some(Configured::Elsewhere) => return Err(Refusal::SecretElsewhere),
        None if allow_unsigned => return Ok(()),
        None => return Err(Refusal::NoSecret),
    };
    let header = match provider.proof() {
        Proof::Hmac(name) | Proof::Token(name) => name,
        Proof::Basic => AUTHORIZATION.as_str(),
    };
    let value = headers.get(header).ok_or(Refusal::Unsigned(header))?;
    let value = value.as_bytes();
    let fits = match provider.proof() {
        Proof::Hmac(_) => is_signed(value, body, secret),
        Proof::Token(_) if provider == Provider::BitbucketCloud => {
            is_equal(without_braces(value), secret)
        }
        Proof::Token(_) => is_equal(value, secret),
        Proof::Basic => basic(value).is_some_and(|pair| is_equal(&pair, secret)),
    };
    fits.then_some(()).ok_or(Refusal::Wrong(header))
}

/// HMAC-SHA256(secret, body) = value, written in hexadecimal, some put `sha256=` before it.
fn is_signed(value: &[u8], body: &[u8], secret: &[u8]) -> bool {
    let value = value.strip_prefix(b"sha256=").unwrap_or(value);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    unhex(value).is_some_and(|tag| hmac::verify(&key, body, &tag).is_ok())
}

fn unhex(text: &[u8]) -> Option<[u8; digest::SHA256_OUTPUT_LEN]> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
    let (pairs, rest) = text.as_chunks::<2>();
    if pairs.len() != bytes.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = u8::try_from(16 * digit(*high)? + digit(*low)?).ok()?;
    }
    Some(bytes)
}

/// SHA256(a) = SHA256(b): digests are equally long, so not even the length of the secret shows.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    let [a, b] = [a, b].map(|text| digest::digest(&digest::SHA256, text));
    constant_time::verify_slices_are_equal(a.as_ref(), b.as_ref()).is_ok()
}

/// `user:password` of a header for basic authentication.
fn basic(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (scheme, pair) = value.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    STANDARD.decode(pair.trim_ascii()).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf %s '{"a":1}' | openssl dgst -sha256 -hmac secret`
    const TAG: &str = "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494";
    const BODY: &[u8] = br#"{"a":1}"#;

    #[test]
    fn a_body_is_signed_by_the_hmac_that_openssl_makes_in_either_case() {
        for value in [TAG.to_owned(), format!("sha256={TAG}"), TAG.to_uppercase()] {
            assert!(is_signed(value.as_bytes(), BODY, b"secret"), "{value}");
        }
    }

    #[test]
    fn another_secret_body_or_form_of_signature_is_none() {
        let value = TAG.as_bytes();
        assert!(!is_signed(value, BODY, b"Secret"));
        assert!(!is_signed(value, b"{}", b"secret"));
        let longer = format!("{TAG}00");
        for value in [
            &TAG[1..],
            &longer,
            &TAG.replace('a', "g"),
            "",
            "sha1=00",
            "sha256=",
        ] {
            assert!(!is_signed(value.as_bytes(), BODY, b"secret"), "{value}");
        }
    }

    #[test]
    fn basic_authentication_is_read_whatever_the_case_of_its_name() {
        let read = |value: &[u8]| basic(value).map(|pair| pair.to_vec());
        assert_eq!(read(b"Basic YTpi"), Some(b"a:b".to_vec()));
        assert_eq!(read(b"basic YTpi"), Some(b"a:b".to_vec()));
        assert_eq!(read(b"Bearer YTpi"), None);
        assert_eq!(read(b"Basic"), None);
    }

    #[test]
    fn texts_are_equal_when_all_of_them_is() {
        assert!(is_equal(b"secret", b"secret"));
        assert!(!is_equal(b"secret", b"secre") && !is_equal(b"", b"secret"));
    }
}
