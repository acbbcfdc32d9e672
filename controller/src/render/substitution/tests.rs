use serde_json::json;

use super::*;
use crate::render::{RenderKey, SourceType};

const NAMESPACE: &str = "shop";

fn rendered(object: Value) -> Rendered {
    Rendered {
        batches: vec![Arc::new(Batch {
            manifests: vec![Manifest {
                file: "app/a.yaml".to_owned(),
                document: 1,
                line: Some(3),
                object,
            }],
            ..Batch::default()
        })],
        key: KeyHash::of("test").key(),
        source_type: SourceType::Directory,
    }
}

fn object(kind: &str, more: &Value) -> Value {
    let api_version = if kind == "Deployment" {
        "apps/v1"
    } else {
        "v1"
    };
    let mut object = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}});
    for (key, value) in more.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

fn plain(values: &[(&str, &str)]) -> Variables {
    variables(values, &Origin::Plain)
}

fn with_password() -> Variables {
    variables(
        &[("password", "p@ss: #1 {")],
        &Origin::Secret("db".to_owned()),
    )
}

fn substituted(object: Value, variables: &Variables) -> Result<Value, String> {
    let substituted = substitute(&rendered(object), variables, NAMESPACE);
    let substituted = substituted.map_err(|error| error.to_string())?;
    Ok(substituted.manifests().next().unwrap().object.clone())
}

fn key(object: &Value, variables: &Variables) -> RenderKey {
    let substituted = substitute(&rendered(object.clone()), variables, NAMESPACE);
    substituted.unwrap().key.clone()
}

#[test]
fn values_and_keys_are_substituted_wherever_they_stand() {
    let deployment = object(
        "Deployment",
        &json!({
            "metadata": {"name": "web-${region}", "labels": {"${team}/app": "${region}"}},
            "spec": {"template": {"spec": {"containers": [{"image": "${registry:=docker.io}/web"}]}}},
        }),
    );
    let variables = plain(&[("region", "eu"), ("team", "example.com")]);
    let expected = object(
        "Deployment",
        &json!({
            "metadata": {"name": "web-eu", "labels": {"example.com/app": "eu"}},
            "spec": {"template": {"spec": {"containers": [{"image": "docker.io/web"}]}}},
        }),
    );
    assert_eq!(substituted(deployment, &variables), Ok(expected));
}

#[test]
fn a_value_has_the_type_that_it_would_have_in_the_file() {
    let variables = plain(&[
        ("three", "3"),
        ("yes", "true"),
        ("list", "[a, b]"),
        ("quote", "\""),
        ("comment", "3 # three"),
        ("odd", "{a: [b"),
        ("lines", "1\n2"),
        ("nothing", ""),
    ]);
    for (text, expected) in [
        ("${three}", json!(3)),
        ("${yes}", json!(true)),
        ("${list}", json!(["a", "b"])),
        ("${nothing}", json!(null)),
        ("${quote}${three}${quote}", json!("3")),
        ("${three}m", json!("3m")),
        ("1${three}", json!(13)),
        // What is text in the file stays text.
        ("a: ${three}", json!("a: 3")),
        ("line\n${three}", json!("line\n3")),
        ("$three", json!("$three")),
        // What YAML would cut off or not read is kept as it is.
        ("${comment}", json!("3 # three")),
        ("${odd}", json!("{a: [b")),
        ("${lines}", json!("1\n2")),
    ] {
        let spec = |value: &Value| object("Deployment", &json!({"spec": {"field": value}}));
        let found = substituted(spec(&json!(text)), &variables);
        assert_eq!(found, Ok(spec(&expected)), "{text}");
    }
}

