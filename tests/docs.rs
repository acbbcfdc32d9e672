//! Executes the console blocks of README.md and docs/ as a reader would, and compares what they print.
//! A page is one shell session on a cluster of its own; `tests/demo` brings its own cluster and runs outside of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on fails"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use snapbox::{Assert, Data, IntoData as _};

/// Printed before a command's output and with its exit code after it, so that one session can be taken apart again.
const BEFORE: &str = "--- docs:";
const AFTER: &str = "--- exit:";

/// A reader has told git who he is, and nothing else counts here of whoever runs the suite.
const GIT: [(&str, &str); 5] = [
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_AUTHOR_NAME", "You"),
    ("GIT_AUTHOR_EMAIL", "you@example.com"),
    ("GIT_COMMITTER_NAME", "You"),
    ("GIT_COMMITTER_EMAIL", "you@example.com"),
];

/// One `$ ` line (with its continuations) and what the page says it prints.
#[derive(Debug, PartialEq)]
struct Example {
    line: usize,
    command: String,
    output: String,
}

#[test]
fn every_console_block_prints_what_its_page_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut pages = markdown(&root.join("docs"));
    pages.push(root.join("README.md"));
    pages.sort();
    let executed: usize = pages.iter().map(|page| execute(root, page)).sum();
    assert!(executed > 0, "no page has a console block");
}

#[test]
fn the_blocks_of_the_readme_are_executed_but_the_command_that_ci_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains("\n```sh\ntests/run\n```\n"));
    let fences = readme.lines().filter_map(|line| line.strip_prefix("```"));
    let others: Vec<&str> = fences
        .filter(|language| !language.is_empty() && *language != "console")
        .collect();
    assert_eq!(others, ["sh"]);
    assert!(
        fs::read_to_string(root.join(".ci/run"))
            .unwrap()
            .contains("tests/run")
    );
}

#[test]
#[should_panic(expected = "ended with 1")]
fn an_example_that_fails_is_noticed_behind_an_ellipsis() {
    let example = Example {
        line: 1,
        command: "false".to_owned(),
        output: "...\n".to_owned(),
    };
    compare("page:1", &example, "x\n--- exit:1\n");
}

#[test]
fn every_page_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let named = Command::new("git")
        .args(["grep", "--only-matching", "-h", "-E", "docs/[a-z/-]+[.]md"])
        .current_dir(root)
        .output()
        .unwrap();
    let named = String::from_utf8(named.stdout).unwrap();
    let missing: Vec<&str> = named
        .lines()
        .filter(|page| !root.join(page).exists())
        .collect();
    assert!(missing.is_empty(), "no such page: {missing:?}");
}

#[test]
fn a_command_ends_where_its_continuations_end() {
    let page = "text\n```console\n$ one \\\n    two\nout\n$ three\n```\n";
    let example = |line, command: &str, output: &str| Example {
        line,
        command: command.to_owned(),
        output: output.to_owned(),
    };
    assert_eq!(
        examples(page),
        [
            example(3, "one \\\n    two", "out\n"),
            example(6, "three", "")
        ]
    );
}

/// Executes a page's examples and returns how many there were.
fn execute(root: &Path, page: &Path) -> usize {
    let examples = examples(&fs::read_to_string(page).unwrap());
    let (outside, inside): (Vec<_>, Vec<_>) = examples
        .iter()
        .partition(|example| example.command.starts_with("tests/demo"));
    session(root, page, &outside, Command::new("bash"));
    let mut testbed = Command::new(root.join("tests/testbed/with"));
    testbed.arg("bash");
    session(root, page, &inside, testbed);
    examples.len()
}

/// One shell for all of them, in an empty folder that has the checkout's files at hand.
fn session(root: &Path, page: &Path, examples: &[&Example], mut shell: Command) {
    if examples.is_empty() {
        return;
    }
    let desk = tempfile::tempdir().unwrap();
    for name in ["crds", "deploy", "tests"] {
        symlink(root.join(name), desk.path().join(name)).unwrap();
    }
    let script = desk.path().join(".script");
    let line =
        |example: &&Example| format!("echo '{BEFORE}'\n{}\necho \"{AFTER}$?\"\n", example.command);
    fs::write(&script, examples.iter().map(line).collect::<String>()).unwrap();
    let programs = PathBuf::from(env!("CARGO_BIN_EXE_signet-controller"));
    let path = format!(
        "{}:{}",
        programs.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let output = shell
        .arg("-c")
        .arg("exec 2>&1; source .script")
        .current_dir(desk.path())
        .env("PATH", path)
        .env("COLUMNS", "100")
        .envs(GIT)
        .output()
        .unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    let separator = format!("{BEFORE}\n");
    let mut sections = output.split(&separator).skip(1);
    for example in examples {
        let place = format!(
            "{}:{}",
            page.strip_prefix(root).unwrap().display(),
            example.line
        );
        let section = sections
            .next()
            .unwrap_or_else(|| panic!("{place}: not reached\n{output}"));
        compare(&place, example, section);
    }
}

/// Every example ends well. That is looked at first, since a `...` at the end of a page's output takes in anything.
fn compare(place: &str, example: &Example, section: &str) {
    let command = &example.command;
    let (seen, code) = section.rsplit_once(AFTER).unwrap_or((section, "none"));
    assert!(
        code.trim() == "0",
        "{place}: $ {command}\nended with {}\n{seen}",
        code.trim()
    );
    let expected = Data::text(example.output.clone());
    if let Err(difference) =
        Assert::new().try_eq(Some(&place), seen.to_owned().into_data(), expected)
    {
        panic!("{place}: $ {command}\n{difference}");
    }
}

/// The examples in the ```console blocks of a page.
fn examples(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let (mut in_block, mut continued) = (false, false);
    for (number, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            in_block = line == "```console";
            continue;
        }
        if !in_block {
            continue;
        }
        let command = line.strip_prefix("$ ");
        let more = line.ends_with('\\');
        match (command, examples.last_mut()) {
            (Some(command), _) => examples.push(Example {
                line: number + 1,
                command: command.to_owned(),
                output: String::new(),
            }),
            (None, Some(example)) if continued => example.command.push_str(&format!("\n{line}")),
            (None, Some(example)) => example.output.push_str(&format!("{line}\n")),
            (None, None) => panic!("line {}: output without a command", number + 1),
        }
        continued = more && (continued || command.is_some());
    }
    examples
}

fn markdown(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => markdown(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}
