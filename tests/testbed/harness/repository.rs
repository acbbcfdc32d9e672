//! A Git repository that the testbed's server serves over HTTP.
//! It is written with the real `git`, never with the code under test.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Testbed, run};

/// A bare repository with the branch `main`, and a work tree to commit from.
#[derive(Debug)]
pub(crate) struct GitRepository {
    name: String,
    url: String,
    bare: PathBuf,
    work: PathBuf,
}

impl GitRepository {
    /// Makes the empty repository `NAME.git`. Below `private/` the server wants user `signet`, password `testbed`.
    #[track_caller]
    pub(crate) fn create(name: &str) -> Self {
        let testbed = Testbed::get();
        let bare = testbed.path(&format!("git/{name}.git"));
        let work = testbed.path(&format!("work/{name}"));
        assert!(
            !bare.exists(),
            "there is a repository {name} already: take a name of your own"
        );
        std::fs::create_dir_all(&work).expect("the testbed's folder is writable");
        let url = format!("{}/{name}.git", testbed.git);
        let repository = Self {
            name: name.to_owned(),
            url,
            bare,
            work,
        };
        let bare = repository.bare.display().to_string();
        repository.git(&["init", "--quiet", "--bare", "--initial-branch=main", &bare]);
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.git(&["remote", "add", "origin", &bare]);
        repository
    }

    /// Where the controller finds it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The work tree.
    pub(crate) fn work_tree(&self) -> &Path {
        &self.work
    }

    /// Writes the files, commits everything in the work tree and pushes it. Returns the commit.
    #[track_caller]
    pub(crate) fn commit(&self, files: &[(&str, &str)], message: &str) -> String {
        for (path, content) in files {
            let file = self.work.join(path);
            let folder = file.parent().expect("a file of the work tree has a folder");
            std::fs::create_dir_all(folder).expect("the work tree is writable");
            std::fs::write(&file, content).expect("the work tree is writable");
        }
        self.push(message)
    }

    /// Removes the files, commits and pushes. Returns the commit.
    #[track_caller]
    pub(crate) fn remove(&self, files: &[&str], message: &str) -> String {
        for path in files {
            std::fs::remove_file(self.work.join(path)).expect("the file to remove is there");
        }
        self.push(message)
    }

    /// Runs `git` in the work tree, for tags, branches and whatever else a test has in mind.
    #[track_caller]
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(args).current_dir(&self.work);
        for (name, value) in [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "Test"),
            ("GIT_AUTHOR_EMAIL", "test@example.com"),
            ("GIT_COMMITTER_NAME", "Test"),
            ("GIT_COMMITTER_EMAIL", "test@example.com"),
        ] {
            command.env(name, value);
        }
        run(&mut command, None).success().trim().to_owned()
    }

    #[track_caller]
    fn push(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["push", "--quiet", "origin", "HEAD"]);
        self.git(&["rev-parse", "HEAD"])
    }
}
