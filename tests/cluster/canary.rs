//! A value of which nobody else may know, planted wherever Signet takes one in, and then looked for wherever it writes.
//! What a Secret holds stays in the Secret.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "canary/callers.rs"]
mod callers;
#[path = "canary/canaries.rs"]
mod canaries;
#[path = "canary/commands.rs"]
mod commands;
#[path = "../testbed/harness.rs"]
mod harness;
#[path = "../testbed/harness/http_server.rs"]
mod http_server;
#[path = "canary/logins.rs"]
mod logins;
#[path = "sync/scene.rs"]
mod scene;
#[path = "canary/search.rs"]
mod search;
#[path = "canary/sources.rs"]
mod sources;

use std::fs;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use canaries::{Beside, Canaries};
use crds::names::{REDACTION_KEY_ITEM, REDACTION_KEY_SECRET};
use harness::{Controller, equal, eventually, unique};
use logins::Logins;
use scene::Scene;
use search::Search;
use serde_json::Value;

/// The inputs, the Secrets that each value belongs in, and where else it may be. Keys come to it when they are made.
const PLACES: &[(&str, &str, Beside)] = &[
    ("a sealed value", "db", Beside::Nothing),
    ("a newer sealed value", "db", Beside::Nothing),
    ("a template that fails", "", Beside::Nothing),
    ("a Secret for the sealing API", "", Beside::Nothing),
    ("a plain Secret", "plain", Beside::Git),
    ("an edit of a Secret", "plain", Beside::Nothing),
    ("a copy in an annotation", "plain", Beside::Nothing),
    ("a Secret of a hook", "hook", Beside::Git),
    ("a Secret of the wrong type", "", Beside::Git),
    ("a Secret that is refused", "", Beside::Git),
    ("a Secret that is not synced", "", Beside::Git),
    ("a Secret that is not committed", "", Beside::Nothing),
    ("a file that is no YAML", "", Beside::Git),
    ("a variable", "vars substituted", Beside::Nothing),
    ("a value of a chart", "chart", Beside::Git),
    ("a value that a schema refuses", "", Beside::Git),
    ("values of an Application", "values", Beside::Nothing),
    ("newer values of an Application", "values", Beside::Spec),
    ("a parameter of an Application", "values", Beside::Spec),
    ("a values object of an Application", "object", Beside::Spec),
    ("a literal of Kustomize", "generated", Beside::Git),
    ("a patch of an Application", "generated", Beside::Spec),
    ("an annotation of an Application", "generated", Beside::Spec),
    ("a variable of a plugin", "", Beside::Spec),
    ("the URL of a value file", "", Beside::Spec),
    ("values that are no YAML", "", Beside::Spec),
    ("a parameter that helm can't read", "", Beside::Spec),
    ("a parameter of the wrong type", "", Beside::Spec),
    ("a patch that is no YAML", "", Beside::Spec),
    ("a patch without a target", "", Beside::Spec),
    ("a patch that does not fit", "", Beside::Spec),
    ("a selector of a patch", "", Beside::Spec),
    ("a count that is no number", "", Beside::Spec),
    ("an anchor in values", "", Beside::Spec),
    ("a parameter that is JSON", "", Beside::Spec),
    ("a literal beside a bad one", "", Beside::Git),
    ("a label of an Application", "", Beside::Spec),
    ("an annotation of a namespace", "", Beside::Spec),
    ("a label of a namespace", "", Beside::Spec),
    ("a login of a cluster", "", Beside::Spec),
    ("a label that is refused", "", Beside::Git),
    ("a variable of the wrong type", "", Beside::Git),
    ("a jq path of an Application", "", Beside::Spec),
    ("a jq path that is none", "", Beside::Spec),
    ("a component of an Application", "", Beside::Spec),
    ("values of a request", "", Beside::Nothing),
    ("a manifest of a request", "", Beside::Nothing),
    ("what a request says to people", "", Beside::Nothing),
    ("an unknown field of a request", "", Beside::Nothing),
    ("values in a history", "", Beside::Nothing),
    ("an unknown field of a status", "", Beside::Nothing),
    ("a status that nobody can read", "", Beside::Nothing),
    ("a login that a project does not permit", "", Beside::Spec),
    ("a password", "login", Beside::Nothing),
    ("a bearer token", "bearer", Beside::Nothing),
    ("a user that is a token", "user", Beside::Nothing),
    ("a credential template", "template", Beside::Nothing),
    ("a password of charts", "charts", Beside::Nothing),
    ("a password of a registry", "registry", Beside::Nothing),
    ("a token of a registry", "", Beside::Nothing),
    ("a token of GitHub", "", Beside::Nothing),
    ("a password of a proxy", "proxy", Beside::Nothing),
    ("a damaged ssh key", "damaged", Beside::Nothing),
    ("a login in repoURL", "", Beside::Spec),
    ("a login of a submodule", "", Beside::Git),
    ("a login of a remote base", "", Beside::Git),
    ("a login of a dependency", "", Beside::Git),
    ("a secret of a webhook", "argocd-secret", Beside::Nothing),
    ("a token of a webhook", "argocd-secret", Beside::Nothing),
    ("a password of a webhook", "argocd-secret", Beside::Nothing),
    ("a wrong secret of a webhook", "", Beside::Nothing),
    ("a login in a webhook", "", Beside::Nothing),
    ("a proof of a diff", "", Beside::Nothing),
];
/// Secrets that the controller makes, with what has to be in them before anybody looks around.
const ARRIVE: [(&str, &str); 11] = [
    ("chart", "a value of a chart"),
    ("db", "a newer sealed value"),
    ("generated", "a literal of Kustomize"),
    ("generated", "a patch of an Application"),
    ("generated", "an annotation of an Application"),
    ("hook", "a Secret of a hook"),
    ("object", "a values object of an Application"),
    ("plain", "a plain Secret"),
    ("substituted", "a variable"),
    ("values", "a parameter of an Application"),
    ("values", "newer values of an Application"),
];
const SEALING_KEY: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";

