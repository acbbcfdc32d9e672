//! Webhooks against a real Git server and a real API server: a push that is told of is synced though nothing is polled.
//! How each sender's webhook is read and what is refused is the business of `tests/webhooks.rs`.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sync/scene.rs"]
mod scene;

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use harness::{Controller, Port, equal, eventually, get, send};
use scene::{Scene, config_map};
use serde_json::json;

const AUTOMATED: &str = "{automated: {}}";
const SECRET: &str = "a-secret";

impl Scene {
    /// Sets the secret of Gitea's webhooks.
    fn webhook_secret(&self, secret: &str) {
        let object = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "argocd-secret", "namespace": self.own },
            "stringData": { "webhook.gitea.secret": secret },
        });
        self.testbed.apply(&object.to_string());
    }

    /// Tells of a push as Gitea does, and returns the status of the answer.
    fn tell(&self, controller: &Controller, secret: &str) -> Result<u16, String> {
        let url = self.repository.url();
        let body = json!({
            "ref": "refs/heads/main",
            "repository": { "html_url": url.trim_end_matches(".git"), "clone_url": url, "ssh_url": "git@10.200.0.1:config.git" },
        });
        let body = body.to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, body.as_bytes());
        let tag = tag.as_ref().iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let signature = ("X-Gitea-Signature", tag.as_str());
        let mut headers = vec![
            ("Content-Type", "application/json"),
            ("X-Gitea-Event", "push"),
        ];
        headers.extend((!secret.is_empty()).then_some(signature));
        let webhook = format!("{}/api/webhook", controller.url(Port::Web));
        send(&webhook, &headers, &body).map(|(status, _)| status)
    }

    /// Tells of a push until somebody believes it: secrets are read a moment after the start.
    fn told(&self, controller: &Controller) {
        eventually("a webhook is accepted", || {
            self.tell(controller, SECRET)
                .and_then(|status| equal(&status, &200))
        });
    }

    /// Commits and tells nobody.
    fn push(&self, value: &str) -> String {
        self.repository
            .commit(&[("app/a.yaml", &config_map("a", value))], value)
    }

    /// Commits that were synced, in turn.
    fn history(&self) -> Vec<String> {
        let app = self.app();
        let entries = app["status"]["history"].as_array().into_iter().flatten();
        entries
            .map(|entry| entry["revision"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

fn count(controller: &Controller, line: &str) -> usize {
    let log = controller.log();
    log.lines().filter(|text| text.contains(line)).count()
}

#[test]
fn a_push_that_a_webhook_tells_of_is_synced_though_nothing_is_polled() {
    let scene = Scene::new("webhook");
    scene.webhook_secret(SECRET);
    let controller = scene.controller();
    let first = scene.push("one");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &first);

    scene.push("two");
    for secret in ["", "another-secret"] {
        eventually("nobody is believed who does not know the secret", || {
            scene
                .tell(&controller, secret)
                .and_then(|status| equal(&status, &403))
        });
    }
    let third = scene.push("three");
    scene.told(&controller);
    scene.operation("Succeeded", &third);
    scene.becomes("configmap", "a", "/data/value", "three");
    assert_eq!(
        scene.history(),
        [first, third],
        "the refused ones did nothing"
    );
    assert_eq!(count(&controller, "a repository changed"), 1);
    assert!(count(&controller, "a webhook told of a push") >= 1);
    assert!(!controller.log().contains("another-secret"));

    scene.webhook_secret("a-newer-secret");
    eventually("the old secret counts no more", || {
        scene
            .tell(&controller, SECRET)
            .and_then(|status| equal(&status, &403))
    });
    assert_eq!(scene.tell(&controller, "a-newer-secret"), Ok(200));
}

#[test]
fn a_webhook_that_reaches_a_process_standing_by_is_handed_to_the_one_that_syncs() {
    let scene = Scene::new("webhook-replica");
    scene.webhook_secret(SECRET);
    let leader = scene.controller();
    let first = scene.push("one");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &first);
    let standing_by = scene.controller();
    eventually("the second process stands by", || {
        let (_, text) = get(&format!("{}/metrics", standing_by.url(Port::Metrics)))?;
        equal(&text.contains("signet_leader 0\n"), &true)
    });
    let second = scene.push("two");
    eventually("the webhook is handed on", || {
        scene.told(&standing_by);
        equal(&count(&standing_by, "a webhook told of a push").min(1), &1)
    });
    scene.operation("Succeeded", &second);
    assert_eq!(count(&leader, "a webhook told of a push"), 0);
}
