//! Templates rendered by ours and by upstream's programs: what both give is the same, and what one refuses the other
//! refuses at the same place.
//! Generated templates go through `kubeseal --recovery-unseal`, which renders with the controller's code; a few go
//! through both controllers.

#[path = "templates/arguments.rs"]
mod arguments;
#[path = "../dice.rs"]
mod dice;
#[path = "templates/generate.rs"]
mod generate;
#[path = "../testbed/harness.rs"]
mod harness;
#[path = "swap/peer.rs"]
mod peer;
#[path = "templates/shape.rs"]
mod shape;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::{eventually, kubeseal};
use k8s_openapi::jiff::Timestamp;
use peer::{Controller, Install, vector};
use rand::rngs::SysRng;
use sealing::{Certificate, Keyring, PrivateKey, Scope, Surroundings, seal_value, unseal};
use serde_json::{Value, json};

/// How many templates go into one object: kubeseal is called once for all of them.
const BATCH: usize = 200;

type Data = BTreeMap<String, Vec<u8>>;

/// What the templates are over. Upstream 0.36.6 shows them nothing else.
const ITEMS: [(&str, &[u8]); 7] = [
    ("foo", b"bar"),
    ("csv", b"a,b,,c"),
    ("multi", b"l1\nl2\n"),
    ("num", b"0x10"),
    ("uni", "gr\u{fc}\u{df}e \u{65e5}\u{672c}".as_bytes()),
    ("bin", b"\xff\0\xfea\x80"),
    ("json", br#"{"a":[1,2.5,{"b":null}],"s":"<x>"}"#),
];

/// Items that are sealed once for all objects.
struct Sealed(BTreeMap<String, String>);

impl Sealed {
    fn new() -> Self {
        let pem = std::fs::read(vector("test-cert.pem")).expect("a vector");
        let certificate = Certificate::from_pem(&pem).expect("a certificate");
        let label = Scope::ClusterWide.label("", "");
        let seal = |value: &[u8]| {
            seal_value(certificate.public_key(), &label, value, &mut SysRng)
                .expect("a sealed value")
        };
        Self(
            ITEMS
                .iter()
                .map(|(key, value)| ((*key).to_owned(), seal(value)))
                .collect(),
        )
    }

    /// A SealedSecret with these templates.
    fn object<'a>(
        &self,
        name: &str,
        templates: impl Iterator<Item = (&'a String, &'a String)>,
    ) -> Value {
        let data: BTreeMap<&String, &String> = templates.collect();
        json!({
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
            "metadata": {
                "name": name, "namespace": "default",
                "annotations": { "sealedsecrets.bitnami.com/cluster-wide": "true" }
            },
            "spec": { "encryptedData": self.0, "template": { "data": data } }
        })
    }
}

fn ours(object: &Value) -> Result<Data, String> {
    let pem = std::fs::read(vector("test-key.pem")).expect("a vector");
    let keyring = Keyring::default();
    keyring.insert_private(
        "test".to_owned(),
        PrivateKey::from_pem(&pem).expect("a key"),
    );
    let sealed = serde_json::from_value(object.clone()).expect("a SealedSecret");
    let mut random = SysRng;
    let surroundings = Surroundings::new(Timestamp::now(), &mut random);
    let unsealed = unseal(&sealed, &keyring, &surroundings).map_err(|error| error.to_string())?;
    let items = unsealed.secret.data.iter();
    Ok(items
        .map(|(key, value)| (key.clone(), value.expose().to_vec()))
        .collect())
}

fn theirs(object: &Value) -> Result<Data, String> {
    let key = vector("test-key.pem").display().to_string();
    let args = [
        "--recovery-unseal",
        "--recovery-private-key",
        &key,
        "-o",
        "json",
    ];
    let output = kubeseal(&args, &object.to_string());
    if output.code != Some(0) {
        return Err(output.stderr);
    }
    let secret: Value = serde_json::from_str(&output.stdout).expect("a Secret in JSON");
    Ok(decoded(&secret))
}

/// The items of a Secret. Upstream's kubeseal shows an empty value as null.
fn decoded(secret: &Value) -> Data {
    let data: BTreeMap<String, Option<String>> =
        serde_json::from_value(secret["data"].clone()).expect("items");
    let decode = |text: String| STANDARD.decode(text).expect("base64");
    data.into_iter()
        .map(|(key, text)| (key, text.map(decode).unwrap_or_default()))
        .collect()
}

/// Templates by key, in parts of a size.
fn batches(templates: &BTreeMap<String, String>) -> Vec<Vec<(&String, &String)>> {
    let all: Vec<(&String, &String)> = templates.iter().collect();
    all.chunks(BATCH).map(<[_]>::to_vec).collect()
}

