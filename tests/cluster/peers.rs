//! Signet and upstream's own programs understand each other: kubeseal, and the sealed-secrets controller.
//! What upstream does with what it understood is not our business.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "../kubeseal/plain.rs"]
mod plain;
#[path = "peers/proxies.rs"]
mod proxies;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use harness::{Testbed, equal, eventually, kubeseal, signet, signet_with_input};
use plain::PLAIN;
use serde_json::Value;

/// Text that a careless writer of YAML spoils.
const WORDS: [&str; 40] = [
    "yes",
    "on",
    "y",
    "N",
    "1:30",
    "2024-01-01",
    "1_000",
    "0x1F",
    "010",
    ".5",
    "null",
    "~",
    "",
    " a ",
    "a: b",
    "- x",
    "#x",
    "two\nlines\n",
    "tab\there",
    "\u{feff}mark",
    "\u{fcf} \u{1f980}",
    "\u{2028}",
    "\u{85}",
    "'\"\\",
    "back\rslash",
    "%",
    "@a",
    "`",
    "{",
    "*a",
    "&a",
    "!a",
    "|",
    "> ",
    "<<",
    "=",
    "---",
    "...",
    "---\nkind: Secret",
    "very long line that a writer may want to fold somewhere near its eightieth column or so  ",
];
/// Keys of items that YAML 1.1 reads as something else, when they are not in quotes.
const KEYS: [&str; 15] = [
    "yes",
    "on",
    "y",
    "N",
    "null",
    "1",
    "1.5",
    "010",
    "0x10",
    "1_000",
    "-",
    ".",
    "1e3",
    "true",
    "2024-01-01",
];

fn vector(name: &str) -> String {
    let path = harness::repository_root()
        .join("tests/vectors/sealed-secrets")
        .join(name);
    path.display().to_string()
}

fn secret(name: &str, namespace: &str, password: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n  namespace: {namespace}\n  labels: {{app: shop}}\n\
         type: Opaque\nstringData:\n  password: {password}\n  empty: ''\n"
    )
}

/// `data` of a Secret in JSON.
fn data(secret: &str) -> BTreeMap<String, Value> {
    let secret: Value = serde_json::from_str(secret).expect("an object in JSON");
    serde_json::from_value(secret["data"].clone()).unwrap_or_default()
}

fn unsealed_by_signet(sealed: &str) -> BTreeMap<String, Value> {
    let args = [
        "unseal",
        "--key",
        &vector("test-key.pem"),
        "--format",
        "json",
    ];
    data(&signet_with_input(&args, sealed).success())
}

#[test]
fn kubeseal_opens_what_signet_sealed() {
    for scope in ["strict", "namespace-wide", "cluster-wide"] {
        for (certificate, key) in [
            ("test-cert.pem", "test-key.pem"),
            ("test-cert-4096.pem", "test-key-4096.pem"),
        ] {
            let args = ["seal", "--cert", &vector(certificate), "--scope", scope];
            let sealed = signet_with_input(&args, &secret("db", "shop", "s3cret")).success();
            let args = ["--recovery-unseal", "--recovery-private-key", &vector(key)];
            let opened = kubeseal(&args, &sealed).success();
            let data = data(&opened);
            assert_eq!(data["password"], "czNjcmV0", "{scope} {certificate}");
            assert!(
                data["empty"].is_null(),
                "kubeseal prints an empty value as null: {data:?}"
            );
            assert!(opened.contains("\"app\": \"shop\""), "{opened}");
        }
    }
}

#[test]
fn signet_opens_what_kubeseal_sealed() {
    for scope in ["strict", "namespace-wide", "cluster-wide"] {
        for format in ["json", "yaml"] {
            let args = [
                "--cert",
                &vector("test-cert.pem"),
                "--scope",
                scope,
                "-o",
                format,
            ];
            let sealed = kubeseal(&args, &secret("db", "shop", "s3cret")).success();
            let data = unsealed_by_signet(&sealed);
            assert_eq!(data["password"], "czNjcmV0", "{scope} {format}");
            assert_eq!(data["empty"], "", "{scope} {format}");
        }
    }
}

#[test]
fn unquoted_scalars_are_sealed_as_kubeseal_seals_them() {
    let mut text =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: b}\nstringData:\n".to_owned();
    for (number, scalar) in PLAIN.iter().enumerate() {
        text += &format!("  k{number:02}: {scalar}\n");
    }
    text += "  folded: >\n    two\n    lines\n\n  literal: |+\n    keeps\n\n  quoted: \"tab\\t\\u00fc \\\n    joined\"\n  kept: |\n   x\n";
    for text in [
        text.clone(),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
    ] {
        let ours =
            signet_with_input(&["seal", "--cert", &vector("test-cert.pem")], &text).success();
        let theirs = kubeseal(&["--cert", &vector("test-cert.pem")], &text).success();
        assert_eq!(unsealed_by_signet(&ours), unsealed_by_signet(&theirs));
    }
}

