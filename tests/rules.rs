//! Every rule of `docs/rules.md` names a proof that exists, and every golden plan proves one of the rules.
//! Whether a proof is one is for its reader to judge; what is looked at here are names.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_rule_has_a_proof_and_every_golden_plan_a_rule() {
    let page = fs::read_to_string(checkout().join("docs/rules.md")).unwrap();
    let problems = problems(&page);
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn a_row_that_is_none_is_told() {
    let row = "| sync-claim | Two columns. |";
    complains(row, &format!("{row}: expected id, rule and proof"));
    let row = "| sync-claim | | `waves_wait_for_health` |";
    complains(row, "sync-claim says nothing");
    let row = "| sync-claim | A rule. | `waves_wait_for_health` and more |";
    complains(
        row,
        "sync-claim: expected names in backticks, parted by commas",
    );
}

#[test]
fn ids_are_well_formed_and_given_once() {
    let row = |id| format!("| {id} | A rule. | `waves_wait_for_health` |");
    for id in ["sync", "Sync-claim", "sync--claim", "sync_claim", "2-sync"] {
        complains(&row(id), &format!("{id} is no id such as sync-claim"));
    }
    let twice = [row("sync-claim"), row("sync-claim")].join("\n");
    complains(&twice, "sync-claim is there twice");
}

#[test]
fn a_rule_without_proof_or_with_one_that_is_not_there_is_told() {
    let row = |proof: &str| format!("| sync-claim | A rule. | {proof} |");
    complains(&row(""), "sync-claim has no proof");
    let second = row("`waves_wait_for_health`, `no_such_folder`");
    complains(&second, "sync-claim: no golden plan no_such_folder");
    for test in [
        "rules::no_such_test",
        "rules::problems",
        "no_such_suite::waves_wait_for_health",
        "git::tls::in_a_process_that_trusts_the_certificate",
    ] {
        let row = row(&format!("`{test}`"));
        complains(&row, &format!("sync-claim: no test {test}"));
    }
}

#[test]
fn a_rule_that_is_shown_on_a_part_alone_is_told() {
    let row = |proof: &str| format!("| sync-claim | A rule. | {proof} |");
    let part = "`rules::ids_are_well_formed_and_given_once`";
    complains(
        &row(part),
        "sync-claim is shown on a part alone, expected a golden plan or a test against a real control plane",
    );
    let both = format!("{part}, `waves_wait_for_health`");
    let problems = problems(&format!("| id | rule | proof |\n{}\n", row(&both)));
    assert!(
        !problems
            .iter()
            .any(|problem| problem.starts_with("sync-claim"))
    );
}

#[test]
fn a_function_is_a_test_where_its_attributes_say_so() {
    let found = |source| is_test(source, "name");
    assert!(found("#[test]\nfn name() {"));
    assert!(found(
        "#[tokio::test(start_paused = true)]\n    #[should_panic]\n    async fn name() {"
    ));
    assert!(!found("#[test]\nfn names() {"));
    assert!(!found("#[test]\nfn other() {}\n\nfn name() {"));
    assert!(!found("#[test]\n#[ignore = \"slow\"]\nfn name() {"));
    assert!(!found("// #[test]\nfn name() {"));
}

#[test]
fn a_golden_plan_without_a_rule_is_told() {
    let row = "| sync-claim | A rule. | `waves_wait_for_health` |";
    complains(row, "a_deleted_object_comes_back proves no rule");
}

#[test]
fn a_link_to_nowhere_and_a_difference_without_a_link_are_told() {
    let link = "[page](decisions/differs-from-argo-nothing.md#why)";
    complains(link, "no page decisions/differs-from-argo-nothing.md");
    complains("", "decisions/differs-from-argo-hooks.md is not linked");
}

/// Of a page of these rows, this is said.
#[track_caller]
fn complains(rows: &str, complaint: &str) {
    let problems = problems(&format!("| id | rule | proof |\n{rows}\n"));
    let said = problems.iter().any(|problem| problem == complaint);
    assert!(said, "no {complaint:?} in {problems:#?}");
}

