//! One Application under test: a controller of its own, its repository, and a namespace for its objects.
//! It asserts nothing about what is synced.

#![allow(dead_code, reason = "each suite uses its part of the scene")]

use serde_json::Value;

use crate::harness::{Controller, GitRepository, Port, Testbed, equal, eventually, get, unique};

/// A controller, a repository and two namespaces: the controller's own, with the Applications, and that of their objects.
pub(crate) struct Scene {
    pub(crate) testbed: Testbed,
    /// Of the Application. Applications of one name, in whichever scene, take each other's objects for orphans of theirs.
    pub(crate) name: String,
    pub(crate) own: String,
    pub(crate) to: String,
    pub(crate) repository: GitRepository,
}

impl Scene {
    pub(crate) fn new(prefix: &str) -> Self {
        let testbed = Testbed::get();
        testbed.install_crds();
        let own = testbed.namespace(&format!("{prefix}-own"));
        let to = testbed.namespace(prefix);
        let repository = GitRepository::create(&format!("{prefix}-{}", unique()));
        Self {
            testbed,
            name: "app".to_owned(),
            own,
            to,
            repository,
        }
    }

    /// One whose Application has a name of its own, and so no orphans that come and go: nothing is written to it while nothing
    /// happens.
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::new(name)
        }
    }

    /// Arguments of a controller that looks at nothing of another test.
    pub(crate) fn arguments(&self) -> [String; 4] {
        [
            format!("--namespace={}", self.own),
            "--all-namespaces=false".to_owned(),
            // Tests tell the controller of commits; polling would only hide that they did not.
            "--git-poll-interval=0s".to_owned(),
            // Large keys take seconds to make and prove nothing more here.
            "--key-size=2048".to_owned(),
        ]
    }

    /// Nobody waits for the Lease of a process that was killed: how long that takes is not what is looked at here.
    pub(crate) fn arguments_without_lease(&self) -> [String; 5] {
        let [namespace, scope, poll, key] = self.arguments();
        let election = "--leader-election=false".to_owned();
        [namespace, scope, poll, key, election]
    }

    /// A controller that syncs and seals.
    pub(crate) fn controller(&self) -> Controller {
        let arguments = self.arguments();
        Controller::start(&arguments.each_ref().map(String::as_str)).ready()
    }

    /// Creates the Application from the folder `app`. `policy` is its `syncPolicy`, as YAML in braces.
    pub(crate) fn application(&self, policy: &str) {
        let url = self.repository.url();
        let source = format!("source: {{repoURL: \"{url}\", path: app, targetRevision: main}}");
        self.application_of(&source, policy);
    }

    /// The same from a `source` or `sources` as YAML.
    pub(crate) fn application_of(&self, sources: &str, policy: &str) {
        let Self { name, own, to, .. } = self;
        self.testbed.apply(&format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: {own}}}\n\
             spec:\n  project: default\n  {sources}\n\
             \x20 destination: {{server: \"https://kubernetes.default.svc\", namespace: {to}}}\n  syncPolicy: {policy}\n"
        ));
    }

    /// Has the project permit these repositories alone.
    pub(crate) fn permit(&self, repositories: &[&str]) {
        let own = &self.own;
        self.testbed.apply(&format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: default, namespace: {own}}}\n\
             spec: {{sourceRepos: {repositories:?}, destinations: [{{server: \"*\", namespace: \"*\"}}]}}\n"
        ));
    }

    /// Commits files and tells the controller.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        let commit = self.repository.commit(files, "Change");
        self.refresh();
        commit
    }

    /// Removes files and tells the controller.
    pub(crate) fn remove(&self, files: &[&str]) -> String {
        let commit = self.repository.remove(files, "Remove");
        self.refresh();
        commit
    }

    /// What `argocd app get --refresh` does.
    pub(crate) fn refresh(&self) {
        self.annotate("argocd.argoproj.io/refresh=normal");
    }

    /// The same, and nothing is trusted that was found before.
    pub(crate) fn refresh_hard(&self) {
        self.annotate("argocd.argoproj.io/refresh=hard");
    }

    /// Sets an annotation of the Application, or takes it off with `KEY-`.
    pub(crate) fn annotate(&self, annotation: &str) {
        self.of_app(&["annotate"], &[annotation, "--overwrite"]);
    }

    /// Waits until an annotation of the Application is gone.
    pub(crate) fn annotation_leaves(&self, annotation: &str) {
        eventually(&format!("{annotation} is gone"), || {
            let annotations = &self.app()["metadata"]["annotations"];
            equal(&annotations[annotation], &Value::Null)
        });
    }

    /// Merges into the Application.
    pub(crate) fn patch(&self, patch: &str) {
        self.of_app(&["patch"], &["--type=merge", "--patch", patch]);
    }

    fn of_app(&self, command: &[&str], args: &[&str]) {
        let app = ["application", &self.name, "--namespace", &self.own];
        self.testbed.kubectl(&[command, &app, args].concat());
    }

    /// The Application as it is.
    pub(crate) fn app(&self) -> Value {
        self.testbed.object(&self.own, "application", &self.name)
    }

    /// Waits until this controller has found the Application, which has nothing else to say, as wanted and healthy.
    pub(crate) fn works_by_metrics(&self, controller: &Controller) {
        let metrics = format!("{}/metrics", controller.url(Port::Metrics));
        eventually("the Application was compared", || {
            let (_, text) = get(&metrics)?;
            let mut lines = text.lines();
            let line = lines.find(|line| line.starts_with("argocd_app_info{"));
            let says = |word: &str| line.is_some_and(|line| line.contains(word));
            match says("sync_status=\"Synced\"") && says("health_status=\"Healthy\"") {
                true => Ok(()),
                false => Err(text),
            }
        });
    }

    /// Waits until `status.sync` says this of this commit.
    pub(crate) fn sync_status(&self, status: &str, commit: &str) -> Value {
        eventually(&format!("the Application is {status} at {commit}"), || {
            let app = self.app();
            let sync = &app["status"]["sync"];
            equal(&sync["status"], &status.into())
                .and_then(|()| equal(&sync["revision"], &commit.into()))
                .and_then(|()| {
                    equal(
                        &app["metadata"]["annotations"]["argocd.argoproj.io/refresh"],
                        &Value::Null,
                    )
                })
                .map(|()| app.clone())
                .map_err(|error| format!("{error}\n{:#}", app["status"]))
        })
    }

    /// Waits until the last operation ended like this, at this commit.
    pub(crate) fn operation(&self, phase: &str, commit: &str) -> Value {
        eventually(&format!("the operation is {phase} at {commit}"), || {
            let app = self.app();
            let state = &app["status"]["operationState"];
            equal(&state["phase"], &phase.into())
                .and_then(|()| equal(&state["syncResult"]["revision"], &commit.into()))
                .map(|()| app.clone())
                .map_err(|error| format!("{error}\n{:#}", app["status"]))
        })
    }

    /// Waits until the last operation synced to these commits, one of each source.
    pub(crate) fn synced_to(&self, commits: &[&str]) -> Value {
        eventually(&format!("the Application is synced to {commits:?}"), || {
            let app = self.app();
            let state = &app["status"]["operationState"];
            equal(&state["phase"], &"Succeeded".into())
                .and_then(|()| {
                    equal(
                        &state["syncResult"]["revisions"],
                        &serde_json::json!(commits),
                    )
                })
                .map(|()| app.clone())
                .map_err(|error| format!("{error}\n{:#}", app["status"]))
        })
    }

    /// Waits for a condition of the Application, and returns its message.
    pub(crate) fn condition(&self, kind: &str) -> String {
        eventually(&format!("the Application has the condition {kind}"), || {
            let app = self.app();
            let conditions = app["status"]["conditions"].as_array();
            let found = conditions
                .into_iter()
                .flatten()
                .find(|condition| condition["type"] == kind);
            found
                .map(|condition| condition["message"].as_str().unwrap_or_default().to_owned())
                .ok_or_else(|| format!("{:#}", app["status"]))
        })
    }

    /// Waits until a condition of this type has this in its message.
    pub(crate) fn says(&self, kind: &str, text: &str) {
        eventually(&format!("{kind} says {text:?}"), || {
            let message = self.condition(kind);
            match message.contains(text) {
                true => Ok(()),
                false => Err(message),
            }
        });
    }

    /// A field of an object in the destination, null where it has none; nothing where there is no object.
    pub(crate) fn field(&self, kind: &str, name: &str, pointer: &str) -> Option<Value> {
        let object = self.testbed.find_object(&self.to, kind, name)?;
        Some(object.pointer(pointer).cloned().unwrap_or_default())
    }

    /// Waits until a field of an object in the destination has this value.
    #[track_caller]
    pub(crate) fn becomes(&self, kind: &str, name: &str, pointer: &str, value: impl Into<Value>) {
        let value = Some(value.into());
        eventually(&format!("{pointer} of {kind} {name}"), || {
            equal(&self.field(kind, name, pointer), &value)
        });
    }

    /// Waits until an object of the destination is gone.
    #[track_caller]
    pub(crate) fn vanishes(&self, kind: &str, name: &str) {
        eventually(&format!("{kind} {name} is gone"), || {
            equal(&self.testbed.find_object(&self.to, kind, name), &None)
        });
    }

    /// Seals a Secret of the destination with one item.
    pub(crate) fn seal(&self, controller: &Controller, name: &str, value: &str) -> String {
        self.seal_items(controller, name, &[("password", value)])
    }

    /// Seals a Secret of the destination with the controller's certificate.
    pub(crate) fn seal_items(
        &self,
        controller: &Controller,
        name: &str,
        items: &[(&str, &str)],
    ) -> String {
        let items: std::collections::BTreeMap<_, _> = items.iter().copied().collect();
        let url = format!("{}/v1/cert.pem", controller.url(Port::Sealing));
        let certificate = eventually("the certificate is served", || {
            get(&url).and_then(|(status, body)| equal(&status, &200).map(|()| body))
        });
        let secret = serde_json::json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": self.to}, "stringData": items,
        });
        let secret = sealing::SecretInput::from_value(secret.into()).expect("a Secret");
        let certificate =
            sealing::Certificate::from_pem(certificate.as_bytes()).expect("a certificate");
        let sealed = sealing::seal(
            &secret,
            Some(sealing::Scope::Strict),
            &certificate,
            k8s_openapi::jiff::Timestamp::now(),
            &mut rand::rngs::SysRng,
        );
        serde_json::to_string(&sealed.expect("the Secret can be sealed")).expect("JSON")
    }
}

/// A ConfigMap with one entry.
pub(crate) fn config_map(name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{value: \"{value}\"}}\n"
    )
}

/// A Deployment; `container` is more of its container, as YAML lines of that depth.
pub(crate) fn deployment(name: &str, image: &str, container: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 1\n\
         \x20 selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n\
         \x20   spec:\n      containers:\n      - name: main\n        image: {image}\n{container}"
    )
}
