//! What `health/` promises of scripts: each file of `scripts/` holds settings as in `argocd-cm`, objects, and what is said of them.
//! The file's name is the rule that it shows. Rules for kinds are tested beside their code.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use health::{Customizations, Health, health};
use serde_json::Value;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/health/scripts");
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn settings(case: &Value) -> BTreeMap<String, String> {
    serde_json::from_value(case["settings"].clone()).unwrap()
}

#[test]
fn each_script_says_what_its_file_expects() {
    let files = files();
    assert!(files.len() >= 12, "found {} files", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let case: Value = serde_saphyr::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let (customizations, problems) = Customizations::read(&settings(&case));
        assert_eq!(problems, [], "{name}");
        for case in case["cases"].as_array().unwrap() {
            let said = health(&case["object"], &customizations);
            if !is_as_expected(case, said.as_ref()) {
                wrong.push(format!("{name}: {}\n  said: {said:?}", case["object"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_as_expected(case: &Value, said: Option<&Health>) -> bool {
    if let Some(end) = case["ends_with"].as_str() {
        return said.is_some_and(|said| said.message.ends_with(end));
    }
    match (&case["expect"], said) {
        (Value::Null, said) => said.is_none(),
        (expected, Some(said)) => {
            expected["status"] == said.status.name() && expected["message"] == *said.message
        }
        (_, None) => false,
    }
}

/// The machine sees the clock to end a script in time; nothing else here touches the world.
#[test]
fn only_scripts_have_a_machine_and_nothing_reaches_out() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    rust_files(&root, &mut sources);
    assert!(sources.len() > 10, "found {sources:?}");
    let outside = [
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "tokio",
        "async fn",
        "println!",
        "StdLib::IO",
        "StdLib::ALL",
    ];
    for path in sources {
        let source = fs::read_to_string(&path).unwrap();
        let found: Vec<_> = outside
            .iter()
            .filter(|word| source.contains(**word))
            .collect();
        assert!(found.is_empty(), "{}: {found:?}", path.display());
        let is_script = path.strip_prefix(&root).unwrap().starts_with("script")
            || path.ends_with("src/script.rs");
        let runs_lua = source.contains("mlua::");
        assert!(
            is_script || !runs_lua,
            "{} touches the Lua machine",
            path.display()
        );
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => rust_files(&path, found),
            false if path.extension().is_some_and(|extension| extension == "rs") => {
                found.push(path)
            }
            false => {}
        }
    }
}
