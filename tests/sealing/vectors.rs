//! The published ciphertext vectors: every one of them through the engine that controller and CLI share.
//! Data: tests/vectors/sealed-secrets/, checked with the real kubeseal. The keys in it are public.

use std::collections::BTreeMap;

use crds::{SealedSecret, SealedSecretSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sealing::{Keyring, Scope, seal_value};
use serde::Deserialize;

use crate::data::{certificate, file, private_key, unseal};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    name: String,
    key: String,
    scope: String,
    namespace: String,
    secret_name: String,
    item_key: String,
    #[serde(rename = "plaintext_base64")]
    plaintext: Option<String>,
    #[serde(rename = "ciphertext_base64")]
    ciphertext: String,
    expect: String,
    error: Option<String>,
}

fn keyring(key: &str) -> Keyring {
    let keyring = Keyring::default();
    keyring.insert_private(key.to_owned(), private_key(key));
    keyring
}

impl Vector {
    fn sealed(&self) -> SealedSecret {
        let scope: Scope = self.scope.parse().expect("a scope");
        SealedSecret {
            metadata: ObjectMeta {
                name: Some(self.secret_name.clone()),
                namespace: Some(self.namespace.clone()),
                annotations: scope
                    .annotation()
                    .map(|key| BTreeMap::from([(key.to_owned(), "true".to_owned())])),
                ..ObjectMeta::default()
            },
            spec: SealedSecretSpec {
                encrypted_data: BTreeMap::from([(self.item_key.clone(), self.ciphertext.clone())]),
                ..SealedSecretSpec::default()
            },
            status: None,
        }
    }

    /// What is wrong, or nothing.
    fn problem(&self) -> Option<String> {
        use base64::Engine as _;
        let keyring = keyring(&self.key);
        let sealed = self.sealed();
        let opens = sealing::opens(&sealed, &keyring)
            .map(drop)
            .map_err(|error| error.to_string());
        let unsealed = unseal(&sealed, &keyring).map_err(|error| error.to_string());
        if opens != unsealed.as_ref().map(|_| ()).map_err(Clone::clone) {
            return Some(format!("opens says {opens:?}, unseal says otherwise"));
        }
        match (unsealed, &self.plaintext) {
            (Ok(unsealed), Some(plaintext)) => {
                let found = unsealed.secret.data[&self.item_key].expose();
                let wanted = base64::engine::general_purpose::STANDARD
                    .decode(plaintext)
                    .expect("base64");
                (found != wanted).then(|| "another plaintext".to_owned())
            }
            (Ok(_), None) => Some(format!("opened, expected {}", self.expect)),
            (Err(error), _) => (self.error.as_ref() != Some(&error))
                .then(|| format!("{error}, expected {:?}", self.error)),
        }
    }
}

#[test]
fn every_ciphertext_vector_opens_or_fails_as_it_says() {
    let vectors: Vec<Vector> =
        serde_json::from_slice(&file("sealed-secrets/vectors.json")).unwrap();
    assert_eq!(vectors.len(), 56);
    let problems: Vec<String> = vectors
        .iter()
        .filter_map(|vector| Some(format!("{}: {}", vector.name, vector.problem()?)))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_deprecated_form_opens_to_the_secret_inside() {
    let sealed: SealedSecret =
        serde_json::from_slice(&file("sealed-secrets/legacy-v1.json")).unwrap();
    let secret = unseal(&sealed, &keyring("test-key.pem")).unwrap().secret;
    assert_eq!(secret.metadata.namespace.as_deref(), Some("myns"));
    assert_eq!(
        secret.metadata.labels,
        Some(BTreeMap::from([("l".to_owned(), "t".to_owned())]))
    );
    assert_eq!(secret.data["password"].expose(), b"sekret");
    assert_eq!(
        secret.metadata.owner_references.map(|owners| owners.len()),
        Some(1)
    );
}

#[test]
fn the_deprecated_form_excludes_the_current_one() {
    let mut sealed: SealedSecret =
        serde_json::from_slice(&file("sealed-secrets/legacy-v1.json")).unwrap();
    sealed
        .spec
        .encrypted_data
        .insert("k".to_owned(), String::new());
    let error = unseal(&sealed, &keyring("test-key.pem")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot use the field 'encryptedData' and the deprecated field 'data' at the same time"
    );
    sealed.spec.encrypted_data.clear();
    sealed.spec.data = Some(String::new());
    let error = unseal(&sealed, &keyring("test-key.pem")).unwrap_err();
    assert_eq!(error.to_string(), "no key could decrypt secret");
}

#[test]
fn the_test_key_has_the_known_fingerprint_in_both_encodings_and_in_its_certificate() {
    let known = "SHA256:+cfari5v/G+ONJIBNLi5mJpk5Yl06K6RJBVJ07PponI";
    let key = private_key("test-key.pem");
    assert_eq!((key.fingerprint().as_str(), key.bits()), (known, 2048));
    assert_eq!(certificate("test-cert.pem").fingerprint().as_str(), known);
    let big = private_key("test-key-4096.pem");
    assert_eq!(big.bits(), 4096);
    assert_eq!(
        big.fingerprint(),
        certificate("test-cert-4096.pem").fingerprint()
    );
}

#[test]
fn what_one_library_seals_the_other_opens() {
    for (certificate_file, key) in [
        ("test-cert.pem", "test-key.pem"),
        ("test-cert-4096.pem", "test-key-4096.pem"),
    ] {
        let certificate = certificate(certificate_file);
        let keyring = keyring(key);
        for scope in [Scope::Strict, Scope::NamespaceWide, Scope::ClusterWide] {
            for plaintext in [&b""[..], b"x", &[0xff; 70_000]] {
                let label = scope.label("ns", "name");
                let text = seal_value(
                    certificate.public_key(),
                    &label,
                    plaintext,
                    &mut rand::rngs::SysRng,
                )
                .unwrap();
                let prefix = if key == "test-key.pem" { "AQ" } else { "Ag" };
                assert!(text.starts_with(prefix), "{scope}");
                let vector = Vector {
                    name: String::new(),
                    key: key.to_owned(),
                    scope: scope.to_string(),
                    namespace: "ns".to_owned(),
                    secret_name: "name".to_owned(),
                    item_key: "k".to_owned(),
                    plaintext: None,
                    ciphertext: text,
                    expect: "success".to_owned(),
                    error: None,
                };
                let opened = unseal(&vector.sealed(), &keyring).unwrap();
                assert_eq!(opened.secret.data["k"].expose(), plaintext, "{scope}");
            }
        }
    }
}
