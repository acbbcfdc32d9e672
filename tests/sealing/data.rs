//! What the suites about sealing share: test keys, a Secret, and the way there and back.

use std::path::Path;
use std::time::Duration;

use crds::SealedSecret;
use k8s_openapi::jiff::Timestamp;
use sealing::{
    Certificate, KeyRequest, Keyring, PrivateKey, Scope, SealError, SealingKey, SecretInput,
    Surroundings, UnsealError, Unsealed, seal,
};
use serde_json::{Value, json};

/// Shows up in no error and no `Debug`.
pub(crate) const CANARY: &str = "canary-7f3a";

/// A file below tests/vectors/.
pub(crate) fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors")
        .join(name);
    std::fs::read(path).expect("test data")
}

pub(crate) fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&file(&format!("sealed-secrets/{name}"))).expect("test certificate")
}

pub(crate) fn sealing_key(name: &str, key: &str, certificate_name: &str) -> SealingKey {
    SealingKey {
        name: name.to_owned(),
        private: private_key(key),
        certificate: certificate(certificate_name),
        created: None,
    }
}

pub(crate) fn keyring() -> Keyring {
    let keyring = Keyring::default();
    keyring.insert(sealing_key("small", "test-key.pem", "test-cert.pem"));
    keyring.insert(sealing_key(
        "big",
        "test-key-4096.pem",
        "test-cert-4096.pem",
    ));
    keyring
}

/// One of the published test keys.
pub(crate) fn private_key(name: &str) -> PrivateKey {
    PrivateKey::from_pem(&file(&format!("sealed-secrets/{name}"))).expect("test key")
}

/// A time at which the test certificates are valid.
pub(crate) fn now() -> Timestamp {
    certificate("test-cert.pem").not_before()
}

pub(crate) fn sealed(secret: &Value, scope: Option<Scope>) -> Result<SealedSecret, SealError> {
    let input = SecretInput::from_value(secret.clone().into()).expect("a Secret");
    seal(
        &input,
        scope,
        &certificate("test-cert.pem"),
        now(),
        &mut rand::rngs::SysRng,
    )
}

/// Unseals at [`now`].
pub(crate) fn unseal(sealed: &SealedSecret, keyring: &Keyring) -> Result<Unsealed, UnsealError> {
    let mut random = rand::rngs::SysRng;
    sealing::unseal(sealed, keyring, &Surroundings::new(now(), &mut random))
}

pub(crate) fn to_json(sealed: &SealedSecret) -> Value {
    serde_json::to_value(sealed).expect("a SealedSecret is JSON")
}

pub(crate) fn secret() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth", "immutable": true,
        "metadata": {
            "name": "db", "namespace": "shop", "generateName": "db-", "uid": "u", "resourceVersion": "7",
            "generation": 3, "creationTimestamp": "2024-01-01T00:00:00Z", "selfLink": "/x",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "q"}],
            "labels": {"app": "db"}, "finalizers": ["a/b"],
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{}}",
                "note": "kept",
            },
        },
        "data": {"user": "Ym9i", "password": "b2xk"},
        "stringData": {"password": CANARY, "port": 5432},
        "status": {},
    })
}

/// A small key, which is quick to make.
pub(crate) fn request(name: &str) -> KeyRequest {
    KeyRequest {
        name: name.to_owned(),
        bits: 2048,
        ttl: Duration::from_secs(3600),
        common_name: String::new(),
    }
}
