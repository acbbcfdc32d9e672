//! Fuzz target: sealed values, their base64, and the PEM of keys and certificates.
//! The first byte of an input picks the property, so that each file of the corpus shows what it is for.

use std::sync::LazyLock;

use crate::envelope::{PublicKey, seal_value};
use crate::scope::{Label, Scope};
use crate::{Certificate, Keyring, PrivateKey, base64};

use dice::Dice;

#[path = "dice.rs"]
pub(crate) mod dice;

static CERTIFICATE: LazyLock<PublicKey> = LazyLock::new(|| {
    let pem = include_bytes!("../vectors/sealed-secrets/test-cert.pem");
    let certificate = Certificate::from_pem(pem).expect("the test certificate");
    certificate.public_key().clone()
});

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let pem = include_bytes!("../vectors/sealed-secrets/test-key.pem");
    let keyring = Keyring::default();
    keyring.insert_private(
        "test".to_owned(),
        PrivateKey::from_pem(pem).expect("the test key"),
    );
    keyring
});

pub fn target(data: &[u8]) {
    match data.split_first() {
        Some((b'b', text)) => base64_is_read_as_go_reads_it(text),
        Some((b'o', bytes)) => what_opens_does_not_open_once_changed(bytes),
        Some((b's', text)) => what_is_sealed_opens_under_its_own_label_only(text),
        Some((b'p', text)) => pem_is_read_or_refused(text),
        _ => {}
    }
}

fn base64_is_read_as_go_reads_it(text: &[u8]) {
    let read = base64::decode(text).map_err(|error| error.offset);
    assert_eq!(read, go_base64(text));
    if let Ok(bytes) = read {
        let again = base64::decode(base64::encode(&bytes).as_bytes());
        assert_eq!(again.as_deref(), Ok(bytes.as_slice()));
    }
}

/// A model of Go's `StdEncoding.Decode`, one quantum after the other: the bytes, or the offset of its error.
fn go_base64(text: &[u8]) -> Result<Vec<u8>, usize> {
    let is_break = |at: usize| matches!(text.get(at), Some(b'\r' | b'\n'));
    let after_breaks = |mut at: usize| {
        while is_break(at) {
            at += 1;
        }
        at
    };
    let (mut bytes, mut quantum, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(byte) = text.get(at) {
        at += 1;
        if is_break(at - 1) {
            continue;
        }
        if let Some(digit) = digit(*byte) {
            quantum.push(digit);
            if quantum.len() == 4 {
                bytes.extend(joined(&quantum));
                quantum.clear();
            }
            continue;
        }
        if *byte != b'=' || quantum.len() < 2 {
            return Err(at - 1);
        }
        if quantum.len() == 2 {
            at = after_breaks(at);
            match text.get(at) {
                None => return Err(text.len()),
                Some(b'=') => at += 1,
                Some(_) => return Err(at - 1),
            }
        }
        at = after_breaks(at);
        bytes.extend(&joined(&quantum)[..quantum.len() - 1]);
        return if at < text.len() { Err(at) } else { Ok(bytes) };
    }
    if quantum.is_empty() {
        Ok(bytes)
    } else {
        Err(at - quantum.len())
    }
}

fn digit(byte: u8) -> Option<u32> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place = ALPHABET.iter().position(|digit| *digit == byte)?;
    u32::try_from(place).ok()
}

/// Up to four digits as three bytes; the missing ones count as zero.
fn joined(quantum: &[u32]) -> [u8; 3] {
    let bits = (0..4).fold(0, |bits, place| {
        bits << 6 | quantum.get(place).copied().unwrap_or_default()
    });
    let [_, bytes @ ..] = bits.to_be_bytes();
    bytes
}

fn what_opens_does_not_open_once_changed(bytes: &[u8]) {
    for scope in [Scope::Strict, Scope::NamespaceWide, Scope::ClusterWide] {
        let label = scope.label("myns", "mysecret");
        if KEYRING.open(&label, bytes).is_some() {
            assert_changes_do_not_open(bytes, &label, checksum(bytes));
        }
    }
}

/// `NAMESPACE`, `NAME` and plaintext, a line each; the plaintext is the rest and may be anything.
fn what_is_sealed_opens_under_its_own_label_only(text: &[u8]) {
    let mut lines = text.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (namespace, name) = (
        String::from_utf8_lossy(line()),
        String::from_utf8_lossy(line()),
    );
    let plaintext = line();
    let chance = checksum(text);
    let scopes = [Scope::Strict, Scope::NamespaceWide, Scope::ClusterWide];
    let label =
        |index: u64| scopes[usize::try_from(index % 3).unwrap_or(0)].label(&namespace, &name);
    let (own, other) = (label(chance), label(chance + 1));

    let sealed = seal_value(&CERTIFICATE, &own, plaintext, &mut Dice(chance));
    let sealed = base64::decode(sealed.expect("a value can be sealed").as_bytes());
    let sealed = sealed.expect("a sealed value is base64");
    let opened = KEYRING.open(&own, &sealed).expect("a sealed value opens");
    assert_eq!(opened.plaintext.expose(), plaintext);
    if own != other {
        assert!(
            KEYRING.open(&other, &sealed).is_none(),
            "opens as {other:?}"
        );
    }
    assert_changes_do_not_open(&sealed, &own, chance);
}

/// One bit flipped, the end cut off, a byte added: none of them opens.
fn assert_changes_do_not_open(sealed: &[u8], label: &Label, chance: u64) {
    let place = usize::try_from(chance).unwrap_or(0) % sealed.len();
    let mut flipped = sealed.to_vec();
    flipped[place] ^= 1 << (chance >> 32 & 7);
    let longer = [sealed, &[0]].concat();
    for changed in [&flipped, &sealed[..place], &longer] {
        assert!(KEYRING.open(label, changed).is_none(), "opens: {changed:?}");
    }
}

fn pem_is_read_or_refused(text: &[u8]) {
    if let Ok(certificate) = Certificate::from_pem(text) {
        let again = Certificate::from_pem(certificate.pem().as_bytes());
        let again = again.expect("what is written can be read");
        assert_eq!(again.fingerprint(), certificate.fingerprint());
    }
    if let Err(error) = PrivateKey::from_pem(text) {
        assert!(!error.to_string().contains("MII"), "{error}");
    }
}

/// FNV-1a: what varies with an input comes from the input, so that each finding can be repeated.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
#[test]
fn the_corpus_keeps_the_properties() {
    crate::fuzz_replay::replay("envelope", target);
}
