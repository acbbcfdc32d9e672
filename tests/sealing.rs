//! Whole Secrets through seal, unseal and reseal; keys and keyring; and the rules of the house that can be checked:
//! who touches cryptography, and that nothing prints a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crds::SealedSecret;
use k8s_openapi::jiff::{Timestamp, ToSpan as _};
use sealing::{
    Certificate, CertificateError, KeyError, KeyOrder, KeyRequest, Keyring, PrivateKey, Scope,
    SealError, SealingKey, SecretInput, UnsealError, opens, reseal, seal, unseal,
};
use serde_json::{Value, json};

/// Shows up in no error and no `Debug`.
const CANARY: &str = "canary-7f3a";

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/sealed-secrets")
        .join(name);
    std::fs::read(path).expect("test data")
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&file(name)).expect("test certificate")
}

fn sealing_key(name: &str, key: &str, certificate_name: &str) -> SealingKey {
    SealingKey {
        name: name.to_owned(),
        private: PrivateKey::from_pem(&file(key)).expect("test key"),
        certificate: certificate(certificate_name),
        created: None,
    }
}

fn keyring() -> Keyring {
    let keyring = Keyring::default();
    keyring.insert(sealing_key("small", "test-key.pem", "test-cert.pem"));
    keyring.insert(sealing_key(
        "big",
        "test-key-4096.pem",
        "test-cert-4096.pem",
    ));
    keyring
}

/// A time at which the test certificates are valid.
fn now() -> Timestamp {
    certificate("test-cert.pem").not_before()
}

fn sealed(secret: &Value, scope: Option<Scope>) -> Result<SealedSecret, SealError> {
    let input = SecretInput::from_value(secret).expect("a Secret");
    seal(
        &input,
        scope,
        &certificate("test-cert.pem"),
        now(),
        &mut rand::rngs::SysRng,
    )
}

fn to_json(sealed: &SealedSecret) -> Value {
    serde_json::to_value(sealed).expect("a SealedSecret is JSON")
}

