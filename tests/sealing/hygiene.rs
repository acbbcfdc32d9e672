//! Rules of the house that can be checked: nothing prints a secret, and each kind of cryptography lives in one file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sealing::{Scope, SealingKey, SecretInput};

use crate::data::{CANARY, file, keyring, now, request, sealed, secret, unseal};
use crate::dice::Dice;

#[test]
fn nothing_that_holds_a_secret_prints_it() {
    let generated = SealingKey::generate(&request("k"), now()).unwrap();
    let key_text = String::from_utf8(generated.private_key_pem.expose().to_vec()).unwrap();
    let line_of_key = key_text.lines().nth(2).unwrap().to_owned();
    let input = SecretInput::from_value(secret().into()).unwrap();
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
    for member in ["crds", "sealing", "health", "cli", "controller"] {
        rust_files(&root.join(member).join("src"), &mut files);
    }
    assert!(files.len() > 40);
    let envelope = "sealing/src/envelope.rs";
    let certificate = "sealing/src/certificate.rs";
    let of_templates = |file: &str| format!("sealing/src/template/crypto/{file}");
    let signing = "controller/src/repositories/signing.rs";
    let (sums, certificates) = (of_templates("sums.rs"), of_templates("certificates.rs"));
    let rules = [
        ("rsa::", vec![envelope.to_owned()]),
        ("aes_gcm", vec![envelope.to_owned()]),
        ("aws_lc_rs::aead", vec![envelope.to_owned()]),
        ("aws_lc_rs::digest", vec![certificates.clone(), sums]),
        (
            "aws_lc_rs::rsa",
            vec![
                signing.to_owned(),
                envelope.to_owned(),
                certificates,
                of_templates("keys.rs"),
            ],
        ),
        ("aws_lc_rs::cipher", vec![of_templates("aes.rs")]),
        (
            "aws_lc_rs::signature",
            vec![
                "controller/src/git/signature/algorithm.rs".to_owned(),
                "controller/src/repositories/signing.rs".to_owned(),
                of_templates("keys.rs"),
            ],
        ),
        ("bcrypt::", vec![of_templates("passwords.rs")]),
        ("scrypt::", vec![of_templates("passwords.rs")]),
        ("x509_cert", vec![certificate.to_owned()]),
        // Tests beside the code make keys and certificates too.
        (
            "rcgen",
            vec![
                "controller/src/git/agent.rs".to_owned(),
                "controller/src/repositories/known/tests.rs".to_owned(),
                certificate.to_owned(),
            ],
        ),
    ];
    for (word, allowed) in rules {
        let mut users: Vec<String> = files
            .iter()
            .filter(|path| {
                let source = std::fs::read_to_string(path).expect("a source file");
                has(&source, word)
            })
            .map(|path| {
                path.strip_prefix(&root)
                    .expect("below the root")
                    .display()
                    .to_string()
            })
            .collect();
        users.sort();
        assert_eq!(users, allowed, "files with {word}");
    }
}

/// Where `word` is in the source by itself: not as the end of a longer name, nor of a path.
fn places<'a>(source: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_inside = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | ':');
    let places = source.match_indices(word).map(|(at, _)| at);
    places.filter(move |at| !source[..*at].ends_with(is_inside))
}

fn has(source: &str, word: &str) -> bool {
    places(source, word).next().is_some()
}

/// A source without the modules of tests at its end.
fn product(path: &Path) -> String {
    let source = std::fs::read_to_string(path).expect("a source file");
    let end = source.find("#[cfg(test)]\nmod ").unwrap_or(source.len());
    source[..end].to_owned()
}

#[test]
fn sealing_and_the_vocabulary_have_no_files_no_network_no_tasks_and_no_clock() {
    const FORBIDDEN: [&str; 22] = [
        "std::env",
        "std::fs",
        "std::io",
        "std::process",
        "std::thread",
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "ToSocketAddrs",
        "tokio",
        "reqwest",
        "futures",
        "async fn",
        "async move",
        "Instant",
        "SystemTime",
        "Timestamp::now",
        "Zoned::now",
        "SysRng",
        "ThreadRng",
        "println!",
        "eprintln!",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for member in ["crds", "sealing"] {
        rust_files(&root.join(member).join("src"), &mut files);
    }
    assert!(files.len() > 20);
    files.retain(|path| !path.ends_with("tests.rs"));
    for path in files {
        let source = product(&path);
        let found: Vec<&str> = FORBIDDEN
            .into_iter()
            .filter(|word| has(&source, word))
            .collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}

/// What the file uses of the crate `rsa`, as it is written there.
fn used_of_rsa(source: &str) -> BTreeSet<&str> {
    const PREFIX: &str = "rsa::";
    let path = |at: usize| {
        let rest = &source[at + PREFIX.len()..];
        let end =
            rest.find(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '_' | ':'));
        let end = end.unwrap_or(rest.len());
        match rest[end..].starts_with('{') {
            true => &rest[..rest.find('}').unwrap_or(rest.len())],
            false => &rest[..end],
        }
    };
    places(source, PREFIX).map(path).collect()
}

/// The crate leaks private keys by its timing: see `deny.toml`. Of a private key it may read the encoding, no more.
#[test]
fn the_rsa_crate_never_gets_a_private_key() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let envelope = std::fs::read_to_string(root.join("sealing/src/envelope.rs"));
    let public = [
        "Error",
        "PublicKey",
        "PublicKey::from_public_key_der",
        "oaep::EncryptingKey",
        "pkcs1::ALGORITHM_OID",
        "pkcs1::RsaPrivateKeyRef",
        "pkcs8::{DecodePublicKey as _, PrivateKeyInfoRef",
        "traits::{PublicKeyParts as _, RandomizedEncryptor as _",
    ];
    assert_eq!(
        used_of_rsa(&envelope.expect("a source file")),
        BTreeSet::from(public)
    );
}

