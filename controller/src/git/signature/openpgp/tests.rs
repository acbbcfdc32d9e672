//! Certificates that somebody took apart or put together anew, from the keys that the real gpg made for tests/signatures.

use super::{
    super::armor,
    Certificate,
    packet::{Packet, packets},
    signature::Signature,
    signature_of,
};

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../../../../tests/signatures/", $name))
    };
}

/// When the keys were made, were used, and are looked at (2026-02-01, 2026-06-01).
const SIGNED: i64 = 1_769_904_000;
const NOW: i64 = 1_780_272_000;
const TAG_SIGNATURE: u8 = 2;

fn block(text: &str) -> Vec<u8> {
    armor::all(text, super::KEYS).unwrap().remove(0)
}

/// The certificate of these packets, in the newer frames.
fn framed(packets: &[Packet<'_>]) -> Vec<u8> {
    let mut block = Vec::new();
    for packet in packets {
        let length = u32::try_from(packet.body.len()).unwrap().to_be_bytes();
        block.extend([&[0xc0 | packet.tag, 255], &length[..], packet.body].concat());
    }
    block
}

/// What becomes of the signature of the subkey in `with-subkey` when its certificate is these packets.
fn verdict(packets: &[Packet<'_>]) -> Result<Option<i64>, &'static str> {
    let object = file!("cases/openpgp-subkey-of-a-listed-key");
    let (_, object) = object.split_once("--- commit\n").unwrap();
    let signed = super::super::Signed::commit(object.as_bytes()).unwrap();
    let text = signed.signature.unwrap();
    let made = armor::only(&text, super::LABEL).unwrap();
    let signature = signature_of(&made).unwrap();
    let certificates = Certificate::read(&framed(packets)).unwrap();
    let candidate = certificates
        .iter()
        .flat_map(|certificate| certificate.candidates(&signature))
        .next();
    let candidate = candidate.expect("the subkey is among the packets");
    assert_eq!(
        signature.is_of(candidate.key(), &[&signed.payload]),
        Ok(true)
    );
    candidate.valid_until(SIGNED, NOW)
}

#[test]
fn a_subkey_counts_with_all_that_binds_it_and_without_any_part_of_it_does_not() {
    let whole = block(file!("keys/with-subkey.asc"));
    let [primary, user, certification, subkey, binding] = packets(&whole).unwrap()[..] else {
        unreachable!("a primary key with one user ID and one subkey");
    };
    let nothing = "the key has no valid signature of its own over it";
    for (what, packets, expected) in [
        (
            "all",
            vec![primary, user, certification, subkey, binding],
            Ok(None),
        ),
        (
            "no binding",
            vec![primary, user, certification, subkey],
            Err(nothing),
        ),
        (
            "no certification",
            vec![primary, user, subkey, binding],
            Err(nothing),
        ),
        (
            "the certification of another",
            vec![primary, user, binding, subkey, binding],
            Err(nothing),
        ),
        (
            "the binding in front of the subkey",
            vec![primary, user, certification, binding, subkey],
            Err(nothing),
        ),
    ] {
        assert_eq!(verdict(&packets), expected, "{what}");
    }
}

#[test]
fn nobody_can_adopt_the_subkey_of_another() {
    let (mine, yours) = (
        block(file!("keys/ed25519.asc")),
        block(file!("keys/with-subkey.asc")),
    );
    let mut adopted = packets(&mine).unwrap();
    adopted.extend(&packets(&yours).unwrap()[3..]);
    assert_eq!(
        verdict(&adopted),
        Err("the key has no valid signature of its own over it")
    );
}

#[test]
fn a_subkey_that_does_not_agree_is_not_for_signing() {
    let whole = block(file!("keys/with-subkey.asc"));
    let mut packets = packets(&whole).unwrap();
    let binding = packets.pop().unwrap().body;
    let embedded = Signature::read(binding).unwrap().says.embedded.unwrap();
    // Renamed, the subpacket that holds the signature of the subkey is one that nobody knows. It is not hashed.
    let at = embedded.as_ptr().addr() - binding.as_ptr().addr() - 1;
    let mut without = binding.to_vec();
    assert_eq!(std::mem::replace(&mut without[at], 100), 32);
    packets.push(Packet {
        tag: TAG_SIGNATURE,
        body: &without,
    });
    assert_eq!(verdict(&packets), Err("the key is not for signing"));
}

#[test]
fn a_revocation_counts_also_when_it_is_not_by_the_key() {
    let (whole, other) = (
        block(file!("keys/with-subkey.asc")),
        block(file!("keys/revoked.asc")),
    );
    let mut revoked = packets(&whole).unwrap();
    revoked.insert(1, packets(&other).unwrap()[1]);
    assert_eq!(verdict(&revoked), Err("the key is revoked"));
}

#[test]
fn a_private_key_or_half_a_certificate_is_an_error() {
    let whole = block(file!("keys/with-subkey.asc"));
    let packets = packets(&whole).unwrap();
    let private = Packet {
        tag: 5,
        body: packets[0].body,
    };
    let error = |packets: &[Packet<'_>]| Certificate::read(&framed(packets)).map(|_| ());
    assert_eq!(
        error(&[private]),
        Err("it holds a private key, and has to hold public keys only")
    );
    assert_eq!(
        error(&packets[1..]),
        Err("it does not begin with a public key")
    );
    for end in 1..whole.len() {
        // No cut panics, whatever it leaves.
        let _ = Certificate::read(&whole[..end]);
    }
}
