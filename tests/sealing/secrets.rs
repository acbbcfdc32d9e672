//! Whole Secrets through seal, unseal and reseal.

use std::collections::BTreeMap;

use k8s_openapi::jiff::ToSpan as _;
use sealing::{CertificateError, Scope, SealError, SecretInput, UnsealError, opens, reseal, seal};
use serde_json::{Value, json};

use crate::data::{CANARY, certificate, keyring, sealed, secret, to_json, unseal};

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
        (namespace.clone(), namespace)
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
    let input = SecretInput::from_value(secret().into()).unwrap();
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
        let error = SecretInput::from_value(secret.into()).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn scalars_in_place_of_text_are_taken() {
    let input = SecretInput::from_value(
        json!({
            "metadata": {"name": 5, "labels": {"on": true}},
            "data": {"empty": null},
            "stringData": {"port": 5432, "text": "x", "nothing": null},
        })
        .into(),
    )
    .unwrap();
    assert_eq!(input.name.as_deref(), Some("5"));
    assert_eq!(input.items["port"].expose(), b"5432");
    assert_eq!(
        (input.items["nothing"].len(), input.items["empty"].len()),
        (0, 0)
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