#[test]
fn where_only_text_may_stand_a_number_is_text() {
    let variables = plain(&[("n", "8080"), ("quote", "\"")]);
    let with = |n: &str| {
        object(
            "Deployment",
            &json!({
                "metadata": {"name": n, "labels": {"port": n}, "annotations": {"port": n}},
                "spec": {"template": {"spec": {
                    "nodeSelector": {"port": n},
                    "containers": [{"args": [n], "command": [n], "env": [{"name": "PORT", "value": n}]}],
                }}},
            }),
        )
    };
    assert_eq!(substituted(with("${n}"), &variables), Ok(with("8080")));
    let quoted = "${quote}${n}${quote}";
    assert_eq!(substituted(with(quoted), &variables), Ok(with("8080")));
    let config = |n: &str| object("ConfigMap", &json!({"data": {"port": n}}));
    assert_eq!(substituted(config("${n}"), &variables), Ok(config("8080")));
}

#[test]
fn a_secret_goes_into_items_of_secrets_of_its_namespace_only() {
    let secret = |text: &str| object("Secret", &json!({"stringData": {"url": text}}));
    let found = substituted(secret("pg://${password}@db"), &with_password());
    assert_eq!(found, Ok(secret("pg://p@ss: #1 {@db")));
    let mut elsewhere = secret("${password}");
    elsewhere["metadata"]["namespace"] = json!("other");
    let mut label = secret("x");
    label["metadata"]["labels"] = json!({"x": "${password}"});
    let refusal = |object: &str, field: &str| {
        format!(
            "app/a.yaml: document 1, line 3: {object}: {field}: variable password of Secret db stands outside data and stringData of a Secret of the destination's namespace"
        )
    };
    for (object, field) in [
        (elsewhere, "Secret web: stringData.url"),
        (label, "Secret web: metadata.labels.x"),
        (
            object("Secret", &json!({"stringData": {"${password}": "x"}})),
            "Secret web: stringData.${password}",
        ),
        (
            object("ConfigMap", &json!({"data": {"a.b": "${password:0:1}"}})),
            "ConfigMap web: data[\"a.b\"]",
        ),
        (
            object("ConfigMap", &json!({"data": {"x": "${#password}"}})),
            "ConfigMap web: data.x",
        ),
    ] {
        let (name, field) = field.split_once(": ").unwrap();
        let found = substituted(object, &with_password());
        assert_eq!(found, Err(refusal(name, field)));
    }
}

#[test]
fn an_object_can_keep_its_dollar_signs() {
    for metadata in ["labels", "annotations"] {
        let mut script = object("ConfigMap", &json!({"data": {"run.sh": "echo ${HOME}"}}));
        script["metadata"][metadata] =
            json!({"kustomize.toolkit.fluxcd.io/substitute": "disabled"});
        assert_eq!(substituted(script.clone(), &plain(&[])), Ok(script));
    }
}

#[test]
fn what_is_missing_is_named_with_file_object_and_field() {
    let script = object("ConfigMap", &json!({"data": {"run.sh": "echo ${HOME}"}}));
    let expected =
        "app/a.yaml: document 1, line 3: ConfigMap web: data[\"run.sh\"]: variable HOME is not set";
    assert_eq!(substituted(script, &plain(&[])), Err(expected.to_owned()));
    let twice = object("ConfigMap", &json!({"data": {"a": "x", "${a}": "y"}}));
    let expected =
        "app/a.yaml: document 1, line 3: ConfigMap web: data.${a}: another field has the same name";
    let found = substituted(twice, &plain(&[("a", "a")]));
    assert_eq!(found, Err(expected.to_owned()));
    let nameless = object("ConfigMap", &json!({"metadata": {"name": "${a}"}}));
    let expected = "app/a.yaml: document 1, line 3: metadata.name is empty";
    let found = substituted(nameless, &plain(&[("a", "")]));
    assert_eq!(found, Err(expected.to_owned()));
}

#[test]
fn the_key_changes_with_the_values_in_use_and_with_no_other() {
    let config = object("ConfigMap", &json!({"data": {"x": "${a}"}}));
    let before = key(&config, &plain(&[("a", "1"), ("b", "1")]));
    assert_eq!(before, key(&config, &plain(&[("a", "1"), ("b", "2")])));
    assert_ne!(before, key(&config, &plain(&[("a", "2"), ("b", "1")])));
    let none = object("ConfigMap", &json!({"data": {"x": "$${a}"}}));
    let other = rendered(none.clone()).key;
    assert_ne!(key(&none, &plain(&[])), other);
}