#[test]
fn generated_templates_give_what_upstream_gives() {
    let sealed = Sealed::new();
    let (good, bad): (BTreeMap<_, _>, BTreeMap<_, _>) = generate::templates()
        .into_iter()
        .partition(|(key, text)| ours(&sealed.object("one", [(key, text)].into_iter())).is_ok());
    assert!(
        good.len() > 400 && bad.len() > 100,
        "{} and {}",
        good.len(),
        bad.len()
    );
    let mut problems = Vec::new();
    for batch in batches(&good) {
        let object = sealed.object("good", batch.iter().copied());
        let found = ours(&object).expect("each renders");
        match theirs(&object) {
            Err(error) => problems.push(format!("upstream refuses what ours renders:\n{error}")),
            Ok(wanted) => problems.extend(batch.iter().filter_map(|(key, text)| {
                let (found, wanted) = (&found[*key], &wanted[*key]);
                let show = String::from_utf8_lossy;
                (found != wanted).then(|| {
                    format!(
                        "{text}\n  found  {}\n  wanted {}",
                        show(found),
                        show(wanted)
                    )
                })
            })),
        }
    }
    for batch in batches(&bad) {
        let object = sealed.object("bad", batch.iter().copied());
        let found = ours(&object).expect_err("each fails");
        let wanted = theirs(&object).expect_err("each fails");
        problems.extend(
            batch
                .iter()
                .filter_map(|(key, text)| refused_alike(key, text, &found, &wanted)),
        );
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// A syntax error reads the same, an error while rendering stands at the same place. Its message may be ours.
fn refused_alike(key: &str, text: &str, found: &str, wanted: &str) -> Option<String> {
    let start = format!("template: {key}:");
    let Some(at) = found.find(&start) else {
        return Some(format!("{text}\n  ours does not tell of it:\n{found}"));
    };
    let message = &found[at..];
    let end = message.find(&format!(" ({key})")).unwrap_or(message.len());
    let message = &message[..end];
    let place = message.find(">: ").map_or(message, |at| &message[..at + 3]);
    let grouped = message.find(&start).is_some() && wanted.contains(place);
    (!grouped).then(|| {
        let theirs = wanted
            .lines()
            .find(|line| line.contains(&start))
            .unwrap_or("no error");
        format!("{text}\n  found  {message}\n  wanted {theirs}")
    })
}

/// Templates whose results differ each time, by what they are.
const VARYING: [(&str, &str); 18] = [
    ("alpha", "{{ randAlpha 40 }}"),
    ("alnum", "{{ randAlphaNum 40 }}"),
    ("numeric", "{{ randNumeric 40 }}"),
    ("bytes", "{{ randBytes 33 }}"),
    ("int", "{{ randInt 1000 1001 }}{{ ge (randInt 5 9) 5 }}"),
    ("uuid", "{{ uuidv4 }}"),
    ("shuffled", "{{ shuffle \"aaaa\" }}{{ len (shuffle .csv) }}"),
    (
        "bcrypt",
        "{{ bcrypt .foo | trunc 7 }}{{ bcrypt .foo | len }}",
    ),
    ("htpasswd", "{{ htpasswd \"u\" .foo | trunc 9 }}"),
    (
        "aes",
        "{{ encryptAES \"pw\" .multi | decryptAES \"pw\" }}{{ encryptAES \"pw\" .uni | len }}",
    ),
    (
        "now",
        "{{ kindOf now }}{{ now | date \"2006\" | len }}{{ ago now }}{{ unixEpoch now | len }}",
    ),
    ("rsa", "{{ genPrivateKey \"rsa\" }}"),
    ("dsa", "{{ genPrivateKey \"dsa\" }}"),
    ("ecdsa", "{{ genPrivateKey \"ecdsa\" }}"),
    ("ed25519", "{{ genPrivateKey \"ed25519\" }}"),
    (
        "ca",
        "{{ $c := genCA \"my ca\" 365 }}{{ $c.Cert }}{{ $c.Key }}",
    ),
    (
        "self",
        "{{ $c := genSelfSignedCert \"\" (list \"10.0.0.1\" \"::1\") (list \"a.b\" \"*.c\") 9999 }}{{ $c.Cert }}{{ $c.Key }}",
    ),
    (
        "signed",
        "{{ $k := genPrivateKey \"ecdsa\" }}{{ $a := genCAWithKey \"ca_1\" 10 $k }}\
         {{ $c := genSignedCert \"x\" nil (list \"a.b\") 5 $a }}{{ $c.Cert }}{{ $a.Cert }}\
         {{ $d := genSignedCertWithKey \"y\" (list \"1.2.3.4\") nil 5 $a (genPrivateKey \"ed25519\") }}{{ $d.Cert }}{{ $d.Key }}\
         {{ $e := genSelfSignedCertWithKey \"z\" nil nil 5 (genPrivateKey \"ed25519\") }}{{ $e.Cert }}\
         {{ $b := buildCustomCert (b64enc $e.Cert) (b64enc $e.Key) }}{{ eq $b.Cert $e.Cert }}",
    ),
];

#[test]
fn what_varies_has_the_shape_that_upstreams_has() {
    let templates: BTreeMap<String, String> = VARYING
        .iter()
        .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
        .collect();
    let object = Sealed::new().object("varying", templates.iter());
    let (found, wanted) = (
        ours(&object).expect("rendered"),
        theirs(&object).expect("rendered"),
    );
    for key in templates.keys() {
        let (found, wanted) = (shape::of(&found[key]), shape::of(&wanted[key]));
        assert_eq!(found, wanted, "{key}");
    }
}

/// A template of each sort that people write.
const USUAL: [(&str, &str); 12] = [
    (
        "url",
        "postgres://{{ .foo }}:{{ .uni | urlquery }}@db:{{ add 5400 32 }}/shop?sslmode=disable",
    ),
    (
        "ini",
        "[db]\nuser = {{ .foo }}\n{{- range splitList \",\" .csv }}\nhost = {{ . | default \"none\" }}\n{{- end }}\n",
    ),
    (
        "pretty",
        "{{ dict \"user\" .foo \"hosts\" (splitList \",\" .csv) \"auth\" (printf \"%s:x\" .foo | b64enc) | toPrettyJson }}",
    ),
    (
        "docker",
        "{\"auths\":{\"r.io\":{\"auth\":\"{{ printf \"%s:%s\" .foo .num | b64enc }}\"}}}",
    ),
    (
        "yaml",
        "top:\n{{ .multi | indent 2 }}\nquoted: {{ .foo | quote }}",
    ),
    (
        "conditional",
        "{{ if eq .foo \"bar\" }}{{ .foo | upper }}{{ else if .nope }}x{{ else }}y{{ end }}{{ with .csv }}{{ len . }}{{ end }}",
    ),
    (
        "picked",
        "{{ $d := fromJson .json }}{{ index $d.a 1 }} {{ $d.s }} {{ dig \"x\" \"none\" $d }}",
    ),
    (
        "checked",
        "{{ .bin | sha256sum }} {{ .uni | sha1sum | trunc 8 }} {{ .bin | b64enc }}",
    ),
    (
        "matched",
        "{{ regexReplaceAll \"(\\\\w),\" .csv \"${1};\" }} {{ regexMatch \"^b\" .foo }}",
    ),
    (
        "dated",
        "{{ toDate \"2006-01-02\" \"2024-02-29\" | date \"Mon, 02 Jan 2006\" }} {{ semverCompare \"^1.2\" \"1.9.3\" }}",
    ),
    (
        "merged",
        "{{ merge (dict \"a\" 1) (dict \"a\" 2 \"b\" (list 1 2)) | toJson }} {{ until 4 | join \"-\" }}",
    ),
    ("binary", "{{ .bin }}"),
];

#[test]
fn both_controllers_make_the_same_secrets() {
    let mut install = Install::upstream();
    let sealed = Sealed::new();
    let create = |install: &Install, prefix: &str| {
        let objects = USUAL.iter().map(|(name, text)| {
            let template = (name.to_string(), text.to_string());
            sealed.object(
                &format!("{prefix}-{name}"),
                [(&template.0, &template.1)].into_iter(),
            )
        });
        let items: Vec<Value> = objects.collect();
        install
            .testbed
            .apply(&json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string());
    };
    let data = |install: &Install, prefix: &str, name: &str| -> Data {
        let name = format!("{prefix}-{name}");
        eventually("its Secret is there", || {
            let secret = install.testbed.find_object("default", "secret", &name);
            secret.as_ref().map(decoded).ok_or(name.clone())
        })
    };
    create(&install, "theirs");
    let theirs: Vec<Data> = USUAL
        .iter()
        .map(|(name, _)| data(&install, "theirs", name))
        .collect();
    install.swap(Controller::Ours);
    create(&install, "ours");
    for ((name, _), theirs) in USUAL.iter().zip(&theirs) {
        assert_eq!(data(&install, "ours", name), *theirs, "{name}");
    }
}
