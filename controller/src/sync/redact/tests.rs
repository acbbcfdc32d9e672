use serde_json::{Value, json};

use super::*;

fn redactor() -> Redactor {
    Redactor::new(&[7; 32])
}

/// Source in, source out, of Application signet/shop.
fn redacted(source: &Value) -> Value {
    redacted_of("shop", source)
}

fn redacted_of(name: &str, source: &Value) -> Value {
    let mut application = Application::default();
    application.spec.source = Some(serde_json::from_value(source.clone()).unwrap());
    redactor().of("signet", name).application(&mut application);
    json!(application.spec.source)
}

/// The same, with one word for all digests.
fn shown(source: &Value) -> Value {
    fn of(value: Value) -> Value {
        match value {
            Value::String(text) => match text.split_once(HMAC) {
                Some((before, rest)) => format!("{before}DIGEST{}", &rest[LETTERS..]).into(),
                None => text.into(),
            },
            Value::Array(items) => items.into_iter().map(of).collect(),
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| (name, of(value)))
                .collect(),
            other => other,
        }
    }
    of(redacted(source))
}

#[test]
fn of_each_field_that_may_hold_a_value_there_is_a_digest_and_of_the_others_what_they_say() {
    let source = json!({
        "repoURL": "https://git.example.com/shop", "targetRevision": "main", "path": "deploy", "chart": "web", "ref": "values", "name": "web",
        "tagPrefix": "v",
        "helm": {
            "valueFiles": ["values.yaml", "https://files.example.com/a.yaml?token=secret"],
            "parameters": [{"name": "password", "value": "secret", "forceString": true}, {"name": "empty"}],
            "releaseName": "web", "values": "password: secret\n", "valuesObject": {"password": "secret"},
            "fileParameters": [{"name": "config", "path": "config.ini"}],
            "skipCrds": true, "kubeVersion": "1.33", "apiVersions": ["a/v1"],
        },
        "kustomize": {
            "namePrefix": "a-", "images": ["web=web:2"], "replicas": [{"name": "web", "count": 2}],
            "commonLabels": {"team": "secret"}, "commonAnnotations": {"note": "secret"},
            "patches": [{"path": "p.yaml", "patch": "secret", "target": {"kind": "Secret"}, "options": {"allowNameChange": true}}],
            "components": ["../part", "https://me:secret@git.example.com/part"],
        },
        "directory": {
            "recurse": true, "include": "*.yaml",
            "jsonnet": {"extVars": [{"name": "a", "value": "secret"}], "tlas": [{"name": "b", "value": "secret", "code": true}], "libs": ["lib"]},
        },
        "plugin": {
            "name": "p", "env": [{"name": "TOKEN", "value": "secret"}],
            "parameters": [{"name": "a", "map": {"x": "secret"}}, {"name": "b", "string": "secret"}, {"name": "c"}],
        },
    });
    let expected = json!({
        "repoURL": "https://git.example.com/shop", "targetRevision": "main", "path": "deploy", "chart": "web", "ref": "values", "name": "web",
        "tagPrefix": "v",
        "helm": {
            "valueFiles": ["values.yaml", "https://DIGEST@files.example.com/a.yaml"],
            "parameters": [{"name": "password", "value": "DIGEST", "forceString": true}, {"name": "empty"}],
            "releaseName": "web", "values": "DIGEST", "valuesObject": {"redacted": "DIGEST"},
            "fileParameters": [{"name": "config", "path": "config.ini"}],
            "skipCrds": true, "kubeVersion": "1.33", "apiVersions": ["a/v1"],
        },
        "kustomize": {
            "namePrefix": "a-", "images": ["web=web:2"], "replicas": [{"name": "web", "count": 2}],
            "commonLabels": {"team": "DIGEST"}, "commonAnnotations": {"note": "DIGEST"},
            "patches": [{"path": "p.yaml", "patch": "DIGEST", "target": {"kind": "Secret"}, "options": {"allowNameChange": true}}],
            "components": ["../part", "https://DIGEST@git.example.com/part"],
        },
        "directory": {
            "recurse": true, "include": "*.yaml",
            "jsonnet": {"extVars": [{"name": "a", "value": "DIGEST"}], "tlas": [{"name": "b", "value": "DIGEST", "code": true}], "libs": ["lib"]},
        },
        "plugin": {
            "name": "p", "env": [{"name": "TOKEN", "value": "DIGEST"}],
            "parameters": [{"name": "a", "string": "DIGEST"}, {"name": "b", "string": "DIGEST"}, {"name": "c"}],
        },
    });
    assert_eq!(shown(&source), expected);
    let once = redacted(&source);
    assert!(!once.to_string().contains("secret"), "{once}");
    assert_eq!(redacted(&once), once, "what is redacted stays");
}

