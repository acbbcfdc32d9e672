//! Templates of `spec.template.data`, through seal and unseal: the published vectors, what Go itself says of more
//! templates, and what no template may do.
//! Data: tests/vectors/sealed-secrets/templates.json, tests/vectors/templates/go.json.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crds::{SealedSecret, SealedSecretSpec, SecretTemplate};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sealing::{Certificate, Keyring, PrivateKey, Scope, seal_value, unseal};
use serde::Deserialize;

type Texts = BTreeMap<String, String>;

fn data(file: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors")
        .join(file);
    std::fs::read(path).expect("test data")
}

/// Seals items and unseals them again with a template.
struct House {
    certificate: Certificate,
    keyring: Keyring,
}

impl House {
    fn new() -> Self {
        let keyring = Keyring::default();
        let key = PrivateKey::from_pem(&data("sealed-secrets/test-key.pem")).expect("test key");
        keyring.insert_private("test".to_owned(), key);
        let certificate =
            Certificate::from_pem(&data("sealed-secrets/test-cert.pem")).expect("test certificate");
        Self {
            certificate,
            keyring,
        }
    }

    fn render(
        &self,
        items: &[(&str, &[u8])],
        templates: &[(&str, Option<&str>)],
    ) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let label = Scope::Strict.label("ns", "name");
        let seal = |value: &[u8]| {
            seal_value(
                self.certificate.public_key(),
                &label,
                value,
                &mut rand::rngs::SysRng,
            )
            .expect("a sealed value")
        };
        let sealed = SealedSecret {
            metadata: ObjectMeta {
                name: Some("name".to_owned()),
                namespace: Some("ns".to_owned()),
                ..ObjectMeta::default()
            },
            spec: SealedSecretSpec {
                encrypted_data: items
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), seal(value)))
                    .collect(),
                template: Some(SecretTemplate {
                    data: Some(
                        templates
                            .iter()
                            .map(|(key, text)| ((*key).to_owned(), text.map(str::to_owned)))
                            .collect(),
                    ),
                    ..SecretTemplate::default()
                }),
                data: None,
            },
            status: None,
        };
        let unsealed = unseal(&sealed, &self.keyring).map_err(|error| error.to_string())?;
        let plain =
            |(key, value): (&String, &sealing::SecretBytes)| (key.clone(), value.expose().to_vec());
        Ok(unsealed.secret.data.iter().map(plain).collect())
    }

    fn render_texts(&self, items: &Texts, templates: &Texts) -> Result<Texts, String> {
        let items: Vec<_> = items
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_bytes()))
            .collect();
        let templates: Vec<_> = templates
            .iter()
            .map(|(key, text)| (key.as_str(), Some(text.as_str())))
            .collect();
        let rendered = self.render(&items, &templates)?;
        Ok(rendered
            .into_iter()
            .map(|(key, value)| (key, String::from_utf8_lossy(&value).into_owned()))
            .collect())
    }

    /// One template over `foo: bar` and `password: hunter2`.
    fn one(&self, template: &str) -> Result<String, String> {
        let rendered = self.render(
            &[("foo", b"bar"), ("password", b"hunter2")],
            &[("x", Some(template))],
        )?;
        Ok(String::from_utf8_lossy(&rendered["x"]).into_owned())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Vector {
    name: String,
    items: Texts,
    template_data: Texts,
    expect_data: Option<Texts>,
    expect_error: Option<String>,
}

/// Vectors that wait for a function. When it exists, the vector has to pass and its line has to go.
const WAITING: [(&str, &str); 4] = [
    ("case", "camelcase"),
    ("regex", "regexReplaceAll"),
    ("date", "date"),
    ("semver", "semverCompare"),
];

/// Vectors whose error we word otherwise on purpose: upstream's shows the value of an item.
const OTHERWISE: [(&str, &str); 1] = [(
    "fail-echoes-plaintext",
    "template: x:1:3: executing \"x\" at <fail .foo>: error calling fail: \
     (its message is not shown, since it may hold a secret) (x)",
)];

#[test]
fn every_template_vector_renders_or_fails_as_it_says() {
    let vectors: Vec<Vector> =
        serde_json::from_slice(&data("sealed-secrets/templates.json")).unwrap();
    assert_eq!(vectors.len(), 65);
    let house = House::new();
    let mut problems = Vec::new();
    for vector in vectors {
        let found = house.render_texts(&vector.items, &vector.template_data);
        let known = |list: &[(&str, &str)]| {
            list.iter()
                .find(|(name, _)| *name == vector.name)
                .map(|(_, what)| (*what).to_owned())
        };
        let wanted = if let Some(function) = known(&WAITING) {
            Err(format!(
                "template: x:1: function \"{function}\" not defined: a sprig function that is not supported yet (x)"
            ))
        } else if let Some(error) = known(&OTHERWISE) {
            Err(error)
        } else {
            vector
                .expect_data
                .ok_or_else(|| vector.expect_error.unwrap())
        };
        if found != wanted {
            problems.push(format!(
                "{}:\n  found  {found:?}\n  wanted {wanted:?}",
                vector.name
            ));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
