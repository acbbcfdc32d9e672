//! The places that Signet writes to, each looked through for what was planted. What is found is told at the end, all of it at once.
//! It plants nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::canaries::{Beside, Canaries, Canary};
use crate::harness::{Controller, Port, eventually, get, run};
use crate::scene::Scene;

/// Kinds of the objects that the scene has.
const KINDS: [&str; 11] = [
    "application",
    "appproject",
    "configmap",
    "controllerrevision",
    "deployment",
    "event",
    "job",
    "pod",
    "replicaset",
    "sealedsecret",
    "secret",
];
/// A render has its files on disk for as long as it takes; what is still there after so many looks stays.
const LOOKS: usize = 40;

pub(crate) struct Search<'a> {
    canaries: &'a Canaries,
    told: Vec<String>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(canaries: &'a Canaries) -> Self {
        Self {
            canaries,
            told: Vec::new(),
        }
    }

    /// Fails with everything that was found.
    #[track_caller]
    pub(crate) fn end(self) {
        assert!(self.told.is_empty(), "\n{}", self.told.join("\n"));
    }

    /// Looks into a text that must not repeat anything.
    pub(crate) fn nothing_in(&mut self, what: &str, text: impl AsRef<[u8]>) {
        self.only_in(what, text, |_| false);
    }

    /// The same where some canaries may be.
    fn only_in(&mut self, what: &str, text: impl AsRef<[u8]>, may: impl Fn(&Canary) -> bool) {
        let found = self.canaries.found_in(text.as_ref()).into_iter();
        let told = found.filter(|canary| !may(canary));
        self.told.extend(told.map(|canary| telling(what, canary)));
    }

    pub(crate) fn answers(&mut self, controller: &Controller) {
        for (port, path) in [
            (Port::Metrics, "/metrics"),
            (Port::Sealing, "/v1/cert.pem"),
            (Port::Sealing, "/healthz"),
            (Port::Web, "/"),
        ] {
            let (_, answer) = get(&format!("{}{path}", controller.url(port))).expect("an answer");
            self.nothing_in(path, answer);
        }
    }

    pub(crate) fn process(&mut self, controller: &Controller) {
        self.nothing_in("the log", controller.log());
        for file in ["cmdline", "environ"] {
            let content = fs::read(format!("/proc/{}/{file}", controller.pid()));
            self.nothing_in(file, content.expect("our own process"));
        }
    }

    /// All objects: Secrets hold their own, and the specs of Applications what they ask for.
    pub(crate) fn objects(&mut self, scene: &Scene) {
        for kind in KINDS {
            for namespace in [&scene.own, &scene.to] {
                for object in scene.testbed.objects(namespace, kind) {
                    self.object(kind, object);
                }
            }
        }
    }

    fn object(&mut self, kind: &str, mut object: Value) {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let (name, what) = (name.to_owned(), format!("{kind} {name}"));
        if kind == "application" {
            let spec = object["spec"].take().to_string();
            self.only_in(&what, spec, |canary| canary.beside == Beside::Spec);
        }
        self.only_in(&what, object.to_string(), |canary| {
            kind == "secret" && canary.secrets.contains(&name)
        });
    }

    /// The objects of all mirrors below a folder, which Git has packed: what came from Git is there, and nothing else.
    pub(crate) fn mirrors(&mut self, folder: &Path) {
        let is_mirror =
            |path: &PathBuf| path.join("HEAD").is_file() && path.join("objects").is_dir();
        let mirrors = below(folder).into_iter().filter(is_mirror);
        let objects: String = mirrors.map(|mirror| git_objects(&mirror)).collect();
        assert!(
            self.canaries.finds("a plain Secret", objects.as_bytes()),
            "the mirrors have what is in Git"
        );
        self.only_in("a mirror", objects, |canary| canary.beside == Beside::Git);
    }

    /// All files below a folder.
    pub(crate) fn files(&mut self, folder: &Path) {
        let mut looks = 0;
        let told = eventually("all files were looked through", || {
            looks += 1;
            let told = self.told_by_files(folder);
            match told.is_empty() || looks == LOOKS {
                true => Ok(told),
                false => Err(told.join("\n")),
            }
        });
        self.told.extend(told);
    }

    fn told_by_files(&self, folder: &Path) -> Vec<String> {
        let mut told = Vec::new();
        for path in below(folder).into_iter().filter(|path| path.is_file()) {
            // It may be gone by now.
            let content = fs::read(&path).unwrap_or_default();
            let found = self.canaries.found_in(&content).into_iter();
            told.extend(found.map(|canary| telling(&path.display().to_string(), canary)));
        }
        told
    }
}

fn telling(what: &str, canary: &Canary) -> String {
    format!("{what} tells what was planted in {}", canary.place)
}

/// Folders and files, at any depth.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found
}

/// Commits, trees and files of a bare repository, unpacked.
fn git_objects(mirror: &Path) -> String {
    let mut git = Command::new("git");
    git.args(["cat-file", "--batch-all-objects", "--batch"]);
    git.env("GIT_DIR", mirror);
    git.env("GIT_CONFIG_GLOBAL", "/dev/null");
    git.env("GIT_CONFIG_NOSYSTEM", "1");
    run(&mut git, None).success()
}