#[test]
fn of_a_url_the_login_is_a_digest_and_the_user_of_ssh_is_not() {
    for (url, expected) in [
        ("https://git.example.com/a", "https://git.example.com/a"),
        (
            "https://me:secret@git.example.com/a",
            "https://DIGEST@git.example.com/a",
        ),
        (
            "https://token@git.example.com/a",
            "https://DIGEST@git.example.com/a",
        ),
        (
            "https://me:se/cret@git.example.com/a",
            "https://DIGEST@git.example.com/a",
        ),
        ("git@git.example.com:a", "git@git.example.com:a"),
        ("ssh://git@git.example.com/a", "ssh://git@git.example.com/a"),
        (
            "ssh://git:secret@git.example.com/a",
            "ssh://DIGEST@git.example.com/a",
        ),
        (
            "ssh://git@git.example.com/a?sshkey=secret",
            "ssh://DIGEST@git.example.com/a",
        ),
        ("git@git.example.com:a?secret", "DIGEST@git.example.com:a"),
        ("me:secret@git.example.com/a", "DIGEST@git.example.com/a"),
        ("https://git.example.com/a@b", "https://git.example.com/a@b"),
    ] {
        let source = json!({"repoURL": url});
        assert_eq!(shown(&source)["repoURL"], expected, "{url}");
        let once = redacted(&source);
        assert_eq!(redacted(&once), once, "{url}");
    }
}

#[test]
fn another_value_place_application_or_key_is_another_digest() {
    let values = |values: &str| json!({"helm": {"values": values}});
    let digest = |source: &Value| redacted(source)["helm"]["values"].clone();
    assert_eq!(digest(&values("a")), digest(&values("a")));
    let patch = json!({"kustomize": {"patches": [{"patch": "a"}]}});
    let others = [
        digest(&values("b")),
        redacted_of("other", &values("a"))["helm"]["values"].clone(),
        redacted(&patch)["kustomize"]["patches"][0]["patch"].clone(),
        Redactor::new(&[8; 32])
            .of("signet", "shop")
            .digest(&["helm.values"], "a")
            .into(),
    ];
    for other in others {
        assert_ne!(digest(&values("a")), other);
    }
    // HMAC-SHA256 with the key 07 … 07, of each part behind its length in eight bytes, by Python's hmac.
    assert_eq!(
        digest(&values("a")),
        "hmac-sha256:wgGZCRikweNNF54qLR7B2KWolYLcUge69zYn5VN5Yls"
    );
}

#[test]
fn a_value_that_is_null_makes_another_source() {
    let values = |values: Value| json!({"helm": {"valuesObject": values}});
    let with = redacted(&values(json!({"a": null})));
    assert_ne!(with, redacted(&values(json!({}))));
    assert_ne!(with, redacted(&values(json!({"a": 1}))));
}

#[test]
fn what_is_unknown_is_not_repeated() {
    let source = json!({"repoURL": "a", "new": "secret", "helm": {"new": "secret"},
        "kustomize": {"patches": [{"patch": "", "target": {"kind": "Secret", "name": null, "new": {"a": "secret"}}, "new": "secret"}]}});
    let expected = json!({"repoURL": "a", "helm": {}, "kustomize": {"patches": [{"target": {"kind": "Secret"}}]}});
    assert_eq!(redacted(&source), expected);
}

#[test]
fn a_status_repeats_no_value_whoever_wrote_it() {
    let source = json!({"repoURL": "a", "helm": {"values": "secret"}});
    let sources = json!([source]);
    let result = json!({"revision": "c1", "source": source, "sources": sources});
    let request = json!({"sync": {"source": source, "sources": sources, "manifests": ["secret"]}});
    let state = json!({"phase": "Failed", "operation": request, "syncResult": result});
    let stored = json!({
        "sync": {"status": "Synced", "comparedTo": {"source": source, "sources": sources, "destination": {}}},
        "history": [{"id": 1, "source": source}, {"id": 2, "sources": sources}],
        "operationState": state, "lastSync": state,
    });
    let object = json!({"metadata": {"name": "shop"}, "spec": {"source": source}, "operation": request, "status": stored});
    let mut application: Application = crds::decode(&object).unwrap();
    let told = |application: &Application| {
        json!([application.spec, application.operation, application.status]).to_string()
    };
    let before = told(&application);
    redactor()
        .of("signet", "shop")
        .application(&mut application);
    let after = told(&application);
    assert!(!after.contains("secret"), "{after}");
    assert_eq!(
        after.matches(HMAC).count(),
        before.matches("secret").count()
    );
}
