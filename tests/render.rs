//! Golden renders: each folder of tests/render holds a source, and what it renders to or why it is refused.
//! `TRYCMD=overwrite` writes the expectation anew.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "git/repository.rs"]
mod repository;

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use controller::{
    git::{CommitId, MirrorOptions, Mirrors, Repository, Tree},
    render::{DirectoryOptions, Rendered, directory, key},
};
use repository::Origin;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/render");

/// `options.json` of a case: the fields of `spec.source.directory`, and `path`.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct CaseOptions {
    path: String,
    recurse: bool,
    include: String,
    exclude: String,
}

/// One commit with every case's `source` in it, so that one fetch serves all.
struct Sources {
    mirrors: Mirrors,
    repository: Repository,
    commit: CommitId,
    origin: Origin,
    _directory: tempfile::TempDir,
}

impl Sources {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let served = directory.path().join("served");
        fs::create_dir(&served).unwrap();
        let origin = Origin::create(&served, "sources");
        let options = MirrorOptions {
            allow_file: true,
            ..MirrorOptions::default()
        };
        let mirrors = Mirrors::temporary(options).unwrap();
        let repository = Repository::public(&origin.file_url()).unwrap();
        for case in cases() {
            let copied = Command::new("cp")
                .arg("-a")
                .arg(case.join("source"))
                .arg(origin.work.join(name(&case)))
                .status();
            assert!(copied.unwrap().success());
        }
        let commit = origin.commit(&[]).parse().unwrap();
        Self {
            mirrors,
            repository,
            commit,
            origin,
            _directory: directory,
        }
    }

    async fn tree(&self, path: &str) -> Tree {
        self.mirrors
            .tree(&self.repository, &self.commit, path)
            .await
            .unwrap()
    }

    async fn render(&self, case: &Path) -> String {
        let options = options(case);
        let tree = self.tree(&format!("{}/{}", name(case), options.path)).await;
        let text = match directory(&tree, &directory_options(&options)) {
            Ok(rendered) => printed(&rendered),
            Err(error) => format!(
                "error: {error}\n{}",
                error
                    .hint()
                    .map_or_else(String::new, |hint| format!("hint: {hint}\n"))
            ),
        };
        text.replace(&format!("{}/", name(case)), "")
    }
}

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir(CASES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(cases.len() > 10, "the cases are found");
    cases
}

fn name(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

fn options(case: &Path) -> CaseOptions {
    let file = case.join("options.json");
    if file.exists() {
        serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
    } else {
        CaseOptions::default()
    }
}

fn directory_options(options: &CaseOptions) -> DirectoryOptions {
    DirectoryOptions {
        recurse: options.recurse,
        include: options.include.clone(),
        exclude: options.exclude.clone(),
    }
}

fn printed(rendered: &Rendered) -> String {
    let mut text = String::new();
    for manifest in &rendered.manifests {
        let (file, document, line) = (&manifest.file, manifest.document, manifest.line);
        writeln!(text, "# {file}: document {document}, line {line}").unwrap();
        writeln!(
            text,
            "{}",
            serde_json::to_string_pretty(&manifest.object).unwrap()
        )
        .unwrap();
    }
    if text.is_empty() {
        "nothing\n".to_owned()
    } else {
        text
    }
}

#[tokio::test]
async fn every_source_renders_as_its_folder_says() {
    let sources = Sources::new();
    for case in cases() {
        let expected = snapbox::Data::read_from(
            &case.join("rendered.txt"),
            Some(snapbox::data::DataFormat::Text),
        );
        snapbox::Assert::new()
            .action_env("TRYCMD")
            .normalize_paths(false)
            .eq(sources.render(&case).await, expected);
    }
}

#[tokio::test]
async fn the_key_tells_whether_rendering_again_would_give_the_same() {
    let mut sources = Sources::new();
    let all = DirectoryOptions {
        recurse: true,
        ..DirectoryOptions::default()
    };
    let key_now = async |sources: &Sources, path: &str, options: &DirectoryOptions| {
        let tree = sources.tree(path).await;
        let key = key(&tree, options).unwrap();
        assert_eq!(directory(&tree, options).unwrap().key, key);
        key
    };
    let path = "symlinks-inside-the-repository/app";
    let before = key_now(&sources, path, &all).await;
    assert_ne!(
        before,
        key_now(&sources, path, &DirectoryOptions::default()).await
    );
    assert_ne!(
        before,
        key_now(
            &sources,
            path,
            &DirectoryOptions {
                include: "*.yaml".to_owned(),
                ..all.clone()
            }
        )
        .await
    );

    let mut commit =
        |files: &[(&str, &str)]| sources.commit = sources.origin.commit(files).parse().unwrap();
    commit(&[("elsewhere.yaml", "a: 1")]);
    assert_eq!(before, key_now(&sources, path, &all).await);
    let mut commit =
        |files: &[(&str, &str)]| sources.commit = sources.origin.commit(files).parse().unwrap();
    commit(&[(
        "symlinks-inside-the-repository/shared/common.yaml",
        "{apiVersion: v1, kind: Service, metadata: {name: new}}",
    )]);
    assert_ne!(before, key_now(&sources, path, &all).await);
}
