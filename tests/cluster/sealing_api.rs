//! The sealing API over a real connection and the API server's proxy, spoken to by the real kubeseal.
//! Bodies, limits and headers one by one are tested in `controller/src/sealing_api/`.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sealed.rs"]
mod sealed;

use harness::{ADDRESS, Port, equal, eventually, get, kubeseal};
use sealed::{KEY, OTHER_KEY, Place, body, post, request, status, vector};
use serde_json::{Value, json};

#[test]
fn verify_answers_yes_or_no_and_nothing_else() {
    let place = Place::with_key("verify");
    let controller = place.controller(&[]).ready();
    let port = controller.port(Port::Sealing);
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
        let answer = post(port, "/v1/verify", &index.to_string(), request);
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
    let port = controller.port(Port::Sealing);
    let request = place.sealed("db", KEY, "x").to_string();
    for path in ["/v1/verify", "/v1/rotate"] {
        let answers: Vec<_> = (0..3).map(|_| post(port, path, "a", &request)).collect();
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
            "x-ratelimit-reset: ",
            "retry-after: 1",
            "limit exceeded\n",
        ] {
            assert!(last.contains(line), "{line} not in {last}");
        }
        assert_eq!(status(&post(port, path, "b", &request)), "200");
    }
}

#[test]
fn rotate_changes_only_items_that_are_not_on_the_current_key() {
    let place = Place::with_key("items");
    place.restore_key(OTHER_KEY);
    let controller = place.controller(&[]).ready();
    let port = controller.port(Port::Sealing);
    let current = get(&format!("{}/v1/cert.pem", controller.url(Port::Sealing)))
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
    let answer = post(port, "/v1/rotate", "a", &object.to_string());
    let mut rotated: Value = serde_json::from_str(body(&answer)).expect("the answer is JSON");
    assert_eq!(
        rotated["spec"]["encryptedData"]["fresh"],
        object["spec"]["encryptedData"]["fresh"]
    );
    assert_ne!(
        rotated["spec"]["encryptedData"]["password"],
        object["spec"]["encryptedData"]["password"]
    );
    let again = post(port, "/v1/rotate", "b", &rotated.to_string());
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
    assert_eq!(run("--fetch-cert", "").success(), vector("test-cert.pem"));
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "namespace": place.namespace, "name": "db" }, "stringData": { "password": "s3cret" } });
    let sealed = run("--format=yaml", &secret.to_string()).success();
    run("--validate", &sealed).success();
    let foreign = place.sealed("db", OTHER_KEY, "x").to_string();
    assert_eq!(
        run("--validate", &foreign).stderr,
        "error: unable to decrypt sealed secret: db\n"
    );
    let resealed = run("--re-encrypt", &sealed).success();
    place.testbed.apply(&resealed);
    place.synced("db", "True");
    place.holds("db", "s3cret");
}

/// Upstream's controller in this place, with the same keys; it listens at this port of the testbed's address.
fn start_upstream(place: &Place, port: u16) {
    let namespace = &place.namespace;
    let account = format!("--serviceaccount={namespace}:default");
    let admin = "--clusterrole=cluster-admin";
    place
        .testbed
        .kubectl(&["create", "clusterrolebinding", namespace, admin, &account]);
    let addresses = [
        format!("--listen-addr=:{port}"),
        format!("--listen-metrics-addr=:{}", port + 1),
    ];
    let mut args = vec!["--all-namespaces=false", "--key-renew-period=0"];
    args.extend(addresses.iter().map(String::as_str));
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "upstream", "namespace": namespace },
        "spec": { "nodeName": "host", "containers": [{
            "name": "controller", "image": "docker.io/bitnami/sealed-secrets-controller:0.36.6", "command": ["controller"],
            "args": args,
            "env": [{ "name": "POD_NAMESPACE", "valueFrom": { "fieldRef": { "fieldPath": "metadata.namespace" } } }]
        }] }
    }));
    eventually("upstream serves", || {
        get(&format!("http://{ADDRESS}:{port}/healthz"))
            .and_then(|(status, _)| equal(&status, &200))
    });
}