fn secret() -> Value {
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

#[test]
fn sealing_publishes_names_and_template_and_nothing_else() {
    let sealed = to_json(&sealed(&secret(), None).unwrap());
    assert_eq!(sealed["apiVersion"], "bitnami.com/v1alpha1");
    assert_eq!(
        sealed["metadata"],
        json!({"name": "db", "namespace": "shop"})
    );
    let template = json!({
        "metadata": {
            "name": "db", "generateName": "db-", "namespace": "shop", "labels": {"app": "db"},
            "annotations": {"note": "kept"}, "finalizers": ["a/b"],
        },
        "type": "kubernetes.io/basic-auth",
        "immutable": true,
    });
    assert_eq!(sealed["spec"]["template"], template);
    let keys: Vec<&String> = sealed["spec"]["encryptedData"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(keys, ["password", "port", "user"]);
    assert!(!sealed.to_string().contains(CANARY));
    let order: Vec<&String> = sealed["spec"]["template"]["metadata"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(
        order,
        [
            "name",
            "generateName",
            "namespace",
            "labels",
            "annotations",
            "finalizers"
        ]
    );
}

#[test]
fn what_was_sealed_unseals_to_the_same_secret() {
    let mut sealed = sealed(&secret(), None).unwrap();
    sealed.metadata.uid = Some("1234".to_owned());
    let unsealed = unseal(&sealed, &keyring()).unwrap();
    let secret = serde_json::to_value(unsealed.secret.to_secret()).unwrap();
    assert_eq!(
        secret,
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth", "immutable": true,
            "metadata": {
                "name": "db", "namespace": "shop", "generateName": "db-", "labels": {"app": "db"},
                "annotations": {"note": "kept"}, "finalizers": ["a/b"],
                "ownerReferences": [{
                    "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "name": "db", "uid": "1234",
                    "controller": true,
                }],
            },
            "data": {"user": "Ym9i", "password": "Y2FuYXJ5LTdmM2E=", "port": "NTQzMg=="},
        })
    );
    let openers: Vec<&str> = unsealed
        .opened_by
        .values()
        .map(|key| key.as_str())
        .collect();
    assert_eq!(
        openers,
        [certificate("test-cert.pem").fingerprint().as_str(); 3]
    );
}

#[test]
fn a_scope_that_is_given_replaces_the_annotations() {
    let wide = |annotations: Value, scope| {
        let mut secret = secret();
        secret["metadata"]["annotations"] = annotations;
        let sealed = to_json(&sealed(&secret, scope).unwrap());
        (
            sealed["metadata"]["annotations"].clone(),
            sealed["spec"]["template"]["metadata"]["annotations"].clone(),
        )
    };
    let cluster = json!({"sealedsecrets.bitnami.com/cluster-wide": "true"});
    let namespace = json!({"sealedsecrets.bitnami.com/namespace-wide": "true"});
    let both = json!({
        "sealedsecrets.bitnami.com/cluster-wide": "true",
        "sealedsecrets.bitnami.com/namespace-wide": "true",
    });
    assert_eq!(
        wide(Value::Null, Some(Scope::ClusterWide)),
        (cluster.clone(), cluster.clone())
    );
    assert_eq!(
        wide(cluster.clone(), Some(Scope::NamespaceWide)),
        (namespace.clone(), namespace.clone())
    );
    assert_eq!(wide(both.clone(), None), (cluster.clone(), both));
    assert_eq!(
        wide(cluster, Some(Scope::Strict)),
        (Value::Null, Value::Null)
    );
}

#[test]
fn each_scope_opens_where_it_may_and_nowhere_else() {
    for (scope, other_name, other_namespace) in [
        (Scope::Strict, false, false),
        (Scope::NamespaceWide, true, false),
        (Scope::ClusterWide, true, true),
    ] {
        let original = sealed(&secret(), Some(scope)).unwrap();
        let mut renamed = original.clone();
        renamed.metadata.name = Some("other".to_owned());
        assert_eq!(opens(&renamed, &keyring()).is_ok(), other_name, "{scope}");
        let mut moved = original.clone();
        moved.metadata.namespace = Some("other".to_owned());
        assert_eq!(
            opens(&moved, &keyring()).is_ok(),
            other_namespace,
            "{scope}"
        );
        let mut narrowed = original;
        narrowed.metadata.annotations = None;
        assert_eq!(
            opens(&narrowed, &keyring()).is_ok(),
            scope == Scope::Strict,
            "{scope}"
        );
    }
}

#[test]
fn sealing_refuses_what_it_cannot_bind() {
    let nameless = json!({"metadata": {"namespace": "n"}, "data": {"a": ""}});
    assert_eq!(
        sealed(&nameless, None).unwrap_err().to_string(),
        "the Secret has no metadata.name"
    );
    let homeless = json!({"metadata": {"name": "x"}, "data": {"a": ""}});
    assert_eq!(
        sealed(&homeless, None).unwrap_err().to_string(),
        "Secret x has no metadata.namespace, which scope strict is bound to"
    );
    let free = to_json(&sealed(&homeless, Some(Scope::ClusterWide)).unwrap());
    assert_eq!(free["metadata"]["namespace"], Value::Null);
    assert_eq!(
        free["spec"]["template"]["metadata"]["namespace"],
        Value::Null
    );
    let input = SecretInput::from_value(&secret()).unwrap();
    let certificate = certificate("test-cert.pem");
    let late = certificate.not_after() + 1.second();
    let error = seal(&input, None, &certificate, late, &mut rand::rngs::SysRng).unwrap_err();
    assert!(
        matches!(
            error,
            SealError::Certificate(CertificateError::Expired { .. })
        ),
        "{error}"
    );
}

#[test]
fn input_errors_name_the_field_and_not_the_value() {
    for (secret, wanted) in [
        (json!([CANARY]), "the Secret must be a map, found a list"),
        (
            json!({"data": {"k": 5}}),
            "data.k must be a string of base64, found a number",
        ),
        (json!({"data": {"k": CANARY}}), "data.k is not base64"),
        (
            json!({"stringData": {"k": [CANARY]}}),
            "stringData.k must be a string, found a list",
        ),
        (
            json!({"stringData": CANARY}),
            "stringData must be a map, found a string",
        ),
        (
            json!({"immutable": CANARY}),
            "immutable must be true or false, found a string",
        ),
        (
            json!({"metadata": {"labels": {"l": {}}}}),
            "metadata.labels.l must be a string, found a map",
        ),
    ] {
        let error = SecretInput::from_value(&secret).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn scalars_in_place_of_text_are_taken_and_reported() {
    let input = SecretInput::from_value(&json!({
        "metadata": {"name": 5, "labels": {"on": true}},
        "data": {"empty": null},
        "stringData": {"port": 5432, "text": "x", "nothing": null},
    }))
    .unwrap();
    assert_eq!(input.name.as_deref(), Some("5"));
    assert_eq!(input.items["port"].expose(), b"5432");
    assert_eq!(
        (input.items["nothing"].len(), input.items["empty"].len()),
        (0, 0)
    );
    let mut coerced = input.coerced.clone();
    coerced.sort();
    assert_eq!(
        coerced,
        [
            "metadata.labels.on",
            "metadata.name",
            "stringData.nothing",
            "stringData.port"
        ]
    );
}

#[test]
fn the_owner_is_skipped_on_the_templates_word_only() {
    let mut sealed = sealed(&secret(), None).unwrap();
    let skip = BTreeMap::from([(
        "sealedsecrets.bitnami.com/skip-set-owner-references".to_owned(),
        "true".to_owned(),
    )]);
    sealed.metadata.annotations = Some(skip.clone());
    assert!(
        unseal(&sealed, &keyring())
            .unwrap()
            .secret
            .metadata
            .owner_references
            .is_some()
    );
    let template = sealed
        .spec
        .template
        .as_mut()
        .unwrap()
        .metadata
        .as_mut()
        .unwrap();
    template.insert("annotations".to_owned(), json!(skip));
    assert!(
        unseal(&sealed, &keyring())
            .unwrap()
            .secret
            .metadata
            .owner_references
            .is_none()
    );
}

#[test]
fn a_template_can_force_neither_name_nor_namespace_nor_uid() {
    let mut sealed = sealed(&secret(), None).unwrap();
    let template = sealed
        .spec
        .template
        .as_mut()
        .unwrap()
        .metadata
        .as_mut()
        .unwrap();
    template.insert("name".to_owned(), json!("evil"));
    template.insert("namespace".to_owned(), json!("kube-system"));
    template.insert("uid".to_owned(), json!("u"));
    template.insert("resourceVersion".to_owned(), json!("1"));
    let metadata = unseal(&sealed, &keyring()).unwrap().secret.metadata;
    assert_eq!(
        (metadata.name.as_deref(), metadata.namespace.as_deref()),
        (Some("db"), Some("shop"))
    );
    assert_eq!((metadata.uid, metadata.resource_version), (None, None));
}

#[test]
fn odd_template_metadata_fails_the_object_and_says_where() {
    let mut sealed = sealed(&secret(), None).unwrap();
    let template = sealed
        .spec
        .template
        .as_mut()
        .unwrap()
        .metadata
        .as_mut()
        .unwrap();
    template.insert("labels".to_owned(), json!({"l": 5}));
    let error = unseal(&sealed, &keyring()).unwrap_err();
    assert!(
        matches!(error, UnsealError::TemplateMetadata { .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .starts_with("spec.template.metadata is not the metadata of an object: "),
        "{error}"
    );
}

#[test]
fn all_failing_items_are_told_grouped_and_sorted() {
    let mut sealed = sealed(&secret(), None).unwrap();
    for (item, text) in [
        ("e", "AAAA"),
        ("c", "!!!"),
        ("a", ""),
        ("d", "NOTVALIDBASE64"),
    ] {
        sealed
            .spec
            .encrypted_data
            .insert(item.to_owned(), text.to_owned());
    }
    let wanted = "illegal base64 data at input byte 0 (c)\nillegal base64 data at input byte 12 (d)\n\
                  no key could decrypt secret (a, e)";
    assert_eq!(unseal(&sealed, &keyring()).unwrap_err().to_string(), wanted);
    assert_eq!(opens(&sealed, &keyring()).unwrap_err().to_string(), wanted);
}

#[test]
fn checking_that_it_opens_renders_no_template() {
    let mut sealed = sealed(&secret(), None).unwrap();
    let broken = BTreeMap::from([("x".to_owned(), Some("{{ fail .user }}".to_owned()))]);
    sealed.spec.template.as_mut().unwrap().data = Some(broken);
    assert!(opens(&sealed, &keyring()).is_ok());
    assert!(unseal(&sealed, &keyring()).is_err());
}

#[test]
fn resealing_moves_items_to_the_current_key_once() {
    let keyring = keyring();
    let target = certificate("test-cert-4096.pem");
    let mut sealed = sealed(&secret(), None).unwrap();
    // A template that would fail: resealing never renders it.
    let broken = BTreeMap::from([("x".to_owned(), Some("{{ fail .user }}".to_owned()))]);
    sealed.spec.template.as_mut().unwrap().data = Some(broken);
    let first = reseal(&sealed, &keyring, &target, &mut rand::rngs::SysRng).unwrap();
    assert!(first.values().all(|text| text.starts_with("Ag")));
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        ["password", "port", "user"]
    );
    let kept = first["user"].clone();
    sealed
        .spec
        .encrypted_data
        .insert("user".to_owned(), kept.clone());
    let second = reseal(&sealed, &keyring, &target, &mut rand::rngs::SysRng).unwrap();
    assert_eq!(second["user"], kept);
    sealed.spec.encrypted_data = second.clone();
    assert_eq!(
        reseal(&sealed, &keyring, &target, &mut rand::rngs::SysRng).unwrap(),
        second
    );
    sealed.spec.template = None;
    assert_eq!(
        unseal(&sealed, &keyring).unwrap().secret.data["password"].expose(),
        CANARY.as_bytes()
    );
}

#[test]
fn resealing_is_all_or_nothing() {
    let mut sealed = sealed(&secret(), None).unwrap();
    sealed
        .spec
        .encrypted_data
        .insert("bad".to_owned(), "AAAA".to_owned());
    let target = certificate("test-cert-4096.pem");
    let error = reseal(&sealed, &keyring(), &target, &mut rand::rngs::SysRng).unwrap_err();
    assert_eq!(error.to_string(), "no key could decrypt secret (bad)");
}

fn request(name: &str) -> KeyRequest {
    KeyRequest {
        name: name.to_owned(),
        bits: 2048,
        ttl: Duration::from_secs(3600),
        common_name: String::new(),
    }
}

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
    let names = |certificate: &Certificate| {
        use base64::Engine as _;
        let body: String = certificate
            .pem()
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        let der = base64::engine::general_purpose::STANDARD
            .decode(body)
            .unwrap();
        der.windows(18)
            .filter(|window| *window == b"sealed.example.org")
            .count()
    };
    assert_eq!((names(&certificate), names(&plain)), (2, 0));
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
    let key = String::from_utf8(file("test-key.pem")).unwrap();
    let certificate = String::from_utf8(file("test-cert.pem")).unwrap();
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

fn extra(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/keys")
        .join(name);
    std::fs::read(path).expect("test data")
}

#[test]
fn a_pkcs8_file_holds_the_same_key_as_the_pkcs1_file_it_was_made_of() {
    let pkcs8 = PrivateKey::from_pem(&extra("test-key-pkcs8.pem")).unwrap();
    let pkcs1 = PrivateKey::from_pem(&file("test-key.pem")).unwrap();
    assert_eq!(pkcs8.fingerprint(), pkcs1.fingerprint());
    let keyring = Keyring::default();
    keyring.insert_private("pkcs8".to_owned(), pkcs8);
    assert!(opens(&sealed(&secret(), None).unwrap(), &keyring).is_ok());
}

#[test]
fn keys_and_certificates_that_cannot_serve_are_refused_with_the_reason() {
    let refused = |name| PrivateKey::from_pem(&extra(name)).unwrap_err();
    assert_eq!(refused("rsa-1024.pem"), KeyError::TooSmall { bits: 1024 });
    assert_eq!(
        refused("rsa-1024.pem").to_string(),
        "the private key has 1024 bits: expected at least 2048"
    );
    assert_eq!(refused("ec-pkcs8.pem"), KeyError::NotRsa);
    let elliptic = Certificate::from_pem(&extra("ec-cert.pem")).unwrap_err();
    assert_eq!(
        elliptic.to_string(),
        "expected RSA public key but found one of algorithm 1.2.840.10045.2.1"
    );
    assert_eq!(
        Certificate::from_pem(&file("test-key.pem")).unwrap_err(),
        CertificateError::NotFound
    );
    let mut both = file("test-key.pem");
    both.extend(file("test-cert.pem"));
    assert_eq!(
        Certificate::from_pem(&both).unwrap(),
        certificate("test-cert.pem")
    );
}

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