/// All that is wrong with a page, about this checkout.
fn problems(page: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut ids = BTreeSet::new();
    let mut named = BTreeSet::new();
    let rows = page.lines().filter(|line| line.starts_with('|'));
    for row in rows.filter(|row| !row.starts_with("| id |") && !row.starts_with("|---")) {
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let ["", id, sentence, proof, ""] = columns[..] else {
            problems.push(format!("{row}: expected id, rule and proof"));
            continue;
        };
        let proofs: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        let mut between = proof.split('`').step_by(2);
        let missing = proofs.iter().filter_map(|proof| missing(proof));
        problems.extend(missing.map(|missing| format!("{id}: no {missing}")));
        let wrong = [
            (!is_id(id), " is no id such as sync-claim"),
            (!ids.insert(id), " is there twice"),
            (sentence.is_empty(), " says nothing"),
            (proofs.is_empty(), " has no proof"),
            (
                !proofs.is_empty() && !proofs.iter().any(|proof| is_whole(proof)),
                " is shown on a part alone, expected a golden plan or a test against a real control plane",
            ),
            (
                !between.all(|text| text.is_empty() || text == ", "),
                ": expected names in backticks, parted by commas",
            ),
        ];
        let wrong = wrong.into_iter().filter(|(is_wrong, _)| *is_wrong);
        problems.extend(wrong.map(|(_, what)| format!("{id}{what}")));
        named.extend(proofs);
    }
    let plans = folder("tests/plans")
        .into_iter()
        .filter(|(path, _)| path.is_dir());
    let unnamed = plans.filter(|(_, plan)| !named.contains(plan.as_str()));
    problems.extend(unnamed.map(|(_, plan)| format!("{plan} proves no rule")));
    problems.extend(of_links(page));
    problems
}

/// Links to nowhere, and pages on deliberate differences that no link leads to.
fn of_links(page: &str) -> Vec<String> {
    let links = links(page);
    let exists = |link: &&str| checkout().join("docs").join(link).exists();
    let dead = links.iter().filter(|link| !exists(link));
    let mut problems: Vec<String> = dead.map(|link| format!("no page {link}")).collect();
    let pages = folder("docs/decisions").into_iter().map(|(_, page)| page);
    let differences = pages.filter(|page| page.starts_with("differs-from-argo-"));
    let linked = differences.map(|page| format!("decisions/{page}"));
    let unlinked = linked.filter(|page| !links.contains(page.as_str()));
    problems.extend(unlinked.map(|page| format!("{page} is not linked")));
    problems
}

/// A chapter, and what it is about: words of small letters, parted by hyphens.
fn is_id(id: &str) -> bool {
    let is_word = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .is_some_and(|first| first.is_ascii_lowercase())
            && letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    id.contains('-') && id.split('-').all(is_word)
}

/// The proof shows the rule on a whole World, or on a real control plane.
fn is_whole(proof: &str) -> bool {
    let suite = proof.split_once("::").map(|(suite, _)| suite);
    suite.is_none_or(|suite| ["plans", "cluster", "faults"].contains(&suite))
}

/// What is missing of a proof: the golden plan, or the test of a suite.
fn missing(proof: &str) -> Option<String> {
    let Some((suite, name)) = proof.rsplit_once("::") else {
        let plan = checkout().join("tests/plans").join(proof).join("plan.txt");
        return (!plan.is_file()).then(|| format!("golden plan {proof}"));
    };
    let mut sources = sources(suite).into_iter();
    let is_there = sources.any(|source| is_test(&source, name));
    (!is_there).then(|| format!("test {proof}"))
}

/// What the files of `a::b` say: `tests/a/b.rs`, `a/src/b.rs`, and those in folders of these names.
fn sources(suite: &str) -> Vec<String> {
    let path = suite.replace("::", "/");
    let (first, rest) = path.split_once('/').unwrap_or((&path, ""));
    let test = checkout().join("tests").join(&path);
    let unit = checkout().join(first).join("src").join(rest);
    let mut open = vec![
        test.with_extension("rs"),
        unit.with_extension("rs"),
        test,
        unit,
    ];
    let mut sources = Vec::new();
    while let Some(path) = open.pop() {
        if let Ok(entries) = fs::read_dir(&path) {
            open.extend(entries.map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|end| end == "rs") {
            sources.extend(fs::read_to_string(path).ok());
        }
    }
    sources
}

/// A function of that name is a test, and one that is not left out.
fn is_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let starts = [format!("fn {name}("), format!("async fn {name}(")];
    lines.iter().enumerate().any(|(at, line)| {
        let above = lines[..at].iter().rev();
        let attributes: Vec<_> = above.take_while(|line| line.starts_with("#[")).collect();
        let has = |start: &str| attributes.iter().any(|line| line.starts_with(start));
        let is_named = starts.iter().any(|start| line.starts_with(start));
        is_named && (has("#[test]") || has("#[tokio::test")) && !has("#[ignore")
    })
}

/// Pages and files that are linked, without their anchors.
fn links(page: &str) -> BTreeSet<&str> {
    let links = page.split("](").skip(1);
    let files = links.filter_map(|rest| rest.split([')', '#']).next());
    files.filter(|file| !file.is_empty()).collect()
}

/// What is in a folder, with its name.
fn folder(path: &str) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(checkout().join(path))
        .unwrap()
        .map(Result::unwrap);
    let named = entries.map(|entry| (entry.path(), entry.file_name().into_string().unwrap()));
    named.collect()
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