/// Cuts a piece out of the text, or puts one of the words in.
fn damaged(dice: &mut Dice, text: &str, words: &[&str]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = dice.below(characters.len() + 1);
    if dice.below(3) == 0 {
        let end = (at + dice.below(6)).min(characters.len());
        characters.drain(at..end);
    } else {
        characters.splice(at..at, dice.throw(words).chars());
    }
    characters.into_iter().collect()
}

/// Pieces of templates that lead into every corner of them.
const WORDS: [&str; 40] = [
    "{{",
    "}}",
    "{{-",
    "-}}",
    " ",
    "if ",
    "else ",
    "end",
    "range ",
    "with ",
    "define \"t\"",
    "template \"t\"",
    "break",
    ".password",
    ".",
    "$",
    "$x",
    ":=",
    "=",
    "|",
    "(",
    ")",
    "\"a\"",
    "`",
    "'",
    "-1",
    "0x1f",
    "nil",
    "printf \"%v\" ",
    "index ",
    "list ",
    "dict ",
    "/*",
    "*/",
    "\n",
    "toJson ",
    "fail ",
    "\u{10ff85}",
    "{{ end }}",
    "9223372036854775807",
];

#[test]
fn a_damaged_template_neither_panics_nor_tells_a_secret() {
    let templates = [
        "{{ if .password }}{{ .password | upper | quote }}{{ else if .x }}{{ .x }}{{ end }}",
        "{{ range $k, $v := . }}{{ $k }}={{ len $v }};{{ end }}{{ define \"t\" }}[{{ . }}]{{ end }}{{ template \"t\" .password }}",
        "{{ $x := .password }}{{ $x = trunc 3 $x }}{{ printf \"%s-%05d\" $x 42 }}{{/* c */}}{{ index (list 1 $x) 0 }}",
        "{{ with dict \"a\" .password }}{{ .a | b64enc | b64dec | sha256sum }}{{ get . \"a\" | replace \"a\" \"b\" | nindent 2 }}{{ end }}",
        "{{ substr 1 2 .password }}{{ fail (print .password) }}{{ until 3 | join \",\" }}{{ fromJson .password }}",
    ];
    let keyring = keyring();
    let mut object = sealed(&secret(), None).unwrap();
    object
        .spec
        .encrypted_data
        .retain(|item, _| item == "password");
    let mut dice = Dice::new(0x5EED);
    for round in 0..3000 {
        let mut text = dice.throw(&templates).to_owned();
        for _ in 0..=dice.below(3) {
            text = damaged(&mut dice, &text, &WORDS);
        }
        let data = [("x".to_owned(), Some(text.clone()))].into();
        object.spec.template = Some(crds::SecretTemplate {
            data: Some(data),
            ..crds::SecretTemplate::default()
        });
        if let Err(error) = unseal(&object, &keyring) {
            let error = error.to_string();
            assert!(!error.contains(CANARY), "round {round}: {text}: {error}");
            assert!(
                error.starts_with("template: x:"),
                "round {round}: {text}: {error}"
            );
        }
    }
}

#[test]
fn damaged_ciphertext_and_key_files_fail_and_do_not_panic() {
    let keyring = keyring();
    let original = sealed(&secret(), None).unwrap();
    let mut dice = Dice::new(0xBAD);
    for _ in 0..300 {
        let mut object = original.clone();
        let text = &object.spec.encrypted_data["password"];
        let broken = damaged(&mut dice, text, &["A", "=", "\n", "\u{e9}", "/", "AAAA"]);
        let same = broken.replace('\n', "") == *text;
        object
            .spec
            .encrypted_data
            .insert("password".to_owned(), broken);
        assert_eq!(unseal(&object, &keyring).is_ok(), same);
    }
    let key = String::from_utf8(file("sealed-secrets/test-key.pem")).unwrap();
    for _ in 0..300 {
        let broken = damaged(
            &mut dice,
            &key,
            &["A", "=", "-", "-----END", ":", "\n-----BEGIN "],
        );
        drop(sealing::PrivateKey::from_pem(broken.as_bytes()));
        drop(sealing::Certificate::from_pem(broken.as_bytes()));
    }
}