#[test]
fn what_is_planted_in_any_input_is_in_its_secret_and_nowhere_else() {
    let mut canaries = Canaries::new(PLACES);
    let scene = Scene::new("canary");
    let [data, temporary] = ["data", "temporary"].map(|name| folder(&scene, name));
    let controller = start(&scene, &data, &temporary);
    plant_sealing_key(&scene, &mut canaries);
    let logins = Logins::plant(&scene, &mut canaries);
    let first = sources::plant(&scene, &controller, &canaries);
    secrets_arrive(&scene, &canaries);
    plant_redaction_key(&scene, &mut canaries);
    history_has_two(&scene, "values");
    for (name, status) in sources::COMPARED {
        is_compared(&scene, name, status);
    }
    logins.were_used(&canaries);
    for name in logins::APPLICATIONS.iter().chain(&sources::REFUSED) {
        tells_of_failure(&scene, &controller, name);
    }
    template_fails(&scene, &controller);

    let mut search = Search::new(&canaries);
    callers::call(&scene, &controller, &canaries, &mut search);
    commands::ask(&scene, &controller, &canaries, &first, &mut search);
    search.answers(&controller);
    search.objects(&scene);
    search.process(&controller);
    search.mirrors(&data);
    search.files(&data);
    search.files(&temporary);
    search.end();
}

fn folder(scene: &Scene, name: &str) -> PathBuf {
    let folder = scene.testbed.path(&format!("canary-{name}-{}", unique()));
    fs::create_dir(&folder).expect("the testbed's folder is writable");
    folder
}