/// What clients read of an answer: status, the headers that say something, and the body.
fn read(answer: &str) -> (String, Vec<String>, String) {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let telling = |line: &&str| {
        [
            "content-type:",
            "x-content-type-options:",
            "x-ratelimit-limit:",
            "x-ratelimit-remaining:",
            "retry-after:",
        ]
        .iter()
        .any(|name| line.starts_with(name))
    };
    let head = head.to_ascii_lowercase();
    let mut headers: Vec<_> = head.lines().filter(telling).map(str::to_owned).collect();
    headers.sort();
    (status(answer).to_owned(), headers, body(answer).to_owned())
}

#[test]
fn answers_are_those_of_upstream() {
    let place = Place::with_key("answers");
    let upstream = 18_090;
    start_upstream(&place, upstream);
    let controller = place.controller(&[]).ready();
    let ours = controller.port(Port::Sealing);
    let sound = place.sealed("db", KEY, "x");
    let without = |field: &str| {
        let mut object = sound.clone();
        object.as_object_mut().unwrap().remove(field);
        object.to_string()
    };
    let mut empty = sound.clone();
    empty["spec"]["encryptedData"] = json!({});
    let mut broken = sound.clone();
    broken["spec"]["encryptedData"]["password"] = json!("!!!");
    let requests = [
        ("/healthz", String::new()),
        ("/v1/cert.pem", String::new()),
        ("/nothing", String::new()),
        ("/v1/verify/", sound.to_string()),
        ("/v1/verify", sound.to_string()),
        ("/v1/verify", place.sealed("db", OTHER_KEY, "x").to_string()),
        ("/v1/verify", empty.to_string()),
        ("/v1/verify", broken.to_string()),
        ("/v1/verify", without("kind")),
        ("/v1/verify", without("apiVersion")),
        ("/v1/verify", without("spec")),
        ("/v1/verify", String::new()),
        ("/v1/verify", "nonsense".to_owned()),
        ("/v1/verify", "apiVersion: v1\nkind: Secret\n".to_owned()),
        ("/v1/verify", format!("---\n{sound}")),
        ("/v1/verify", format!("{sound}\n---\n")),
        ("/v1/verify", format!("{sound}\n---\n{sound}")),
        ("/v1/rotate", "nonsense".to_owned()),
        ("/v1/rotate", place.sealed("db", OTHER_KEY, "x").to_string()),
    ];
    let mut differences = Vec::new();
    for (index, (path, request)) in requests.iter().enumerate() {
        let ask = |port| read(&post(port, path, &index.to_string(), request));
        let (mut theirs, mut ours) = (ask(upstream), ask(ours));
        if *path == "/v1/rotate" {
            // From 0.39 on rotate is limited too.
            for (_, headers, _) in [&mut theirs, &mut ours] {
                headers.retain(|header| !header.starts_with("x-ratelimit"));
            }
        }
        if ours != theirs {
            differences.push(format!(
                "{path} {request}\nours {ours:?}\ntheirs {theirs:?}"
            ));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    for method in ["GET", "PUT", "DELETE"] {
        for path in ["/healthz", "/v1/cert.pem", "/v1/verify", "/nothing"] {
            let ask = |port| read(&request(method, port, path, method, &sound.to_string()));
            assert_eq!(ask(ours), ask(upstream), "{method} {path}");
        }
    }
    for path in ["/", "/metrics/", "/debug/pprof/"] {
        for port in [controller.port(Port::Metrics), upstream + 1] {
            let answer = request("GET", port, path, "", "");
            assert_eq!(status(&answer), "404", "{path} at {port}");
        }
    }
    for round in 0..5 {
        let ask = |port| read(&post(port, "/v1/verify", "often", &sound.to_string()));
        assert_eq!(ask(ours), ask(upstream), "request {round} of one caller");
    }
}
