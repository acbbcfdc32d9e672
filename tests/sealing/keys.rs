//! Sealing keys, their files, and the keyring.

use std::sync::Arc;

use k8s_openapi::jiff::{Timestamp, ToSpan as _};
use sealing::{
    Certificate, CertificateError, KeyError, KeyOrder, KeyRequest, Keyring, PrivateKey, SealingKey,
    opens,
};
use serde_json::json;

use crate::data::{
    certificate, file, now, private_key, request, sealed, sealing_key, secret, unseal,
};

#[test]
fn a_generated_key_is_kept_in_a_secret_and_read_back() {
    let start = Timestamp::from_second(1_700_000_000).unwrap();
    let generated = SealingKey::generate(&request("k1"), start).unwrap();
    let certificate = &generated.key.certificate;
    assert_eq!(
        (certificate.not_before(), certificate.not_after()),
        (start, start + 1.hour())
    );
    assert!(
        generated
            .private_key_pem
            .expose()
            .starts_with(b"-----BEGIN RSA PRIVATE KEY-----\n")
    );
    let secret = serde_json::from_value(json!({
        "metadata": {"name": "k1", "creationTimestamp": "2024-01-01T00:00:00Z"},
        "data": {},
    }));
    let mut secret: k8s_openapi::api::core::v1::Secret = secret.unwrap();
    assert_eq!(
        SealingKey::from_secret(&secret).unwrap_err(),
        KeyError::MissingItem { item: "tls.key" }
    );
    let data = secret.data.get_or_insert_default();
    let bytes = |bytes: &[u8]| k8s_openapi::ByteString(bytes.to_vec());
    data.insert(
        "tls.key".to_owned(),
        bytes(generated.private_key_pem.expose()),
    );
    data.insert("tls.crt".to_owned(), bytes(certificate.pem().as_bytes()));
    let read = SealingKey::from_secret(&secret).unwrap();
    assert_eq!(read.private.fingerprint(), certificate.fingerprint());
    assert_eq!(read.certificate, *certificate);
    assert_eq!(read.created, Some("2024-01-01T00:00:00Z".parse().unwrap()));
}

#[test]
fn the_common_name_is_in_the_certificate_when_asked_for() {
    let named = KeyRequest {
        common_name: "sealed.example.org".to_owned(),
        ..request("k")
    };
    let certificate = SealingKey::generate(&named, now()).unwrap().key.certificate;
    let plain = SealingKey::generate(&request("k"), now())
        .unwrap()
        .key
        .certificate;
    let names = |certificate: &Certificate| count(&der(certificate), b"sealed.example.org");
    assert_eq!((names(&certificate), names(&plain)), (2, 0));
}

fn der(certificate: &Certificate) -> Vec<u8> {
    use base64::Engine as _;
    let lines = certificate.pem().lines();
    let body: String = lines.filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD
        .decode(body)
        .expect("a certificate in PEM")
}

fn count(bytes: &[u8], part: &[u8]) -> usize {
    let windows = bytes.windows(part.len());
    windows.filter(|window| *window == part).count()
}

#[test]
fn a_generated_certificate_has_the_shape_of_upstreams() {
    let key = |name: &str| SealingKey::generate(&request(name), now()).unwrap().key;
    let certificate = der(&key("k").certificate);
    for (what, part) in [
        ("version 3", &b"\xa0\x03\x02\x01\x02"[..]),
        // OID, critical, value: RFC 5280 §4.2.1.
        (
            "encipherOnly alone",
            b"\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x00\x01",
        ),
        (
            "CA:TRUE",
            b"\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff",
        ),
        ("a subject key identifier", b"\x06\x03\x55\x1d\x0e\x04"),
    ] {
        assert_eq!(count(&certificate, part), 1, "{what}");
    }
    let sha256_with_rsa = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b";
    assert_eq!(count(&certificate, sha256_with_rsa), 2);
    for (what, part) in [
        ("no issuer", &b"\x05\x00\x30\x00\x30\x1e\x17\x0d"[..]),
        ("no subject", b"Z\x30\x00\x30\x82"),
    ] {
        assert_eq!(count(&certificate, part), 1, "{what}");
    }
}

#[test]
fn a_size_that_cannot_be_generated_is_refused() {
    let odd = KeyRequest {
        bits: 1024,
        ..request("k")
    };
    assert_eq!(
        SealingKey::generate(&odd, now()).unwrap_err(),
        KeyError::Generate { bits: 1024 }
    );
}

#[test]
fn the_newest_key_is_current_and_of_two_equal_ones_the_earlier_registered() {
    let at = |name: &str, seconds| {
        SealingKey::generate(&request(name), Timestamp::from_second(seconds).unwrap())
            .unwrap()
            .key
    };
    let keyring = Keyring::default();
    assert!(keyring.current().is_none() && keyring.is_empty());
    let names = |keyring: &Keyring| {
        keyring
            .keys()
            .iter()
            .map(|key| key.name.clone())
            .collect::<Vec<_>>()
    };
    for key in [
        at("old", 100),
        at("new", 300),
        at("tie", 300),
        at("middle", 200),
    ] {
        keyring.insert(key);
    }
    assert_eq!(names(&keyring), ["new", "tie", "middle", "old"]);
    let mut again = at("new", 300);
    again.created = Some(now());
    keyring.insert(again);
    assert_eq!(
        names(&keyring),
        ["new", "tie", "middle", "old"],
        "a key that comes again keeps its place"
    );
    assert!(keyring.remove("new") && !keyring.remove("new"));
    assert_eq!(keyring.current().unwrap().name, "tie");
}

