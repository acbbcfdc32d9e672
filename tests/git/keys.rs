//! Private keys as `ssh-keygen` writes them, and what is refused.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use controller::repositories::{KeyRefused, SigningKey};

use crate::sshd::keygen;

/// The key, and the public key that `ssh-keygen` wrote beside it.
fn made(folder: &Path, args: &[&str]) -> (String, Vec<u8>) {
    let path = keygen(folder, &format!("key{}", args.join("")), args);
    let public = fs::read_to_string(path.with_extension("pub")).unwrap();
    let blob = public.split(' ').nth(1).unwrap();
    (
        fs::read_to_string(path).unwrap(),
        STANDARD.decode(blob).unwrap(),
    )
}

#[test]
fn the_public_half_of_each_kind_of_key_is_what_ssh_keygen_says() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        &["-t", "ed25519"][..],
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "2048", "-m", "PEM"],
        &["-t", "rsa", "-b", "2048", "-m", "PKCS8"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384", "-m", "PKCS8"],
        &["-t", "ecdsa", "-b", "521"],
        &["-t", "ecdsa", "-b", "521", "-m", "PEM"],
    ] {
        let (text, public) = made(folder.path(), args);
        let key = SigningKey::from_pem(&text).unwrap();
        assert_eq!(key.public(), public, "{args:?}");
        let windows = text.replace('\n', "\r\n");
        assert_eq!(SigningKey::from_pem(&windows).unwrap(), key);
        assert!(!format!("{key:?}").contains(&text.lines().nth(1).unwrap()[..20]));
    }
}

#[test]
fn keys_with_a_passphrase_too_small_or_damaged_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        &["-t", "ed25519", "-N", "secret"][..],
        &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "secret"],
        &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "secret"],
    ] {
        let (text, _) = made(folder.path(), args);
        assert_eq!(
            SigningKey::from_pem(&text).unwrap_err(),
            KeyRefused::Encrypted,
            "{args:?}"
        );
    }
    let (small, _) = made(folder.path(), &["-t", "rsa", "-b", "1024"]);
    assert_eq!(
        SigningKey::from_pem(&small).unwrap_err(),
        KeyRefused::Unknown
    );
    let (text, public) = made(folder.path(), &["-t", "ed25519"]);
    let public = STANDARD.encode(public);
    for (text, reason) in [
        ("", KeyRefused::NotPem),
        (public.as_str(), KeyRefused::NotPem),
        (&text[..text.len() / 2], KeyRefused::NotPem),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            KeyRefused::NotPem,
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            KeyRefused::Unknown,
        ),
    ] {
        assert_eq!(SigningKey::from_pem(text).unwrap_err(), reason, "{text}");
    }
}
