//! `signet` under the name of `kubeseal` beside upstream's own: the same exit code, outputs and files in every cell of a table.
//! `tests/kubeseal/README.md` tells how a case is written. What the programs do is only compared here, never judged.

#![allow(clippy::panic, reason = "a suite that can't go on fails")]

#[path = "../kubeseal/cases.rs"]
mod cases;
#[path = "../kubeseal/ciphertext.rs"]
mod ciphertext;
#[path = "../dice.rs"]
mod dice;
#[path = "../kubeseal/differences.rs"]
mod differences;
#[path = "../kubeseal/fixtures.rs"]
mod fixtures;
#[path = "../kubeseal/generated.rs"]
mod generated;
#[path = "../testbed/harness.rs"]
mod harness;
#[path = "../kubeseal/normalise.rs"]
mod normalise;
#[path = "../kubeseal/plain.rs"]
mod plain;
#[path = "../kubeseal/programs.rs"]
mod programs;
#[path = "../kubeseal/run.rs"]
mod run;
#[path = "../kubeseal/servers.rs"]
mod servers;
#[path = "../kubeseal/table.rs"]
mod table;
#[path = "../kubeseal/words.rs"]
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::OnceLock;

use cases::{Axes, Case};
use differences::Accepted;
use programs::{Compared, Environment, Programs};
use servers::Servers;
use snapbox::Data;

/// Everything that was compared, once for all tests.
struct Comparison {
    axes: Vec<Axes>,
    compared: Vec<Compared>,
    accepted: Vec<Accepted>,
}

fn comparison() -> &'static Comparison {
    static COMPARISON: OnceLock<Comparison> = OnceLock::new();
    COMPARISON.get_or_init(|| {
        let programs = Programs::new();
        let servers = Servers::start();
        let mut compared = Vec::new();
        let mut compare = |axes: &Axes, rules: &str, environment: Environment<'_>| {
            let cases = [
                axes.cases(&programs.ciphertexts),
                cases::rules(rules, &programs.ciphertexts),
            ]
            .concat();
            compared.extend(programs.compare(&cases, environment));
        };
        let (offline, upstream, ours) = (Axes::offline(), Axes::upstream(), Axes::ours());
        let with_tls = Case::is_about_the_connection;
        compare(&offline, "rules", &|_| Vec::new());
        let there = |case: &Case| servers.upstream(with_tls(case));
        compare(&upstream, "rules-online", &there);
        let here = |case: &Case| servers.ours(with_tls(case));
        compare(&ours, "rules-ours", &here);
        Comparison {
            axes: vec![offline, upstream, ours],
            compared,
            accepted: cases::yaml("differences.yaml"),
        }
    })
}

impl Comparison {
    /// The differences by the first class that accepts them; those that none accepts are under an empty name.
    fn differences(&self) -> BTreeMap<&str, String> {
        let mut shown: BTreeMap<&str, String> = BTreeMap::new();
        for difference in self
            .compared
            .iter()
            .filter_map(|one| one.difference.as_ref())
        {
            let classes = difference.classes(&self.accepted);
            let name = classes.first().map_or("", |class| class.class.as_str());
            let text = shown.entry(name).or_default();
            writeln!(text, "{}", difference.show()).expect("memory");
        }
        shown
    }
}

#[test]
fn every_case_is_as_upstream_has_it_or_an_accepted_difference() {
    let differences = comparison().differences();
    let unknown = differences.get("").map_or("", String::as_str);
    assert!(unknown.is_empty(), "{unknown}");
}

#[test]
fn every_accepted_difference_shows_in_a_case_and_has_its_mark() {
    let comparison = comparison();
    let shown = comparison.differences();
    for row in &comparison.accepted {
        assert!(
            shown.contains_key(row.class.as_str()),
            "no case differs by {}",
            row.class
        );
        assert!(
            row.mark.starts_with('§'),
            "{} names no section: {}",
            row.class,
            row.mark
        );
    }
}

#[test]
fn what_ours_does_in_the_accepted_differences_is_written_down() {
    let comparison = comparison();
    let shown = comparison.differences();
    let assert = snapbox::Assert::new().action_env("TRYCMD");
    for row in &comparison.accepted {
        let text = format!(
            "# {}\nours: {}\ntheirs: {}\n{}\n\n{}",
            row.class,
            row.ours,
            row.theirs,
            row.mark,
            shown[row.class.as_str()]
        );
        let file = fixtures::folder()
            .join("differences")
            .join(format!("{}.txt", row.class.replace(' ', "-")));
        assert.eq(text, Data::read_from(&file, None).raw());
    }
    let written = std::fs::read_dir(fixtures::folder().join("differences"))
        .expect("the folder of differences")
        .count();
    assert_eq!(
        written,
        comparison.accepted.len(),
        "a file of differences belongs to no class"
    );
}

#[test]
fn every_cell_of_the_table_is_covered() {
    let comparison = comparison();
    let table = table::table(&comparison.axes, &comparison.compared, &comparison.accepted);
    snapbox::Assert::new().action_env("TRYCMD").eq(
        table,
        Data::read_from(&fixtures::folder().join("table.md"), None).raw(),
    );
}

#[test]
fn the_page_for_users_has_the_accepted_differences() {
    let file = fixtures::folder().join("../../docs/kubeseal.md");
    let page = std::fs::read_to_string(&file).expect("the page is there");
    let accepted: Vec<Accepted> = cases::yaml("differences.yaml");
    let written = table::on_the_page(&page, &accepted);
    snapbox::Assert::new()
        .action_env("TRYCMD")
        .eq(written, Data::read_from(&file, None).raw());
}

/// As a container has a file of its host. Neither program can put another file in its place.
#[test]
fn a_target_that_is_mounted_by_itself_is_written_in_place() {
    const SCRIPT: &str = r#"
        mount --bind "$2" "$2" || exit
        echo 'stringData: {new: item}' | "$1" --cert "$3" --merge-into "$2"
        code=$?
        umount "$2"
        exit $code"#;
    let programs = Programs::new();
    for program in [&programs.ours, &programs.theirs] {
        let folder = tempfile::tempdir().expect("a folder");
        let target = folder.path().join("target.json");
        std::fs::copy(programs.root.path().join("targets/strict.json"), &target).expect("copied");
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "sh"]).arg(program).arg(&target);
        let status = shell
            .arg(programs.root.path().join("files/cert.pem"))
            .status();
        assert!(status.expect("sh runs").success(), "{}", program.display());
        let merged = std::fs::read_to_string(&target).expect("a file of text");
        assert!(merged.contains("\"new\": "), "{merged}");
    }
}

#[test]
fn generated_secrets_are_sealed_alike() {
    const SEED: u64 = 4;
    const CASES: usize = 60;
    let programs = Programs::new();
    let accepted: Vec<Accepted> = cases::yaml("differences.yaml");
    let compared = programs.compare(&generated::cases(SEED, CASES), &|_| Vec::new());
    assert!(
        compared.iter().filter(|one| one.exit == "0").count() > CASES / 2,
        "most inputs are to be sealed"
    );
    for one in compared {
        if let Some(difference) = one
            .difference
            .filter(|difference| difference.classes(&accepted).is_empty())
        {
            panic!(
                "{}\nof\n{}",
                difference.show(),
                String::from_utf8_lossy(&one.case.input)
            );
        }
    }
}
