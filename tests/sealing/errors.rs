//! Texts of errors that no command of `signet` can be brought to say: provoked here, kept in errors.txt.
//! `TRYCMD=overwrite` writes down what they say now.

use std::error::Error;
use std::fmt;
use std::path::Path;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::ToSpan as _;
use rand::{TryCryptoRng, TryRng};
use sealing::{KeyRequest, SealingKey, SecretInput, reseal, seal};
use serde_json::json;

use crate::data::{certificate, file, keyring, now, request, sealed, secret};

#[test]
fn what_no_command_says_is_kept_in_a_golden_file() {
    let errors = [
        unusable_certificate(),
        odd_size(),
        expired(),
        no_randomness(),
        deprecated_form(),
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/sealing/errors.txt");
    let assert = snapbox::Assert::new().action_env("TRYCMD");
    assert.eq(
        errors.concat(),
        snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)),
    );
}

fn text(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&error| error.source());
    let causes: String = causes
        .map(|cause| format!("caused by: {cause}\n"))
        .collect();
    format!("{error}\n{causes}\n")
}

fn unusable_certificate() -> String {
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
    text(&SealingKey::from_secret(&secret).expect_err("refused"))
}

fn odd_size() -> String {
    let request = KeyRequest {
        bits: 1000,
        ..request("k")
    };
    text(&SealingKey::generate(&request, now()).expect_err("refused"))
}

fn expired() -> String {
    let certificate = certificate("test-cert.pem");
    let late = certificate.not_after() + 1.second();
    let input = SecretInput::from_value(secret().into()).expect("a Secret");
    text(&seal(&input, None, &certificate, late, &mut rand::rngs::SysRng).expect_err("refused"))
}

fn no_randomness() -> String {
    let input = SecretInput::from_value(secret().into()).expect("a Secret");
    text(
        &seal(
            &input,
            None,
            &certificate("test-cert.pem"),
            now(),
            &mut Broken,
        )
        .expect_err("refused"),
    )
}

fn deprecated_form() -> String {
    let mut sealed = sealed(&secret(), None).expect("sealed");
    sealed.spec =
        serde_json::from_value(json!({ "encryptedData": {}, "data": "AAAA" })).expect("a spec");
    let current = certificate("test-cert.pem");
    text(&reseal(&sealed, &keyring(), &current, &mut rand::rngs::SysRng).expect_err("refused"))
}

/// A generator that has nothing to give.
struct Broken;

#[derive(Debug)]
struct Nothing;

impl fmt::Display for Nothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

impl Error for Nothing {}

impl TryRng for Broken {
    type Error = Nothing;

    fn try_next_u32(&mut self) -> Result<u32, Nothing> {
        Err(Nothing)
    }

    fn try_next_u64(&mut self) -> Result<u64, Nothing> {
        Err(Nothing)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Nothing> {
        Err(Nothing)
    }
}

impl TryCryptoRng for Broken {}
