//! Rules of the house that can be checked: nothing prints a secret, and each kind of cryptography lives in one file.

use std::path::{Path, PathBuf};

use sealing::{Scope, SealingKey, SecretInput, unseal};

use crate::data::{CANARY, keyring, now, request, sealed, secret};

#[test]
fn nothing_that_holds_a_secret_prints_it() {
    let generated = SealingKey::generate(&request("k"), now()).unwrap();
    let key_text = String::from_utf8(generated.private_key_pem.expose().to_vec()).unwrap();
    let line_of_key = key_text.lines().nth(2).unwrap().to_owned();
    let input = SecretInput::from_value(&secret()).unwrap();
    let sealed = sealed(&secret(), None).unwrap();
    let keyring = keyring();
    let unsealed = unseal(&sealed, &keyring).unwrap();
    let label = Scope::Strict.label("shop", "db");
    let printed = [
        format!("{input:?}"),
        format!("{unsealed:?} {:?}", unsealed.secret),
        format!("{keyring:?} {:?}", keyring.keys()),
        format!(
            "{generated:?} {:?} {:?}",
            generated.key, generated.key.private
        ),
        format!(
            "{:?} {:?}",
            generated.private_key_pem, generated.key.certificate
        ),
        format!("{:?} {label:?}", generated.key.certificate.public_key()),
    ];
    for text in printed {
        assert!(
            !text.contains(CANARY) && !text.contains(&line_of_key),
            "{text}"
        );
        assert!(
            !text.contains(&format!("{:?}", CANARY.as_bytes())),
            "{text}"
        );
        assert!(!text.contains("Y2FuYXJ5"), "{text}");
    }
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a source folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn each_kind_of_cryptography_lives_in_one_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for member in ["crds", "sealing", "cli", "controller"] {
        rust_files(&root.join(member).join("src"), &mut files);
    }
    assert!(files.len() > 40);
    let envelope = "sealing/src/envelope.rs";
    let certificate = "sealing/src/certificate.rs";
    let rules = [
        ("use rsa", vec![envelope]),
        ("rsa::", vec![envelope]),
        ("aes_gcm", vec![envelope]),
        ("aws_lc_rs::aead", vec![envelope]),
        ("aws_lc_rs::digest", vec!["sealing/src/template/crypto.rs"]),
        ("x509_cert", vec![certificate]),
        ("rcgen", vec![certificate]),
    ];
    for (word, allowed) in rules {
        let users: Vec<String> = files
            .iter()
            .filter(|path| {
                std::fs::read_to_string(path)
                    .expect("a source file")
                    .contains(word)
            })
            .map(|path| {
                path.strip_prefix(&root)
                    .expect("below the root")
                    .display()
                    .to_string()
            })
            .collect();
        assert_eq!(users, allowed, "files with {word}");
    }
}
