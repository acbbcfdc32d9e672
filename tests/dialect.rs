//! Nothing of Argo CD's or Helm's is ignored: every field, option and annotation they document is in a list.
//! `intents/` holds Applications and what they ask for; `TRYCMD=overwrite` writes the answers and the documentation anew.

#[path = "dialect/documented.rs"]
mod documented;
#[path = "dialect/page.rs"]
mod page;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use controller::access;
use controller::dialect::verdict::{self, Row};
use controller::dialect::{self, Problem, argocd, helm};
use serde_json::Value;
use snapbox::Data;

use documented::{documented, sample};

fn table_of(kind: &str) -> Vec<&'static [Row]> {
    match kind {
        "Application" => vec![argocd::application::SPEC],
        "Operation" => vec![argocd::operation::OPERATION],
        "AppProject" => vec![access::FEATURES],
        "annotation-on-application" => vec![argocd::application::ANNOTATIONS],
        "annotation-on-object" => vec![argocd::object::ANNOTATIONS, helm::ANNOTATIONS],
        "option-of-application" => vec![argocd::options::APPLICATION_SYNC_OPTIONS],
        "option-of-object" => vec![argocd::options::OBJECT_SYNC_OPTIONS],
        "option-of-comparison" => vec![argocd::options::COMPARE_OPTIONS],
        "finalizer" => vec![argocd::application::FINALIZERS],
        other => unreachable!("the lists know no {other}"),
    }
}

#[test]
fn every_documented_field_is_in_a_list() {
    for (kind, path) in documented("fields.txt") {
        let (root, value) = sample(&path);
        let mut refusals = Vec::new();
        let mut table = table_of(&kind)[0].to_vec();
        if kind == "Operation" {
            // A request may name sources as a spec does.
            table.extend(argocd::application::SPEC);
        }
        verdict::walk(&table, &root, &value, &mut refusals);
        let unknown = refusals
            .iter()
            .any(|refusal| refusal.problem == Problem::Unknown);
        assert!(!unknown, "{kind} {path} is in no list");
    }
}

#[test]
fn every_documented_annotation_option_and_finalizer_is_in_a_list() {
    for (kind, name) in documented("names.txt") {
        let known = table_of(&kind)
            .iter()
            .any(|table| verdict::verdict(table, &name).is_some());
        assert!(known, "{kind} {name} is in no list");
    }
}

#[test]
fn every_line_of_a_list_is_documented_by_the_tool() {
    let all: Vec<(String, String)> = documented("fields.txt")
        .into_iter()
        .chain(documented("names.txt"))
        .collect();
    for kind in all
        .iter()
        .map(|(kind, _)| kind.as_str())
        .collect::<std::collections::BTreeSet<_>>()
    {
        let names: Vec<&str> = all
            .iter()
            .filter(|(k, _)| k == kind)
            .map(|(_, name)| name.as_str())
            .collect();
        for (row, _) in table_of(kind).into_iter().flatten() {
            assert!(
                names.iter().any(|name| name.starts_with(row)),
                "{kind} {row} is documented nowhere"
            );
        }
    }
}

#[test]
fn a_field_in_no_list_is_refused_by_its_path() {
    let (root, value) = sample("spec.source.directory.newer");
    let mut refusals = Vec::new();
    verdict::walk(argocd::application::SPEC, &root, &value, &mut refusals);
    let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["unknown: spec.source.directory.newer"]);
}

#[test]
fn applications_ask_for_what_they_say_or_are_refused_by_name() {
    let assert = snapbox::Assert::new().action_env("TRYCMD");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder().join("intents"))
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let yaml = std::fs::read_to_string(&case).expect("a case");
        assert.eq(
            answer(&yaml),
            Data::read_from(&case.with_extension("txt"), None).raw(),
        );
    }
}

/// What an Application or another object asks for, as text.
fn answer(yaml: &str) -> String {
    let object: Value = serde_saphyr::from_str(yaml).expect("YAML");
    let mut text = String::new();
    if object["kind"] == "Application" {
        let application = crds::decode(&object).expect("an Application");
        describe(
            &mut text,
            dialect::intent(&application).map(|intent| format!("{intent:#?}")),
        );
        if application.operation.is_some() {
            let operation = dialect::operation(&application, application.operation.as_ref());
            describe(
                &mut text,
                operation.map(|operation| format!("{:#?}", operation.expect("a request"))),
            );
        }
        let _ = writeln!(text, "{:#?}", dialect::marks(&application));
    } else {
        let defaults = dialect::ObjectDefaults::default();
        let policy = dialect::object_policy(&object["metadata"], defaults);
        describe(&mut text, policy.map(|policy| format!("{policy:#?}")));
        let _ = writeln!(
            text,
            "{:#?}",
            dialect::guards(&object["metadata"], defaults)
        );
        // What can't be read is among the refusals.
        if let Ok(role) = dialect::role(&object["metadata"]) {
            let _ = writeln!(text, "{role:?}");
        }
    }
    text
}

fn describe(text: &mut String, answer: Result<String, Vec<dialect::Refusal>>) {
    let _ = match answer {
        Ok(answer) => writeln!(text, "{answer}"),
        Err(refusals) => refusals
            .iter()
            .try_for_each(|refusal| writeln!(text, "refused: {refusal}")),
    };
}

#[test]
fn the_documentation_shows_the_lists() {
    let path = folder().join("../../docs/applications.md");
    let written = std::fs::read_to_string(&path).expect("docs/applications.md");
    let assert = snapbox::Assert::new().action_env("TRYCMD");
    assert.eq(
        page::with_lists(&written),
        Data::read_from(&path, None).raw(),
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/dialect")
}

#[test]
fn no_other_room_of_the_controller_spells_them() {
    let rooms = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![rooms.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && path != rooms.join("dialect") {
                folders.push(path);
            } else if path.is_file() && !path.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).expect("a source file");
                let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                let spelled = text.contains("argocd.argoproj.io/") || text.contains("helm.sh/");
                found.extend(spelled.then_some(path));
            }
        }
    }
    assert!(found.is_empty(), "spelled outside of dialect/: {found:?}");
}
