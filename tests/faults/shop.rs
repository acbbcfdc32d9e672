//! The Application that faults are done to, with all that may go wrong in one: waves, hooks around them, a Secret that a Deployment
//! uses, objects that leave Git, and beside it objects that are nobody's, or another project's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::harness::{ADDRESS, Controller, eventually};
use crate::scene::Scene;
use crate::version::Hook;

const AUTOMATED: &str = "{automated: {prune: true, selfHeal: true}}";

/// The Application `app` of the project `shop`, and its neighbour.
pub(crate) struct Shop {
    pub(crate) scene: Scene,
    /// Who the controller is, so that the audit log tells its requests from those of others.
    pub(crate) account: String,
    pub(crate) kubeconfig: String,
    /// The namespace of the other project.
    pub(crate) neighbours: String,
    _turn: MutexGuard<'static, ()>,
}

impl Shop {
    /// Everything but a controller and a commit.
    pub(crate) fn new(prefix: &str) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let scene = Scene::new(prefix);
        let (testbed, own) = (&scene.testbed, &scene.own);
        let neighbours = testbed.namespace(&format!("{prefix}-others"));
        let namespace = format!("--namespace={own}");
        testbed.kubectl(&["create", "serviceaccount", "controller", &namespace]);
        let role = ["--clusterrole=cluster-admin", "--serviceaccount"];
        let subject = format!("{own}:controller");
        testbed.kubectl(
            &[
                &["create", "clusterrolebinding", own],
                &role[..],
                &[&subject],
            ]
            .concat(),
        );
        let kubeconfig = testbed.kubeconfig_of(own, "controller");
        let shop = Self {
            account: format!("system:serviceaccount:{own}:controller"),
            kubeconfig,
            neighbours,
            scene,
            _turn: turn,
        };
        shop.surroundings();
        shop
    }

    /// Syncs version 1.
    pub(crate) fn begin(&self, controller: &Controller) {
        let first = self.version(controller, 1, Hook::Runs);
        let commit = self.push(&first);
        self.application("app", "shop", &self.scene.to, "app");
        self.application("neighbour", "others", &self.neighbours, "neighbour");
        self.holds(&first, &commit);
        eventually("the neighbour has its object, too", || {
            self.scene
                .testbed
                .find_object(&self.neighbours, "configmap", "theirs")
                .ok_or("it has not")
        });
    }

    /// Has controllers look for the API server at another of its addresses, of which nobody else knows.
    pub(crate) fn find_the_api_server_at(&mut self, address: &str) {
        let text = std::fs::read_to_string(&self.kubeconfig).expect("it was written");
        std::fs::write(&self.kubeconfig, text.replace(ADDRESS, address))
            .expect("it can be written");
    }

    pub(crate) fn controller(&self, more: &[&str]) -> Controller {
        self.controller_at(&self.kubeconfig, more)
    }

    /// The same with the kubeconfig of a proxy, say.
    pub(crate) fn controller_at(&self, kubeconfig: &str, more: &[&str]) -> Controller {
        let arguments = self.scene.arguments();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Controller::start_with(kubeconfig, &[&arguments, more].concat()).ready()
    }

    /// Two projects, and in the first one's namespace objects that are nobody's and somebody else's.
    fn surroundings(&self) {
        let (scene, neighbours) = (&self.scene, &self.neighbours);
        let (own, to, url) = (&scene.own, &scene.to, scene.repository.url());
        let project = |name: &str, namespace: &str| {
            format!(
                "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: {name}, namespace: {own}}}\n\
                 spec: {{sourceRepos: [\"{url}\"], destinations: [{{server: \"*\", namespace: {namespace}}}]}}\n"
            )
        };
        let alien = |name: &str, annotations: &str| {
            format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {to}, annotations: {{{annotations}}}}}\n\
                 data: {{value: \"0\"}}\n"
            )
        };
        let tracked =
            format!("argocd.argoproj.io/tracking-id: \"neighbour:/ConfigMap:{to}/strangers\"");
        let objects = [
            project("shop", to),
            project("others", neighbours),
            alien("nobodys", ""),
            alien("strangers", &tracked),
        ];
        scene.testbed.apply(&objects.join("---\n"));
    }

    fn application(&self, name: &str, project: &str, namespace: &str, path: &str) {
        let (own, url) = (&self.scene.own, self.scene.repository.url());
        self.scene.testbed.apply(&format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: {own}}}\n\
             spec:\n  project: {project}\n  source: {{repoURL: \"{url}\", path: {path}, targetRevision: main}}\n\
             \x20 destination: {{server: \"https://kubernetes.default.svc\", namespace: {namespace}}}\n  syncPolicy: {AUTOMATED}\n"
        ));
    }

    /// Waits until the PreSync hook of an operation runs, and returns the uid of its Job. One of an earlier operation is done.
    pub(crate) fn hook_runs(&self) -> Value {
        eventually("the hook runs", || {
            let job = self
                .scene
                .testbed
                .find_object(&self.scene.to, "job", "migrate")
                .ok_or("no Job")?;
            let runs =
                job["status"]["active"] == 1 && job["metadata"]["deletionTimestamp"].is_null();
            runs.then(|| job["metadata"]["uid"].clone())
                .ok_or("it does not run")
        })
    }

    /// Lets a hook that is held come to its end.
    pub(crate) fn open(&self) {
        let gate = format!("gate={}", self.scene.own);
        self.scene
            .testbed
            .kubectl(&["label", "node", "kwok-0", &gate, "--overwrite"]);
    }
}
