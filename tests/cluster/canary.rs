//! A value of which nobody else may know, planted wherever Signet takes one in, and then looked for wherever it writes.
//! What a Secret holds stays in the Secret.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sync/scene.rs"]
mod scene;

use std::fs;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use harness::{Controller, GitRepository, Port, eventually, get, signet, unique};
use scene::{Scene, deployment};

const AUTOMATED: &str = "{automated: {prune: true, selfHeal: true}}";
/// Kinds of the objects that the scene has, but for Secrets.
const KINDS: [&str; 9] = [
    "application",
    "appproject",
    "configmap",
    "controllerrevision",
    "deployment",
    "event",
    "pod",
    "replicaset",
    "sealedsecret",
];

/// The values, by where each was planted.
struct Canaries(Vec<(&'static str, String)>);

impl Canaries {
    fn new(places: &[&'static str]) -> Self {
        let canary = |place: &&'static str| {
            let word = place.replace(' ', "-");
            (*place, format!("canary-{word}-{}", unique()))
        };
        Self(places.iter().map(canary).collect())
    }

    fn of(&self, place: &str) -> &str {
        let found = self.0.iter().find(|(name, _)| *name == place);
        &found.expect("it was made").1
    }

    /// Where each canary was planted that a text repeats, plain or in base64.
    fn found_in(&self, text: &[u8]) -> Vec<&'static str> {
        let holds = |word: &str| text.windows(word.len()).any(|part| part == word.as_bytes());
        let encoded = |value: &str| BASE64_STANDARD.encode(value);
        // The last letters of base64 depend on what follows the value.
        let stem = |value: &str| encoded(value).trim_end_matches('=').len() / 4 * 4 - 4;
        let known = self
            .0
            .iter()
            .filter(|(_, value)| holds(value) || holds(&encoded(value)[..stem(value)]));
        known.map(|(place, _)| *place).collect()
    }

    #[track_caller]
    fn are_not_in(&self, what: &str, text: &[u8]) {
        let found = self.found_in(text);
        assert!(
            found.is_empty(),
            "{what} tells what was planted in {found:?}"
        );
    }

    /// Looks into every file below a folder.
    fn are_not_below(&self, folder: &Path) -> usize {
        let mut files = 0;
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                files += self.are_not_below(&path);
            } else if let Ok(content) = fs::read(&path) {
                files += 1;
                self.are_not_in(&path.display().to_string(), &content);
            }
        }
        files
    }
}

#[test]
fn what_looks_for_a_canary_finds_it() {
    let canaries = Canaries::new(&["here", "there"]);
    let text = format!("a {} b", canaries.of("here"));
    assert_eq!(canaries.found_in(text.as_bytes()), ["here"]);
    let text = BASE64_STANDARD.encode(format!("{}!", canaries.of("there")));
    assert_eq!(canaries.found_in(text.as_bytes()), ["there"]);
}

#[test]
fn what_is_planted_in_any_input_is_in_its_secret_and_nowhere_else() {
    let canaries = Canaries::new(&[
        "a sealed value",
        "a newer sealed value",
        "a template that fails",
        "a plain Secret",
        "a value of a chart",
        "a variable",
        "a login",
    ]);
    let scene = Scene::new("canary");
    let data = scene.testbed.path(&format!("canary-{}", unique()));
    fs::create_dir(&data).expect("the testbed's folder is writable");
    let directory = format!("--data-dir={}", data.display());
    let arguments = scene.arguments_without_lease();
    let own = arguments.each_ref().map(String::as_str);
    let destination = format!("--additional-namespaces={}", scene.to);
    let more = [directory.as_str(), &destination, "--log-level=DEBUG"];
    let controller = Controller::start(&[&own[..], &more].concat()).ready();

    let first = plant(&scene, &controller, &canaries);
    let secret = |name: &str| {
        let object = scene.testbed.find_object(&scene.to, "secret", name);
        object.map(|object| object.to_string()).unwrap_or_default()
    };
    for (name, place) in [
        ("db", "a newer sealed value"),
        ("plain", "a plain Secret"),
        ("chart", "a value of a chart"),
        ("substituted", "a variable"),
    ] {
        eventually(&format!("{place} has arrived"), || {
            match canaries.found_in(secret(name).as_bytes()).contains(&place) {
                true => Ok(()),
                false => Err(format!("{:#}", scene.app()["status"])),
            }
        });
    }
    let private = |status: &str| {
        eventually(&format!("the private repository says {status}"), || {
            let app = scene.testbed.object(&scene.own, "application", "private");
            match app["status"].to_string().contains(status) {
                true => Ok(()),
                false => Err(app["status"].to_string()),
            }
        });
    };
    private("ComparisonError");

    eventually("the template has failed, and that is told", || {
        let object = scene.testbed.object(&scene.to, "sealedsecret", "fails");
        match object["status"]["conditions"][0]["status"] == "False"
            && controller.log().contains("fails")
        {
            true => Ok(()),
            false => Err(object["status"].to_string()),
        }
    });

    canaries.are_not_in("the log", controller.log().as_bytes());
    for (port, path) in [
        (Port::Metrics, "/metrics"),
        (Port::Sealing, "/v1/cert.pem"),
        (Port::Sealing, "/healthz"),
        (Port::Web, "/"),
    ] {
        let (_, answer) = get(&format!("{}{path}", controller.url(port))).expect("an answer");
        canaries.are_not_in(path, answer.as_bytes());
    }
    asked_for_diffs(&scene, &controller, &canaries, &first);
    for kind in KINDS {
        for namespace in [&scene.own, &scene.to] {
            for object in scene.testbed.objects(namespace, kind) {
                let name = &object["metadata"]["name"];
                canaries.are_not_in(&format!("{kind} {name}"), object.to_string().as_bytes());
            }
        }
    }
    let process = format!("/proc/{}", controller.pid());
    for file in ["cmdline", "environ"] {
        let content = fs::read(format!("{process}/{file}")).expect("our own process");
        canaries.are_not_in(file, &content);
    }
    assert!(canaries.are_not_below(&data) > 0, "there are mirrors");
}

