//! The folders `files/`, which every case can read, and `targets/`, of which a case gets a copy to write to.
//! Nothing here is a secret: all keys are the published ones.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ciphertext::Ciphertexts;

/// Files of the vectors under the names they have in cases.
const VECTORS: [(&str, &str); 9] = [
    ("cert.pem", "sealed-secrets/test-cert.pem"),
    ("key.pem", "sealed-secrets/test-key.pem"),
    ("cert-4096.pem", "sealed-secrets/test-cert-4096.pem"),
    ("key-4096.pem", "sealed-secrets/test-key-4096.pem"),
    ("key-pkcs8.pem", "keys/test-key-pkcs8.pem"),
    ("key-1024.pem", "keys/rsa-1024.pem"),
    ("ec-cert.pem", "keys/ec-cert.pem"),
    ("ec-key.pem", "keys/ec-pkcs8.pem"),
    ("legacy-v1.json", "sealed-secrets/legacy-v1.json"),
];

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/kubeseal")
}

/// A file of the published vectors.
pub(crate) fn vector(name: &str) -> Vec<u8> {
    let path = folder().join("../vectors/sealed-secrets").join(name);
    fs::read(path).expect("the vectors are part of the checkout")
}

/// `files/` and `targets/`, made once below `root` with all placeholders filled in.
pub(crate) fn make(root: &Path, ciphertexts: &Ciphertexts) {
    let files = root.join("files");
    fs::create_dir(&files).expect("a folder of our own");
    for (name, source) in VECTORS {
        let source = folder().join("../vectors").join(source);
        fs::copy(source, files.join(name)).expect("the vectors are part of the checkout");
    }
    copy_filled(&folder().join("files"), &files, &|text| {
        with_files(text, &files)
    });
    let targets = root.join("targets");
    fs::create_dir(&targets).expect("a folder of our own");
    copy_filled(&folder().join("targets"), &targets, &|text| {
        ciphertexts.fill_in(text)
    });
}

fn copy_filled(from: &Path, to: &Path, fill_in: &dyn Fn(&str) -> String) {
    for entry in fs::read_dir(from).expect("a folder of the checkout") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a file has a name");
        if path.is_dir() {
            fs::create_dir(to.join(name)).expect("a folder of our own");
            copy_filled(&path, &to.join(name), fill_in);
            continue;
        }
        let text = fs::read_to_string(&path).expect("a file of text");
        fs::write(to.join(name), fill_in(&text)).expect("a folder of our own");
    }
}

/// Puts the content of files in the place of `<file NAME>` and `<base64 NAME>`.
fn with_files(text: &str, files: &Path) -> String {
    let mut filled = text.to_owned();
    for (name, _) in VECTORS {
        let content = fs::read(files.join(name)).expect("a file of our own");
        let encoded = STANDARD.encode(&content);
        filled = filled.replace(&format!("<base64 {name}>"), &encoded);
        filled = filled.replace(
            &format!("<file {name}>"),
            String::from_utf8_lossy(&content).trim_end(),
        );
    }
    filled
}

/// The files that a case gets to write to, with the usual permissions.
pub(crate) fn copy_targets(root: &Path, case: &Path) {
    let targets = case.join("targets");
    fs::create_dir(&targets).expect("a folder of our own");
    for entry in fs::read_dir(root.join("targets")).expect("a folder of our own") {
        let path = entry.expect("an entry").path();
        fs::copy(
            &path,
            targets.join(path.file_name().expect("a file has a name")),
        )
        .expect("a folder of our own");
    }
}
