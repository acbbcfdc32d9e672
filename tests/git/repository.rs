//! Repositories for tests, made by the real `git`, each in a directory of its own.

#![allow(dead_code, reason = "each suite uses its part of a repository")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A repository with a work tree; the bare one beside it is what servers serve and `push` updates.
pub(crate) struct Origin {
    pub(crate) bare: PathBuf,
    pub(crate) work: PathBuf,
}

impl Origin {
    /// `root/NAME.git`, empty, with a work tree outside `root`.
    pub(crate) fn create(root: &Path, name: &str) -> Self {
        let bare = root.join(format!("{name}.git"));
        let work = root.with_extension("work").join(name);
        fs::create_dir_all(&work).unwrap();
        git(
            root,
            &["init", "-q", "--bare", "-b", "main", bare.to_str().unwrap()],
        );
        git(&work, &["init", "-q", "-b", "main"]);
        git(&work, &["remote", "add", "origin", bare.to_str().unwrap()]);
        Self { bare, work }
    }

    /// Writes `files`, commits and pushes the current branch; the full SHA.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            let path = self.work.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "change"]);
        self.git(&["push", "-q", "-f", "origin", "HEAD"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Has `commit` of the repository at `url` at `path` from the next commit on, as `git submodule add` leaves it; `url` may be
    /// anything.
    pub(crate) fn submodule(&self, path: &str, url: &str, commit: &str) {
        let entry = format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n");
        let file = self.work.join(".gitmodules");
        let named = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, named + &entry).unwrap();
        self.gitlink(path, commit);
    }

    /// Has a commit of some repository at `path` from the next commit on.
    pub(crate) fn gitlink(&self, path: &str, commit: &str) {
        // `git add` leaves an empty folder alone that stands for a commit.
        fs::create_dir_all(self.work.join(path)).unwrap();
        let link = format!("160000,{commit},{path}");
        self.git(&["update-index", "--add", "--cacheinfo", &link]);
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(&self.work, args)
    }

    /// A commit of a tree with these entries, as `git ls-tree` writes them, which no work tree could have.
    pub(crate) fn commit_by_hand(&self, entries: &str) -> String {
        let tree = git_with_input(&self.work, &["mktree", "--missing"], entries);
        let commit = self.git(&["commit-tree", "-m", "by hand", &tree]);
        self.git(&[
            "push",
            "-q",
            "origin",
            &format!("{commit}:refs/heads/{commit}"),
        ]);
        commit
    }

    pub(crate) fn file_url(&self) -> String {
        format!("file://{}", self.bare.display())
    }
}

fn git(directory: &Path, args: &[&str]) -> String {
    git_with_input(directory, args, "")
}

fn git_with_input(directory: &Path, args: &[&str], input: &str) -> String {
    let mut child = Command::new("git")
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .args([
            "-c",
            "user.name=tester",
            "-c",
            "user.email=tester@signet.test",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