/// A controller that says all it has to say, and writes nowhere but to these folders.
fn start(scene: &Scene, data: &Path, temporary: &Path) -> Controller {
    let data = format!("--data-dir={}", data.display());
    let destination = format!("--additional-namespaces={}", scene.to);
    let arguments = scene.arguments_without_lease();
    let own = arguments.each_ref().map(String::as_str);
    let more = [data.as_str(), &destination, "--log-level=DEBUG"];
    let temporary = temporary.display().to_string();
    let kubeconfig = scene.testbed.kubeconfig().display().to_string();
    let environment = [("TMPDIR", temporary.as_str())];
    Controller::start_in(&environment, &kubeconfig, &[&own[..], &more].concat()).ready()
}

/// The private key that the controller made for itself.
fn plant_sealing_key(scene: &Scene, canaries: &mut Canaries) {
    let keys = scene
        .testbed
        .labelled(&scene.own, "secret", SEALING_KEY, "active");
    let key = keys.first().expect("a sealing key");
    let name = key["metadata"]["name"].as_str().expect("a name");
    canaries.add_key("a sealing key", name, &decoded(key, "tls.key"));
}

/// What makes the digests in statuses.
fn plant_redaction_key(scene: &Scene, canaries: &mut Canaries) {
    let name = REDACTION_KEY_SECRET;
    let key = scene.testbed.object(&scene.own, "secret", name);
    canaries.add_key("a redaction key", name, &decoded(&key, REDACTION_KEY_ITEM));
}

fn decoded(secret: &Value, item: &str) -> String {
    let value = secret["data"][item].as_str().expect("a key");
    String::from_utf8(BASE64_STANDARD.decode(value).unwrap()).unwrap()
}

fn secrets_arrive(scene: &Scene, canaries: &Canaries) {
    for (name, place) in ARRIVE {
        eventually(&format!("{place} has arrived"), || {
            let object = scene.testbed.find_object(&scene.to, "secret", name);
            let text = object.unwrap_or_default().to_string();
            match canaries.finds(place, text.as_bytes()) {
                true => Ok(()),
                false => Err(format!("{:#}", scene.app()["status"])),
            }
        });
    }
}

/// Waits until the status is Signet's.
fn is_compared(scene: &Scene, name: &str, status: &str) {
    eventually("it is compared", || {
        let object = scene.testbed.object(&scene.own, "application", name);
        equal(&object["status"]["sync"]["status"], &status.into())
    });
}

/// Waits until there is an entry of what was in the spec before.
fn history_has_two(scene: &Scene, name: &str) {
    eventually("two syncs are in the history", || {
        let object = scene.testbed.object(&scene.own, "application", name);
        let history = object["status"]["history"].as_array().map_or(0, Vec::len);
        equal(&history, &2)
    });
}

/// Waits until somebody can know that an Application was not synced: by its status or, where the pass did not get that far, by the log.
fn tells_of_failure(scene: &Scene, controller: &Controller, name: &str) {
    let application = format!("{}/{name}", scene.own);
    let is_logged = |line: &str| line.contains(&application) && line.contains("broke off");
    eventually(&format!("Application {name} tells of its failure"), || {
        let object = scene.testbed.object(&scene.own, "application", name);
        let status = &object["status"];
        let conditions = status["conditions"].as_array();
        let operation = &status["operationState"];
        let message = operation["message"].as_str();
        match conditions.is_some_and(|conditions| !conditions.is_empty())
            || operation["phase"] == "Error"
            || message.is_some_and(|message| message.contains("failed"))
            || controller.log().lines().any(is_logged)
        {
            true => Ok(()),
            false => Err(status.to_string()),
        }
    });
}

fn template_fails(scene: &Scene, controller: &Controller) {
    eventually("the template has failed, and that is told", || {
        let object = scene.testbed.object(&scene.to, "sealedsecret", "fails");
        match object["status"]["conditions"][0]["status"] == "False"
            && controller.log().contains("fails")
        {
            true => Ok(()),
            false => Err(object["status"].to_string()),
        }
    });
}
