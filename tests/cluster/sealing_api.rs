//! The sealing API over a real connection and the API server's proxy, spoken to by the real kubeseal.
//! Bodies, limits and headers one by one are tested in `controller/src/sealing_api/`.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sealed.rs"]
mod sealed;

use std::io::Write as _;
use std::process::{Command, Stdio};

use harness::Port;
use sealed::{KEY, OTHER_KEY, Place, body, post, status, vector};
use serde_json::{Value, json};

/// Runs the real kubeseal with something on its standard input.
fn kubeseal(args: &[&str], input: &str) -> Result<String, String> {
    let mut child = Command::new("kubeseal")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubeseal is on the PATH inside the testbed");
    child
        .stdin
        .take()
        .expect("the input is a pipe")
        .write_all(input.as_bytes())
        .expect("kubeseal reads its input");
    let output = child
        .wait_with_output()
        .expect("the output of a child can be read");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

#[test]
fn verify_answers_yes_or_no_and_nothing_else() {
    let place = Place::with_key("verify");
    let controller = place.controller(&[]).ready();
    let sound = place.sealed("db", KEY, "x");
    let foreign = place.sealed("db", OTHER_KEY, "x");
    let mut templated = sound.clone();
    templated["spec"]["template"] = json!({ "data": { "password": "{{ fail .password }}" } });
    let cases = [
        (sound.to_string(), "200"),
        (foreign.to_string(), "409"),
        (templated.to_string(), "200"),
        ("kind: Secret".to_owned(), "500"),
        ("x".repeat((10 << 20) + 1), "413"),
    ];
    for (index, (request, expected)) in cases.iter().enumerate() {
        let answer = post(&controller, "/v1/verify", &index.to_string(), request);
        assert_eq!(
            (status(&answer), body(&answer)),
            (*expected, ""),
            "case {index}"
        );
    }
    assert!(
        !controller.log().contains("fail"),
        "no template was rendered"
    );
}

#[test]
fn callers_are_limited_each_by_itself() {
    let place = Place::with_key("limit");
    let controller = place
        .controller(&["--rate-limit=1", "--rate-limit-burst=1"])
        .ready();
    let request = place.sealed("db", KEY, "x").to_string();
    for path in ["/v1/verify", "/v1/rotate"] {
        let answers: Vec<_> = (0..3)
            .map(|_| post(&controller, path, "a", &request))
            .collect();
        assert_eq!(
            answers
                .iter()
                .map(|answer| status(answer))
                .collect::<Vec<_>>(),
            ["200", "200", "429"]
        );
        let last = answers.last().unwrap().to_ascii_lowercase();
        for line in [
            "x-ratelimit-limit: 2",
            "x-ratelimit-remaining: 0",
            "retry-after: 1",
            "limit exceeded\n",
        ] {
            assert!(last.contains(line), "{line} not in {last}");
        }
        assert_eq!(status(&post(&controller, path, "b", &request)), "200");
    }
}

#[test]
fn rotate_changes_only_items_that_are_not_on_the_current_key() {
    let place = Place::with_key("items");
    place.restore_key(OTHER_KEY);
    let controller = place.controller(&[]).ready();
    let current = harness::get(&format!("{}/v1/cert.pem", controller.url(Port::Sealing)))
        .unwrap()
        .1;
    let (new, old) = if current.trim() == vector("test-cert.pem").trim() {
        (KEY, OTHER_KEY)
    } else {
        (OTHER_KEY, KEY)
    };
    let mut object = place.sealed("db", old, "x");
    object["spec"]["encryptedData"]["fresh"] =
        place.sealed("db", new, "y")["spec"]["encryptedData"]["password"].clone();
    object["spec"]["template"] = json!({ "metadata": { "labels": { "app": "web" } }, "data": { "url": "{{ .password }}", "fresh": null } });
    object["metadata"]["labels"] = json!({ "team": "a" });
    let answer = post(&controller, "/v1/rotate", "a", &object.to_string());
    let mut rotated: Value = serde_json::from_str(body(&answer)).expect("the answer is JSON");
    assert_eq!(
        rotated["spec"]["encryptedData"]["fresh"],
        object["spec"]["encryptedData"]["fresh"]
    );
    assert_ne!(
        rotated["spec"]["encryptedData"]["password"],
        object["spec"]["encryptedData"]["password"]
    );
    let again = post(&controller, "/v1/rotate", "b", &rotated.to_string());
    assert_eq!(body(&again), body(&answer), "a second time changes nothing");
    rotated["spec"]["encryptedData"] = object["spec"]["encryptedData"].clone();
    assert_eq!(rotated, object, "everything else is as it came");
}

#[test]
fn the_real_kubeseal_fetches_validates_and_re_encrypts() {
    let place = Place::with_key("kubeseal");
    let controller = place.controller(&[]).ready();
    place
        .testbed
        .service_proxy(&place.namespace, "sealing", &controller);
    let server = [
        format!("--controller-namespace={}", place.namespace),
        "--controller-name=sealing".to_owned(),
    ];
    let run = |mode: &str, input: &str| kubeseal(&[&server[0], &server[1], mode], input);
    assert_eq!(run("--fetch-cert", "").unwrap(), vector("test-cert.pem"));
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "namespace": place.namespace, "name": "db" }, "stringData": { "password": "s3cret" } });
    let sealed = run("--format=yaml", &secret.to_string()).unwrap();
    run("--validate", &sealed).unwrap();
    let foreign = place.sealed("db", OTHER_KEY, "x").to_string();
    assert_eq!(
        run("--validate", &foreign).unwrap_err(),
        "error: unable to decrypt sealed secret: db\n"
    );
    let resealed = run("--re-encrypt", &sealed).unwrap();
    place.testbed.apply(&resealed);
    place.synced("db", "True");
    place.holds("db", "s3cret");
}