#[test]
fn keys_can_be_ordered_by_their_secrets() {
    let keyring = Keyring::new(KeyOrder::SecretCreationTimestamp);
    let mut key = sealing_key("small", "test-key.pem", "test-cert.pem");
    key.created = Some(Timestamp::from_second(100).unwrap());
    keyring.insert(key);
    let mut key = sealing_key("big", "test-key-4096.pem", "test-cert-4096.pem");
    key.created = Some(Timestamp::from_second(50).unwrap());
    keyring.insert(key);
    keyring.insert(sealing_key("undated", "test-key.pem", "test-cert.pem"));
    let names: Vec<String> = keyring.keys().iter().map(|key| key.name.clone()).collect();
    assert_eq!(names, ["small", "big", "undated"]);
}

#[test]
fn one_private_key_under_two_names_opens_until_both_are_gone() {
    let keyring = Keyring::default();
    keyring.insert(sealing_key("a", "test-key.pem", "test-cert.pem"));
    keyring.insert(sealing_key("b", "test-key.pem", "test-cert.pem"));
    let sealed = sealed(&secret(), None).unwrap();
    assert!(keyring.remove("a"));
    assert!(opens(&sealed, &keyring).is_ok());
    assert!(keyring.remove("b"));
    assert_eq!(
        opens(&sealed, &keyring).unwrap_err().to_string(),
        "no key could decrypt secret (password, port, user)"
    );
}

#[test]
fn a_ring_of_many_keys_finds_the_right_one_from_many_threads() {
    let keyring = Arc::new(Keyring::default());
    for index in 0..6 {
        let name = format!("k{index}");
        let start = Timestamp::from_second(index).unwrap();
        keyring.insert(SealingKey::generate(&request(&name), start).unwrap().key);
    }
    keyring.insert(sealing_key("oldest", "test-key.pem", "test-cert.pem"));
    let sealed = Arc::new(sealed(&secret(), None).unwrap());
    let threads: Vec<_> = (0..4)
        .map(|index: i64| {
            let (keyring, sealed) = (Arc::clone(&keyring), Arc::clone(&sealed));
            std::thread::spawn(move || {
                for _ in 0..10 {
                    keyring.remove(&format!("k{index}"));
                    opens(&sealed, &keyring).expect("the key is there all the time");
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(keyring.keys().len(), 3);
}

#[test]
fn key_files_are_read_in_every_form_and_refused_with_a_reason() {
    let key = String::from_utf8(file("sealed-secrets/test-key.pem")).unwrap();
    let certificate = String::from_utf8(file("sealed-secrets/test-cert.pem")).unwrap();
    let read = |text: String| PrivateKey::from_pem(text.as_bytes());
    assert!(read(format!("{certificate}\n{key}")).is_ok());
    assert!(read(key.replace('\n', "\r\n")).is_ok());
    assert_eq!(read(certificate).unwrap_err(), KeyError::NotFound);
    assert_eq!(read(String::new()).unwrap_err(), KeyError::NotFound);
    let locked = key.replacen("-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1);
    assert_eq!(read(locked).unwrap_err(), KeyError::Encrypted);
    assert_eq!(
        read(key.replace("RSA PRIVATE", "EC PRIVATE")).unwrap_err(),
        KeyError::NotRsa
    );
    assert_eq!(
        read(key.replace("RSA PRIVATE", "ENCRYPTED PRIVATE")).unwrap_err(),
        KeyError::Encrypted
    );
    let label_of_pkcs8 = key.replace("RSA PRIVATE", "PRIVATE");
    assert_eq!(read(label_of_pkcs8).unwrap_err(), KeyError::Malformed);
}

#[test]
fn a_pkcs8_file_holds_the_same_key_as_the_pkcs1_file_it_was_made_of() {
    let pkcs8 = PrivateKey::from_pem(&file("keys/test-key-pkcs8.pem")).unwrap();
    let pkcs1 = private_key("test-key.pem");
    assert_eq!(pkcs8.fingerprint(), pkcs1.fingerprint());
    let keyring = Keyring::default();
    keyring.insert_private("pkcs8".to_owned(), pkcs8);
    assert!(opens(&sealed(&secret(), None).unwrap(), &keyring).is_ok());
}

#[test]
fn keys_and_certificates_that_cannot_serve_are_refused_with_the_reason() {
    let refused = |name| PrivateKey::from_pem(&file(&format!("keys/{name}"))).unwrap_err();
    assert_eq!(refused("rsa-1024.pem"), KeyError::TooSmall { bits: 1024 });
    assert_eq!(
        refused("rsa-1024.pem").to_string(),
        "the private key has 1024 bits: expected at least 2048"
    );
    assert_eq!(refused("ec-pkcs8.pem"), KeyError::NotRsa);
    let elliptic = Certificate::from_pem(&file("keys/ec-cert.pem")).unwrap_err();
    assert_eq!(
        elliptic.to_string(),
        "expected RSA public key but found one of algorithm 1.2.840.10045.2.1"
    );
    assert_eq!(
        Certificate::from_pem(&file("sealed-secrets/test-key.pem")).unwrap_err(),
        CertificateError::NotFound
    );
    let mut both = file("sealed-secrets/test-key.pem");
    both.extend(file("sealed-secrets/test-cert.pem"));
    assert_eq!(
        Certificate::from_pem(&both).unwrap(),
        certificate("test-cert.pem")
    );
}

#[test]
fn errors_about_a_foreign_key_are_all_alike() {
    let sealed = sealed(&secret(), None).unwrap();
    let foreign = Keyring::default();
    foreign.insert_private(
        "f".to_owned(),
        SealingKey::generate(&request("f"), now())
            .unwrap()
            .key
            .private,
    );
    let same_size = unseal(&sealed, &foreign).unwrap_err();
    let no_key = unseal(&sealed, &Keyring::default()).unwrap_err();
    assert_eq!(same_size, no_key);
}
