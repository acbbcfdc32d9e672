//! What Git says, version by version.

use crate::harness::Controller;
use crate::scene::{config_map, deployment};
use crate::shop::Shop;

/// What Git says at one time.
pub(crate) struct Version {
    pub(crate) number: u32,
    files: Vec<(String, String)>,
}

/// What its PreSync hook does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    /// It is done at once.
    Runs,
    /// It runs until `Shop::open`.
    Held,
}

impl Shop {
    /// Each version changes an object of each wave and the Secret, drops one object of the version before, and adds one.
    pub(crate) fn version(&self, controller: &Controller, number: u32, hook: Hook) -> Version {
        let value = number.to_string();
        let where_to = match hook {
            Hook::Runs => String::new(),
            Hook::Held => format!("nodeSelector: {{gate: {}}}, ", self.scene.own),
        };
        let user = "        envFrom: [{secretRef: {name: login}}]\n";
        let files = [
            ("app/migrate.yaml", job("migrate", "PreSync", &where_to)),
            ("app/smoke.yaml", job("smoke", "PostSync", "")),
            ("app/settings.yaml", config_map("settings", &value)),
            ("app/kept.yaml", config_map("kept", "1")),
            (
                "app/login.json",
                self.scene.seal(controller, "login", &value),
            ),
            (
                "app/web.yaml",
                in_wave(1, &deployment("web", &format!("web:{value}"), user)),
            ),
            (
                &*format!("app/old-{value}.yaml"),
                in_wave(1, &config_map(&format!("old-{value}"), &value)),
            ),
            ("app/late.yaml", in_wave(2, &config_map("late", &value))),
            ("neighbour/theirs.yaml", config_map("theirs", "0")),
        ];
        Version {
            number,
            files: files.map(|(path, text)| (path.to_owned(), text)).into(),
        }
    }

    /// Commits a version, and tells nobody.
    pub(crate) fn push(&self, version: &Version) -> String {
        let repository = &self.scene.repository;
        let before = repository
            .work_tree()
            .join(format!("app/old-{}.yaml", version.number - 1));
        if before.exists() {
            std::fs::remove_file(before).expect("the work tree is writable");
        }
        let files: Vec<_> = version
            .files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        repository.commit(&files, "Change")
    }

    /// Commits a version and tells the controller.
    pub(crate) fn commit(&self, version: &Version) -> String {
        let commit = self.push(version);
        self.scene.refresh();
        commit
    }
}

/// A hook.
fn job(name: &str, phase: &str, where_to: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: {name}, annotations: {{argocd.argoproj.io/hook: {phase}}}}}\n\
         spec: {{template: {{spec: {{{where_to}restartPolicy: Never, containers: [{{name: main, image: hook}}]}}}}}}\n"
    )
}

fn in_wave(wave: u32, manifest: &str) -> String {
    let annotation =
        format!("metadata: {{annotations: {{argocd.argoproj.io/sync-wave: \"{wave}\"}}, ");
    manifest.replacen("metadata: {", &annotation, 1)
}
