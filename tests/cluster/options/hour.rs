//! Polls of a repository in which nothing moves: they cost no write, whatever others have made of the objects meanwhile.
//! `SIGNET_TEST_REST_SECONDS=3600` makes it a real hour, at the interval that people have.

use std::thread::sleep;
use std::time::Duration;

use crate::AUTOMATED;
use crate::harness::{AdmissionWebhook, Controller, Port, eventually, get};
use crate::owners::{apply_beside, autoscale};
use crate::rest::{rests, written};
use crate::scene::{Scene, config_map};
use crate::webhooks::{web, with_dry_runs};

/// The longest that lies between two polls: the default interval, and all of the jitter.
const LONGEST: Duration = Duration::from_secs(120 + 60);
/// As many as an hour has at least.
const POLLS: u64 = 3600 / LONGEST.as_secs();
const LISTINGS: &str = "signet_git_requests_total{request_type=\"ls-remote\"} ";

/// Objects of which the API server makes more than they say, and spells otherwise what they say.
const DEFAULTED: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: leap}
spec:
  schedule: 0 0 29 2 *
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers: [{name: main, image: "leap:1", resources: {limits: {memory: 0.5Gi}}}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  replicas: 0
  serviceName: web
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {containers: [{name: main, image: "store:1"}]}
  volumeClaimTemplates:
  - metadata: {name: files}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}
"#;

/// How long somebody wants to look at real polls.
fn asked() -> Option<Duration> {
    let seconds = std::env::var("SIGNET_TEST_REST_SECONDS").ok()?;
    let seconds = seconds.parse().expect("a number of seconds");
    Some(Duration::from_secs(seconds))
}

/// A controller that polls every second, or at its default interval.
fn polling(scene: &Scene, every_second: bool) -> Controller {
    let [namespace, scope, _, key] = scene.arguments();
    let mut arguments = vec![namespace.as_str(), &scope, &key];
    if every_second {
        arguments.extend(["--git-poll-interval=1s", "--git-poll-jitter=0s"]);
    }
    Controller::start(&arguments).ready()
}

/// How often it has listed refs.
fn polls(controller: &Controller) -> Result<u64, String> {
    let (_, text) = get(&format!("{}/metrics", controller.url(Port::Metrics)))?;
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.strip_prefix(LISTINGS)?.parse().ok());
    count.ok_or(text)
}

#[test]
fn an_hour_of_polls_writes_nothing() {
    let asked = asked();
    let scene = Scene::named("hour");
    let webhook = AdmissionWebhook::start();
    let _registration = with_dry_runs(&scene, &webhook, "None");
    let controller = polling(&scene, asked.is_none());
    let commit = scene.repository.commit(
        &[
            ("app/web.yaml", &web("web:1")),
            ("app/a.yaml", &config_map("a", "1")),
            ("app/defaulted.yaml", DEFAULTED),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    autoscale(&scene);
    apply_beside(&scene);
    scene.refresh_hard();
    scene.sync_status("Synced", &commit);
    let operation = rests(&scene);

    let before = polls(&controller).expect("the controller counts its listings");
    let start = scene.testbed.audit_end();
    if let Some(rest) = asked {
        sleep(rest);
    }
    let expected = asked.map_or(POLLS, |rest| rest.as_secs() / LONGEST.as_secs());
    eventually(&format!("it has polled {expected} times"), || {
        let polled = polls(&controller)? - before;
        match polled >= expected {
            true => Ok(()),
            false => Err(format!("{polled} times")),
        }
    });
    assert_eq!(written(&scene, start), Vec::<String>::new());
    assert_eq!(rests(&scene), operation);
}