/// What the controller says to somebody who asks what a sync would change.
fn asked_for_diffs(scene: &Scene, controller: &Controller, canaries: &Canaries, first: &str) {
    let (testbed, own) = (&scene.testbed, &scene.own);
    testbed.service_proxy(own, "signet-controller", controller);
    testbed.kubectl(&[
        "delete",
        "secret",
        "chart",
        "--namespace",
        &scene.to,
        "--wait=false",
    ]);
    for (args, shows) in [
        (
            &["diff", "app", "--revision", first][..],
            "password: re-sealed",
        ),
        (
            &["diff", "app", "--revision", first, "--output", "json"],
            "re-sealed",
        ),
        (&["diff", "chart"], ""),
        (&["secrets", "app", "--output", "json"], "plain"),
    ] {
        let command = [&["app"], args, &["--controller-namespace", own]].concat();
        let said = signet(&command);
        assert!(
            said.stdout.contains(shows),
            "{args:?}: {}{}",
            said.stdout,
            said.stderr
        );
        canaries.are_not_in(args[0], said.stdout.as_bytes());
        canaries.are_not_in(args[0], said.stderr.as_bytes());
    }
}

/// One Application of everything, one of a chart, and one that may not read its repository. Answers its first commit.
fn plant(scene: &Scene, controller: &Controller, canaries: &Canaries) -> String {
    let (own, to) = (&scene.own, &scene.to);
    let sealed = |place: &str| scene.seal(controller, "db", canaries.of(place));
    let mut fails: serde_json::Value = serde_json::from_str(&scene.seal(
        controller,
        "fails",
        canaries.of("a template that fails"),
    ))
    .expect("JSON");
    fails["spec"]["template"]["data"] =
        serde_json::json!({ "url": "{{ fail .password }}", "other": "{{ index .password 1000 }}" });
    scene.testbed.apply(&fails.to_string());
    let user = "        env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: password}}}]\n";
    let files = [
        ("app/db.json", sealed("a sealed value")),
        ("app/web.yaml", deployment("web", "web:1", user)),
        (
            "app/plain.yaml",
            format!(
                "apiVersion: v1\nkind: Secret\nmetadata: {{name: plain}}\nstringData: {{token: {}}}\n",
                canaries.of("a plain Secret")
            ),
        ),
        (
            "app/substituted.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: substituted}\nstringData: {token: \"${token}\"}\n".to_owned(),
        ),
        (
            "chart/Chart.yaml",
            "apiVersion: v2\nname: chart\nversion: 0.1.0\n".to_owned(),
        ),
        (
            "chart/values.yaml",
            format!("token: {}\n", canaries.of("a value of a chart")),
        ),
        (
            "chart/templates/secret.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: chart}\nstringData: {token: {{ .Values.token | quote }}}\n".to_owned(),
        ),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = scene.repository.commit(&files, "Plant");
    let private = GitRepository::create(&format!("private/{}", unique()));
    private.commit(&[("a.yaml", "")], "Begin");
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: vars, namespace: {to}}}\nstringData: {{token: {}}}\n---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: login, namespace: {own}, labels: {{argocd.argoproj.io/secret-type: repository}}}}\n\
         stringData: {{type: git, url: \"{}\", username: signet, password: {}}}\n",
        canaries.of("a variable"),
        private.url(),
        canaries.of("a login"),
    ));
    for (name, url, path) in [
        ("chart", scene.repository.url(), "chart"),
        ("private", private.url(), "."),
    ] {
        scene.testbed.apply(&format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: {own}}}\n\
             spec:\n  project: default\n  source: {{repoURL: \"{url}\", path: {path}, targetRevision: main}}\n\
             \x20 destination: {{server: \"https://kubernetes.default.svc\", namespace: {to}}}\n  syncPolicy: {AUTOMATED}\n"
        ));
    }
    scene.testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: app\n  namespace: {own}\n\
         \x20 annotations: {{signet.dev/substitute-from: \"[{{kind: Secret, name: vars}}]\"}}\n\
         spec:\n  project: default\n  source: {{repoURL: \"{}\", path: app, targetRevision: main}}\n\
         \x20 destination: {{server: \"https://kubernetes.default.svc\", namespace: {to}}}\n  syncPolicy: {AUTOMATED}\n",
        scene.repository.url()
    ));
    scene.operation("Succeeded", &commit);
    scene.commit(&[("app/db.json", &sealed("a newer sealed value"))]);
    // Somebody edits it, which is put right and told.
    scene.testbed.kubectl(&[
        "patch",
        "secret",
        "plain",
        "--namespace",
        to,
        "--patch",
        r#"{"data": {"token": "eA=="}}"#,
    ]);
    commit
}