#[test]
fn what_signet_writes_go_reads_as_it_was() {
    let annotations: BTreeMap<String, &str> = WORDS
        .iter()
        .enumerate()
        .map(|(number, word)| (format!("w{number}"), *word))
        .collect();
    let items: BTreeMap<&str, &str> = KEYS.iter().map(|key| (*key, *key)).collect();
    let metadata =
        serde_json::json!({ "name": "yes", "namespace": "on", "annotations": annotations });
    let secret = serde_json::json!({ "kind": "Secret", "apiVersion": "v1", "metadata": metadata, "stringData": items });
    for format in ["yaml", "json"] {
        let args = [
            "seal",
            "--cert",
            &vector("test-cert.pem"),
            "--format",
            format,
        ];
        let sealed = signet_with_input(&args, &secret.to_string()).success();
        let opened = kubeseal(
            &[
                "--recovery-unseal",
                "--recovery-private-key",
                &vector("test-key.pem"),
            ],
            &sealed,
        )
        .success();
        let opened: Value = serde_json::from_str(&opened).expect("kubeseal prints JSON");
        assert_eq!(
            opened["metadata"]["annotations"], metadata["annotations"],
            "{format}"
        );
        assert_eq!(
            (
                &opened["metadata"]["name"],
                &opened["metadata"]["namespace"]
            ),
            (&metadata["name"], &metadata["namespace"])
        );
        let opened_keys: Vec<&String> = opened["data"].as_object().expect("items").keys().collect();
        assert_eq!(opened_keys.len(), KEYS.len(), "{format}: {opened_keys:?}");
        assert!(
            KEYS.iter().all(|key| opened["data"][key].is_string()),
            "{format}: {opened_keys:?}"
        );
    }
}

/// Upstream's controller where upstream installs it, started once for all tests.
fn upstream() -> &'static Testbed {
    static UPSTREAM: OnceLock<Testbed> = OnceLock::new();
    UPSTREAM.get_or_init(|| {
        let testbed = Testbed::get();
        testbed.install_crds();
        testbed.apply(include_str!("upstream.yaml"));
        let rollout = ["rollout", "status", "deployment/sealed-secrets-controller", "-n", "kube-system", "--timeout=60s"];
        testbed.kubectl(&rollout);
        eventually("upstream's controller answers", || testbed.raw("/api/v1/namespaces/kube-system/services/http:sealed-secrets-controller:http/proxy/v1/cert.pem"));
        testbed
    })
}

fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a writable folder");
    path
}

#[track_caller]
fn becomes(testbed: &Testbed, namespace: &str, name: &str, password: &str) {
    eventually("upstream's controller unseals it", || {
        let secret = testbed.find_object(namespace, "secret", name);
        let secret = secret.ok_or("there is none")?;
        equal(&secret["data"]["password"], &password.into())
    });
}

#[test]
fn upstreams_controller_opens_what_signet_sealed_with_the_certificate_it_found_there() {
    let testbed = upstream();
    let namespace = testbed.namespace("peer");
    for scope in ["strict", "namespace-wide", "cluster-wide"] {
        let output = signet_with_input(
            &["seal", "--scope", scope],
            &secret(scope, &namespace, "s3cret"),
        );
        assert!(
            output
                .stderr
                .contains("from Service kube-system/sealed-secrets-controller"),
            "{}",
            output.stderr
        );
        testbed.apply(&output.success());
        becomes(testbed, &namespace, scope, "czNjcmV0");
    }
}

#[test]
fn signet_fetches_the_certificate_that_kubeseal_fetches() {
    upstream();
    assert_eq!(
        signet(&["cert", "fetch"]).success(),
        kubeseal(&["--fetch-cert"], "").success()
    );
}

#[test]
fn reseal_works_with_upstreams_controller_and_changes_values_only() {
    let testbed = upstream();
    let namespace = testbed.namespace("peer");
    let folder = tempfile::tempdir().expect("a folder");
    let sealed = signet_with_input(&["seal"], &secret("db", &namespace, "s3cret")).success();
    let text = format!("# kept\n{sealed}# kept too\n---\nkind: ConfigMap\n").replace('\n', "\r\n");
    let path = file(folder.path(), "db.yaml", &text);

    signet(&["reseal", &path.display().to_string()]).success();

    let resealed = std::fs::read_to_string(&path).expect("the file is there");
    let is_value = |line: &&str| {
        line.trim_start().starts_with("password: Ag") || line.trim_start().starts_with("empty: Ag")
    };
    let (before, after): (Vec<&str>, Vec<&str>) =
        (text.split('\n').collect(), resealed.split('\n').collect());
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(
            is_value(before),
            before != after,
            "only values change, and upstream seals all of them anew: {after}"
        );
    }
    assert!(
        resealed.contains("app: shop"),
        "labels of the template stay, which kubeseal --re-encrypt would lose"
    );
    testbed.apply(&resealed.replace("---\r\nkind: ConfigMap\r\n", ""));
    becomes(testbed, &namespace, "db", "czNjcmV0");
}

#[test]
fn a_file_that_upstream_cannot_open_is_left_as_it_is() {
    upstream();
    let folder = tempfile::tempdir().expect("a folder");
    let foreign = signet_with_input(
        &["seal", "--cert", &vector("test-cert-4096.pem")],
        &secret("db", "shop", "s3cret"),
    )
    .success();
    let path = file(folder.path(), "db.yaml", &foreign);
    let output = signet(&["reseal", &path.display().to_string()]);
    assert_eq!(output.code, Some(1));
    assert!(
        output
            .stderr
            .contains("SealedSecret shop/db was not re-sealed"),
        "{}",
        output.stderr
    );
    assert_eq!(
        std::fs::read_to_string(&path).expect("the file is there"),
        foreign
    );
}

#[test]
fn a_check_is_refused_where_it_could_not_be_honest() {
    upstream();
    let folder = tempfile::tempdir().expect("a folder");
    let sealed = signet_with_input(&["seal"], &secret("db", "shop", "s3cret")).success();
    let path = file(folder.path(), "db.yaml", &sealed);
    let output = signet(&["reseal", "--check", &path.display().to_string()]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("cannot check with"),
        "{}",
        output.stderr
    );
}
