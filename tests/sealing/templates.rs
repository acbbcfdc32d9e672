//! Templates of `spec.template.data`, through seal and unseal: the published vectors, what Go itself says of more
//! templates, and what no template may do.
//! Data: tests/vectors/sealed-secrets/templates.json, tests/vectors/templates/go.json.

use std::collections::BTreeMap;

use crds::{SealedSecret, SealedSecretSpec, SecretTemplate};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use sealing::{Certificate, Keyring, Scope, seal_value};
use serde::Deserialize;

use crate::data::{certificate, file, private_key, unseal};

type Texts = BTreeMap<String, String>;

/// Seals items and unseals them again with a template.
struct House {
    certificate: Certificate,
    keyring: Keyring,
}

impl House {
    fn new() -> Self {
        let keyring = Keyring::default();
        let key = private_key("test-key.pem");
        keyring.insert_private("test".to_owned(), key);
        let certificate = certificate("test-cert.pem");
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
        self.open(&self.seal(items), templates)
    }

    fn seal(&self, items: &[(&str, &[u8])]) -> SealedSecret {
        let label = Scope::Strict.label("ns", "name");
        let seal = |value: &[u8]| {
            let key = self.certificate.public_key();
            seal_value(key, &label, value, &mut rand::rngs::SysRng).expect("a sealed value")
        };
        let metadata = ObjectMeta {
            name: Some("name".to_owned()),
            namespace: Some("ns".to_owned()),
            ..ObjectMeta::default()
        };
        SealedSecret {
            metadata,
            spec: SealedSecretSpec {
                encrypted_data: items
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), seal(value)))
                    .collect(),
                ..SealedSecretSpec::default()
            },
            status: None,
        }
    }

    /// Unseals with these templates.
    fn open(
        &self,
        sealed: &SealedSecret,
        templates: &[(&str, Option<&str>)],
    ) -> Result<BTreeMap<String, Vec<u8>>, String> {
        let mut sealed = sealed.clone();
        let templates = templates
            .iter()
            .map(|(key, text)| ((*key).to_owned(), text.map(str::to_owned)));
        sealed.spec.template = Some(SecretTemplate {
            data: Some(templates.collect()),
            ..SecretTemplate::default()
        });
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

/// Vectors whose error we word otherwise on purpose: upstream's shows the value of an item.
const OTHERWISE: [(&str, &str); 1] = [(
    "fail-echoes-plaintext",
    "template: x:1:3: executing \"x\" at <fail .foo>: error calling fail: \
     (its message is not shown, since it may hold a secret) (x)",
)];

#[test]
fn every_template_vector_renders_or_fails_as_it_says() {
    let vectors: Vec<Vector> =
        serde_json::from_slice(&file("sealed-secrets/templates.json")).unwrap();
    assert_eq!(vectors.len(), 65);
    let house = House::new();
    let mut problems = Vec::new();
    for vector in vectors {
        let found = house.render_texts(&vector.items, &vector.template_data);
        let otherwise = OTHERWISE.iter().find(|(name, _)| *name == vector.name);
        let wanted = match otherwise {
            Some((_, error)) => Err((*error).to_owned()),
            None => vector
                .expect_data
                .ok_or_else(|| vector.expect_error.unwrap()),
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

#[derive(Deserialize)]
struct GoFile {
    items: Texts,
    vectors: Vec<GoVector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GoVector {
    template: String,
    output: Option<String>,
    output_base64: Option<String>,
    error: Option<String>,
}

fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .expect("base64")
}

/// What we say where Go's words hold a number or value that may be that of a secret, or speak of Go's innards.
const OUR_WORDS: [&str; 16] = [
    "(its message is not shown, since it may hold a secret)",
    "can't use an integer to iterate over more than one variable",
    "error parsing regexp: not an expression that can be used",
    "improper constraint",
    "index out of range",
    "invalid character at offset",
    "len of type nil",
    "non-comparable type",
    "non-function of type",
    "range can't iterate over a value of type",
    "runtime error: slice bounds out of range",
    "time: invalid duration",
    "unable to parse url",
    "version segment",
    "unusable key",
    "decodedCert.Bytes",
];

/// The text of an execution error up to what is at work, and what is wrong.
fn place_and_message(error: &str) -> (&str, &str) {
    let end = error.find(">: ").map_or(0, |at| at + 3);
    error.split_at(end)
}

/// Whether an error is Go's, or stands at the same place and says it in words that hold no value.
fn is_error_of_go(found: &str, wanted: &str) -> bool {
    let (found, wanted) = (place_and_message(found), place_and_message(wanted));
    found == wanted
        || (found.0 == wanted.0 && OUR_WORDS.iter().any(|words| found.1.contains(words)))
}

#[test]
fn templates_give_what_go_gives() {
    let file: GoFile = serde_json::from_slice(&file("templates/go.json")).unwrap();
    let items: Vec<(String, Vec<u8>)> = file
        .items
        .iter()
        .map(|(key, value)| (key.clone(), decoded(value)))
        .collect();
    let items: Vec<(&str, &[u8])> = items
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_slice()))
        .collect();
    let house = House::new();
    let sealed = house.seal(&items);
    let mut problems = Vec::new();
    for vector in &file.vectors {
        let found = house
            .open(&sealed, &[("x", Some(&vector.template))])
            .map(|data| data["x"].clone());
        let wanted = match (&vector.error, &vector.output_base64) {
            (Some(error), _) => Err(format!("{error} (x)")),
            (None, Some(output)) => Ok(decoded(output)),
            (None, None) => Ok(vector.output.clone().unwrap_or_default().into_bytes()),
        };
        let same = match (&found, &wanted) {
            (Err(found), Err(wanted)) => is_error_of_go(found, wanted),
            (found, wanted) => found == wanted,
        };
        if !same {
            let show = |result: Result<Vec<u8>, String>| {
                result.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            };
            problems.push(format!(
                "{}\n  found  {:?}\n  wanted {:?}",
                vector.template,
                show(found),
                show(wanted)
            ));
        }
    }
    assert!(
        problems.is_empty(),
        "{} differ\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[test]
fn null_removes_an_item_that_templates_can_still_use() {
    let rendered = House::new().render(
        &[("password", b"hunter2"), ("user", b"bob")],
        &[
            ("password", None),
            ("plain", None),
            ("dsn", Some("{{ .user }}:{{ .password }}/{{ .plain }}")),
        ],
    );
    let wanted = BTreeMap::from([
        ("dsn".to_owned(), b"bob:hunter2/<no value>".to_vec()),
        ("user".to_owned(), b"bob".to_vec()),
    ]);
    assert_eq!(rendered, Ok(wanted));
}

#[test]
fn what_varies_is_told_with_what_it_was_made_from() {
    let house = House::new();
    let rendering = |password: &[u8], templates: &[(&str, Option<&str>)]| {
        let mut sealed = house.seal(&[("password", password)]);
        let templates = templates
            .iter()
            .map(|(key, text)| ((*key).to_owned(), text.map(str::to_owned)));
        sealed.spec.template = Some(SecretTemplate {
            data: Some(templates.collect()),
            ..SecretTemplate::default()
        });
        unseal(&sealed, &house.keyring).unwrap().rendering
    };
    assert!(
        rendering(
            b"a",
            &[("day", Some("{{ date \"2006-01-02\" .password }}"))]
        )
        .is_some(),
        "what is no time is shown as of now"
    );
    let token = (
        "token",
        Some("{{ if .x }}{{ else }}{{ list (randAlphaNum 20) }}{{ end }}"),
    );
    assert!(rendering(b"a", &[("plain", Some("{{ .password | upper }}"))]).is_none());
    assert!(
        rendering(b"a", &[("password", Some("{{ now }}"))]).is_none(),
        "the encrypted item counts"
    );
    let known = rendering(b"a", &[token, ("plain", Some("x"))]).unwrap();
    assert_eq!(known.items().iter().collect::<Vec<_>>(), ["token"]);
    let digest = |rendering: &sealing::Rendering, value: &'static [u8]| {
        rendering.digest(|_| Some(value)).unwrap()
    };
    let again = rendering(b"a", &[token, ("plain", Some("x"))]).unwrap();
    assert_eq!(digest(&known, b"v"), digest(&again, b"v"));
    assert_ne!(digest(&known, b"v"), digest(&known, b"w"));
    for other in [
        rendering(b"b", &[token, ("plain", Some("x"))]),
        rendering(b"a", &[token, ("plain", Some("y"))]),
    ] {
        assert_ne!(digest(&known, b"v"), digest(&other.unwrap(), b"v"));
    }
    assert_eq!(known.digest(|_| None), None);
}

#[test]
fn a_template_needs_no_encrypted_item() {
    let rendered = House::new().render(&[], &[("a", Some("{{ .b }}")), ("b", Some("plain"))]);
    let wanted = BTreeMap::from([
        ("a".to_owned(), b"plain".to_vec()),
        ("b".to_owned(), b"plain".to_vec()),
    ]);
    assert_eq!(rendered, Ok(wanted));
}

#[test]
fn the_problems_of_all_templates_are_told_at_once_and_sorted() {
    let broken = [
        ("z", Some("{{ bogus }}")),
        ("b", Some("{{ if }}")),
        ("a", Some("fine")),
    ];
    let error = House::new().render(&[("k", b"v")], &broken).unwrap_err();
    assert_eq!(
        error,
        "template: b:1: missing value for if (b)\ntemplate: z:1: function \"bogus\" not defined (z)"
    );
}

#[test]
fn no_error_of_a_template_shows_a_value() {
    let house = House::new();
    for template in [
        "{{ fail .password }}",
        "{{ .password | fail }}",
        "{{ printf \"%s\" .password | fail }}",
        "{{ fail (print \"x\" .password) }}",
        "{{ index .password 99 }}",
        "{{ index (dict) .password 1 }}",
        "{{ index (list 1) .password }}",
        "{{ .password.x }}",
        "{{ range .password }}{{ end }}",
        "{{ len .password | call }}",
        "{{ lt .password 1 }}",
        "{{ call .password }}",
        "{{ get .password \"x\" }}",
        "{{ trunc .password \"x\" }}",
        "{{ add 1 2 | upper }}{{ .password }}",
        "{{ printf .password.x }}",
        "{{ range $a, $b := atoi \"7\" }}{{ end }}",
        "{{ substr 99 1 .password }}",
        "{{ repeat 99999999 .password }}",
        "{{ $x := .password }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}",
        "{{ template .password }}",
        "{{ .password 1 }}",
        "{{ 1 | .password }}",
        "{{ html .password | slice }}",
        "{{ eq .password (list) }}",
        "{{ mustFromJson .password }}",
        "{{ mustToDate .password \"x\" }}",
        "{{ mustToDate \"2006\" .password }}",
        "{{ mustDateModify .password now }}",
        "{{ mustRegexMatch (print .password \"(\") \"x\" }}",
        "{{ regexReplaceAll (print .password \"[\") .password \"$1\" }}",
        "{{ semver .password }}",
        "{{ semverCompare .password \"1.2.3\" }}",
        "{{ urlParse (print \"http://\" .password \" /\") }}",
        "{{ urlJoin (dict \"scheme\" (list .password)) }}",
        "{{ decryptAES \"x\" .password }}",
        "{{ decryptAES .password .foo }}",
        "{{ genCAWithKey \"x\" 1 .password }}",
        "{{ buildCustomCert .password .password }}",
        "{{ buildCustomCert (b64enc .password) (b64enc .password) }}",
        "{{ genSelfSignedCert \"x\" (list .password) nil 1 }}",
        "{{ genSelfSignedCert \"x\" (list (list .password)) nil 1 }}",
        "{{ dig .password \"x\" . }}",
        "{{ dig (list .password) \"x\" (dict) }}",
        "{{ set . \"a\" .password }}",
        "{{ list .password | first | first }}",
        "{{ concat .password }}",
        "{{ addf (float64 \"inf\") .password }}",
        "{{ untilStep 0 (len .password) .password }}",
        "{{ (dict \"a\" .password).a.b }}",
        "{{ (semver \"1.2.3\").Compare .password }}",
    ] {
        let error = house.one(template).expect_err(template);
        assert!(!error.contains("hunter2"), "{template}: {error}");
        assert!(error.starts_with("template: x:1:"), "{template}: {error}");
    }
}

#[test]
fn a_greedy_template_is_stopped() {
    let house = House::new();
    for template in [
        "{{ repeat 9223372036854775807 \"x\" }}",
        "{{ indent 1000000000 \"x\" }}",
        "{{ until 1000000000 }}",
        "{{ range 1000000000 }}{{ end }}",
        "{{ $x := \"x\" }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}",
        "{{ $x := list 1 }}{{ range until 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}",
        "{{ $x := list 1 }}{{ range until 60 }}{{ $x = dict \"a\" $x \"b\" $x }}{{ end }}{{ toJson $x }}",
        "{{ $x := repeat 1000000 \"x\" }}{{ range until 60 }}{{ $x }}{{ end }}",
        "{{ $x := repeat 1000000 \"x\" }}{{ replace \"x\" $x $x }}",
        "{{ $x := repeat 1000000 \"x\" }}{{ join $x (until 1000) }}",
        "{{ define \"t\" }}{{ template \"t\" }}{{ end }}{{ template \"t\" }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" (list $d) }}{{ toRawJson $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $e := dict }}{{ $_ := set $e \"d\" $e }}{{ deepEqual $d $e }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ $e := dict }}{{ $_ := set $e \"d\" $e }}{{ merge $d $e }}",
        "{{ $d := dict }}{{ $_ := set $d \"d\" $d }}{{ deepCopy $d }}",
        "{{ range until 100000 }}{{ $x := derivePassword 1 \"pin\" \"a\" \"b\" \"c\" }}{{ end }}",
        "{{ range until 100000 }}{{ $x := bcrypt \"a\" }}{{ end }}",
        "{{ range until 100000 }}{{ $x := regexMatch (print . \"a{1000}\") \"b\" }}{{ end }}",
        "{{ untilStep 0 9223372036854775807 1 }}",
        "{{ randAscii 100000000 }}",
        "{{ wrapWith 1 (repeat 10000 \"x\") (repeat 10000 \"y\") }}",
        "{{ printf \"%999999d%999999d%999999d\" 1 2 3 }}",
        "{{ printf \"%999999999999d\" 1 | len | until }}{{ range 1000000000 }}{{ end }}",
    ] {
        let error = house.one(template).expect_err(template);
        assert!(error.starts_with("template: x:1:"), "{template}: {error}");
    }
}

#[test]
fn a_template_that_doubles_its_own_calls_is_stopped() {
    let step = |index: usize| {
        let next = format!("{{{{ template \"t{}\" }}}}", index + 1);
        format!("{{{{ define \"t{index}\" }}}}{next}{next}{{{{ end }}}}")
    };
    let steps: String = (0..60).map(step).collect();
    let template =
        format!("{steps}{{{{ define \"t60\" }}}}x{{{{ end }}}}{{{{ template \"t0\" }}}}");
    let error = House::new().one(&template).unwrap_err();
    assert!(
        error.ends_with("makes more text than a Secret can hold (x)"),
        "{error}"
    );
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash() {
    let house = House::new();
    let chain = format!(
        "{{{{ if 0 }}}}{}{{{{ end }}}}",
        "{{ else if 0 }}".repeat(50_000)
    );
    assert!(house.one(&chain).is_err());
    for hidden in ["{{ /* ' */ }}", "{{/* ' */}}", "{{ `'` }}", "{{ '\\'' }}"] {
        assert!(house.one(&format!("{hidden}{chain}")).is_err(), "{hidden}");
    }
    let list = "{{ $x := list 1 }}{{ range until 100000 }}{{ $x = list $x }}{{ end }}{{ $x }}";
    assert!(house.one(list).is_err());
    let nested = format!(
        "{}x{}",
        "{{ if true }}".repeat(5000),
        "{{ end }}".repeat(5000)
    );
    assert!(house.one(&nested).is_err());
    let parens = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    assert!(house.one(&parens).is_err());
}
