//! Texts of errors of `sealing` that no command of `signet` can be brought to say: provoked here, kept in
//! `tests/errors/sealing.txt`.

use std::error::Error;
use std::fmt;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::ToSpan as _;
use rand::{TryCryptoRng, TryRng};
use sealing::go::semver::{Constraint, Flaw, Version};
use sealing::{
    KeyError, KeyRequest, ResealError, Scope, SealError, SealingKey, SecretInput, reseal, seal,
};
use serde_json::json;

use crate::data::{certificate, file, keyring, now, request, sealed, secret};
use crate::golden_errors::assert_said;

#[test]
fn what_no_command_says_is_kept_in_a_golden_file() {
    let errors: [&dyn Error; 11] = [
        &unusable_certificate(),
        &odd_size(),
        &expired(),
        &sealing_with(Draws(0)),
        &sealing_with(Draws(1)),
        &deprecated_form(),
        &"everywhere".parse::<Scope>().expect_err("refused"),
        &version("one"),
        &version("1.2.3-01"),
        &version("99999999999999999999.0.0"),
        &Constraint::parse("=> one").expect_err("refused"),
    ];
    assert_said("sealing", &errors);
}

fn version(text: &str) -> Flaw {
    Version::parse(text).expect_err("refused")
}

fn unusable_certificate() -> KeyError {
    let secret = Secret {
        data: Some(
            [
                ("tls.key", file("sealed-secrets/test-key.pem")),
                ("tls.crt", b"no certificate".to_vec()),
            ]
            .map(|(item, bytes)| (item.to_owned(), ByteString(bytes)))
            .into(),
        ),
        ..Secret::default()
    };
    SealingKey::from_secret(&secret).expect_err("refused")
}

fn odd_size() -> KeyError {
    let request = KeyRequest {
        bits: 1000,
        ..request("k")
    };
    SealingKey::generate(&request, now()).expect_err("refused")
}

fn expired() -> SealError {
    let certificate = certificate("test-cert.pem");
    let late = certificate.not_after() + 1.second();
    let input = SecretInput::from_value(secret().into()).expect("a Secret");
    seal(&input, None, &certificate, late, &mut rand::rngs::SysRng).expect_err("refused")
}

fn sealing_with(mut generator: Draws) -> SealError {
    let input = SecretInput::from_value(secret().into()).expect("a Secret");
    let certificate = certificate("test-cert.pem");
    seal(&input, None, &certificate, now(), &mut generator).expect_err("refused")
}

fn deprecated_form() -> ResealError {
    let mut sealed = sealed(&secret(), None).expect("sealed");
    sealed.spec =
        serde_json::from_value(json!({ "encryptedData": {}, "data": "AAAA" })).expect("a spec");
    let current = certificate("test-cert.pem");
    reseal(&sealed, &keyring(), &current, &mut rand::rngs::SysRng).expect_err("refused")
}

/// A generator that can be asked this many times.
struct Draws(usize);

#[derive(Debug)]
struct Exhausted;

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("exhausted")
    }
}

impl Error for Exhausted {}

impl Draws {
    fn draw<T: Default>(&mut self) -> Result<T, Exhausted> {
        self.0 = self.0.checked_sub(1).ok_or(Exhausted)?;
        Ok(T::default())
    }
}

impl TryRng for Draws {
    type Error = Exhausted;

    fn try_next_u32(&mut self) -> Result<u32, Exhausted> {
        self.draw()
    }

    fn try_next_u64(&mut self) -> Result<u64, Exhausted> {
        self.draw()
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Exhausted> {
        self.draw()
    }
}

impl TryCryptoRng for Draws {}
