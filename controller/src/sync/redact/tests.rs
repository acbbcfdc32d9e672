use std::path::Path;

use serde_json::{Value, json};
use snapbox::Data;

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
            "parameters": [
                {"name": "password", "value": "secret", "forceString": true}, {"name": "empty"}, {"name": "password=secret,a", "value": "1"},
            ],
            "releaseName": "web", "values": "password: secret\n", "valuesObject": {"password": "secret"},
            "fileParameters": [{"name": "config", "path": "config.ini"}],
            "skipCrds": true, "kubeVersion": "1.33", "apiVersions": ["a/v1"],
        },
        "kustomize": {
            "namePrefix": "a-", "images": ["web=web:2"], "replicas": [{"name": "web", "count": 2}, {"name": "db", "count": "3"}, {"name": "a", "count": {"a": "secret"}}],
            "commonLabels": {"team": "secret"}, "commonAnnotations": {"note": "secret"},
            "patches": [{"path": "p.yaml", "patch": "secret", "target": {"kind": "Secret", "labelSelector": "a=secret"}, "options": {"allowNameChange": true}}],
            "components": [
                "../part", "https://me:secret@git.example.com/part", "git.example.com/a//part?ref=v1",
                "git.example.com/a//part?ref=v1&sshkey=secret", "me:secret@git.example.com/part",
            ],
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
            "parameters": [
                {"name": "password", "value": "DIGEST", "forceString": true}, {"name": "empty"}, {"name": "DIGEST", "value": "DIGEST"},
            ],
            "releaseName": "web", "values": "DIGEST", "valuesObject": {"redacted": "DIGEST"},
            "fileParameters": [{"name": "config", "path": "config.ini"}],
            "skipCrds": true, "kubeVersion": "1.33", "apiVersions": ["a/v1"],
        },
        "kustomize": {
            "namePrefix": "a-", "images": ["web=web:2"], "replicas": [{"name": "web", "count": 2}, {"name": "db", "count": "3"}, {"name": "a", "count": "DIGEST"}],
            "commonLabels": {"team": "DIGEST"}, "commonAnnotations": {"note": "DIGEST"},
            "patches": [{"path": "p.yaml", "patch": "DIGEST", "target": {"kind": "Secret", "labelSelector": "DIGEST"}, "options": {"allowNameChange": true}}],
            "components": [
                "../part", "https://DIGEST@git.example.com/part", "git.example.com/a//part?ref=v1",
                "DIGEST@git.example.com/a//part?ref=v1", "DIGEST@git.example.com/part",
            ],
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
        // Somebody's login that looks like one of ours hides nothing else.
        (
            "https://hmac-sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@git.example.com/a?token=secret",
            "https://DIGEST@git.example.com/a",
        ),
        (
            "https://hmac-sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@me:secret@git.example.com/a",
            "https://DIGEST@git.example.com/a",
        ),
        (
            "https://me:secret@host:x/a@v1",
            "https://DIGEST@host:x/a@v1",
        ),
        (
            "https://me:secret@host/a://b@c",
            "https://DIGEST@host/a://b@c",
        ),
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
fn the_order_of_the_fields_of_an_object_makes_no_other_source() {
    let values = |text: &str| json!({"helm": {"valuesObject": serde_json::from_str::<Value>(text).unwrap()}});
    let [one, other] = [
        r#"{"a": {"b": 1, "c": 2}, "d": 3}"#,
        r#"{"d": 3, "a": {"c": 2, "b": 1}}"#,
    ];
    assert_eq!(redacted(&values(one)), redacted(&values(other)));
}

#[test]
fn a_value_that_is_null_makes_another_source() {
    let values = |values: Value| json!({"helm": {"valuesObject": values}});
    let with = redacted(&values(json!({"a": null})));
    assert_ne!(with, redacted(&values(json!({}))));
    assert_ne!(with, redacted(&values(json!({"a": 1}))));
}

#[test]
fn a_name_of_a_plugins_parameter_is_part_of_its_place() {
    let parameter = |name: &str| json!({"plugin": {"parameters": [{"name": name, "string": "a"}]}});
    let digest =
        |name: &str| redacted(&parameter(name))["plugin"]["parameters"][0]["string"].clone();
    assert_ne!(digest("a"), digest("b"));
}

/// Each field of the definition that holds a text, with what a status that repeats it says in its place. Fields that are left out are not
/// among them, be they known or unknown.
#[test]
fn of_all_fields_these_are_told_and_no_others() {
    let definition = include_str!("../../../../crds/applications.argoproj.io.yaml");
    let definition: Value = serde_saphyr::from_str(definition).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let mut object = planted::everywhere(schema);
    object["metadata"] = json!({"name": "shop", "namespace": "signet"});
    let mut application: Application = crds::decode(&object).unwrap();
    redactor()
        .of("signet", "shop")
        .application(&mut application);
    let told = planted::list(&[
        ("spec", json!(application.spec)),
        ("operation", json!(application.operation)),
        ("status", json!(application.status)),
    ]);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sync/redact/told.txt");
    let assert = snapbox::Assert::new().action_env("TRYCMD");
    assert.eq(told, Data::read_from(&golden, None).raw());
}

/// An Application in which every field holds a text that can be told from all others: its own path.
mod planted {
    use super::*;

    /// What the definition says nowhere, as somebody newer or another controller may write it.
    const UNKNOWN: &str = "newer";
    const TIME: &str = "2026-03-01T12:00:00Z";

    pub(super) fn everywhere(schema: &Value) -> Value {
        let mut object = json!({});
        for field in ["spec", "operation", "status"] {
            object[field] = at(schema, field, &schema["properties"][field]);
        }
        object
    }

    /// The parts whose fields the definition describes once, elsewhere.
    fn described<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
        let spec = &root["properties"]["spec"]["properties"];
        let status = &root["properties"]["status"]["properties"];
        let last = path.rsplit('.').next()?;
        Some(match last {
            "source" | "sources[]" => &spec["source"],
            "destination" => &spec["destination"],
            "ignoreDifferences[]" => &spec["ignoreDifferences"]["items"],
            "managedNamespaceMetadata" => {
                &spec["syncPolicy"]["properties"]["managedNamespaceMetadata"]
            }
            "operation" => &root["properties"]["operation"],
            "lastSync" => &status["operationState"],
            _ => return None,
        })
    }

    fn at(root: &Value, path: &str, schema: &Value) -> Value {
        let fields = schema["properties"].as_object();
        let fields = fields.or_else(|| described(root, path)?["properties"].as_object());
        let named = &schema["additionalProperties"];
        match schema["type"].as_str() {
            Some("array") => {
                let path = format!("{path}[]");
                json!([at(root, &path, &schema["items"])])
            }
            Some("object") if named.is_object() => {
                json!({"name": at(root, &format!("{path}.name"), named)})
            }
            Some("object") => {
                let field = |(name, schema): (&String, &Value)| {
                    (name.clone(), at(root, &format!("{path}.{name}"), schema))
                };
                let mut object: Value = fields.into_iter().flatten().map(field).collect();
                object[UNKNOWN] = format!("{path}.{UNKNOWN}").into();
                if fields.is_none() {
                    // Whatever it may hold.
                    object["name"] = format!("{path}.name").into();
                }
                object
            }
            Some("string") if schema["format"] == "date-time" => TIME.into(),
            Some("string") => path.into(),
            Some("boolean") => true.into(),
            Some("integer") => 1.into(),
            _ => json!(path),
        }
    }

    /// A line for each text, and one for a source that says the same of its fields as the first.
    pub(super) fn list(parts: &[(&str, Value)]) -> String {
        let mut lines: Vec<String> = Vec::new();
        for (path, value) in parts {
            add(path, value, &mut lines);
        }
        lines.join("\n") + "\n"
    }

    const SOURCE: &str = "spec.source";

    fn add(path: &str, value: &Value, lines: &mut Vec<String>) {
        let start = lines.len();
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    add(&format!("{path}.{name}"), value, lines);
                }
            }
            Value::Array(items) => {
                for value in items {
                    add(&format!("{path}[]"), value, lines);
                }
            }
            Value::String(text) if text == path => lines.push(path.to_owned()),
            Value::String(text) if is_digest(text) => lines.push(format!("{path}: digest")),
            Value::String(text) if text == TIME => {}
            Value::String(text) => panic!("{path} says {text}"),
            _ => {}
        }
        let is_source = path.ends_with(".source") || path.ends_with(".sources[]");
        if is_source && path != SOURCE {
            let added = lines.split_off(start).into_iter();
            let added: Vec<_> = added.map(|line| line.replacen(path, SOURCE, 1)).collect();
            let first = lines.iter().filter(|line| line.starts_with("spec.source."));
            assert!(first.eq(&added), "{path} says {added:?}");
            lines.push(format!("{path}: as {SOURCE}"));
        }
    }
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
