//! No command without a transcript of help, success and misuse; no error text that no golden file shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A command line in a transcript and how it ended: nothing for 0.
struct Run {
    command: String,
    status: Option<String>,
}

fn transcripts() -> Vec<String> {
    let folders = [super::folder(), super::folder().join("kubeseal")];
    let transcripts = folders.iter().flat_map(|folder| files(folder, "trycmd"));
    transcripts.collect()
}

/// What errors say that no command can be brought to say: unit tests provoke them.
fn provoked() -> Vec<String> {
    files(&super::folder().join("../errors"), "txt")
}

/// What is in each file of `folder` whose name ends so.
fn files(folder: &Path, extension: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    paths
        .filter(|path| path.extension().is_some_and(|ending| ending == extension))
        .map(|path| fs::read_to_string(path).expect("a readable file"))
        .collect()
}

fn runs() -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for text in transcripts() {
        for line in text.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                runs.push(Run {
                    command: command.to_owned(),
                    status: None,
                });
            } else if let (Some(status), Some(run)) = (line.strip_prefix("? "), runs.last_mut()) {
                run.status.get_or_insert(status.to_owned());
            }
        }
    }
    runs
}

/// The commands without subcommands, found by asking for help all the way down.
fn leaves(path: &[String]) -> Vec<Vec<String>> {
    let output = Command::new(super::SIGNET)
        .args(path)
        .arg("--help")
        .output()
        .expect("signet runs");
    let help = String::from_utf8(output.stdout).expect("help is text");
    let commands = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty());
    let names: Vec<&str> = commands
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    if names.is_empty() {
        return vec![path.to_vec()];
    }
    names
        .iter()
        .flat_map(|name| leaves(&[path, &[(*name).to_owned()]].concat()))
        .collect()
}

#[test]
fn each_command_shows_its_help_a_success_and_a_misuse() {
    let runs = runs();
    let leaves = leaves(&[]);
    assert!(
        leaves.len() >= 10,
        "the command tree was not found: {leaves:?}"
    );
    let mut missing = Vec::new();
    for leaf in leaves {
        let prefix = format!("signet {}", leaf.join(" "));
        let of_command: Vec<&Run> = runs
            .iter()
            .filter(|run| run.command.contains(&prefix))
            .collect();
        let is_help = |run: &&&Run| run.command == format!("{prefix} --help");
        let has = [
            ("help", of_command.iter().any(|run| is_help(&run))),
            (
                "success",
                of_command
                    .iter()
                    .any(|run| !is_help(&run) && run.status.is_none()),
            ),
            (
                "misuse",
                of_command
                    .iter()
                    .any(|run| run.status.as_deref() == Some("2")),
            ),
        ];
        missing.extend(
            has.into_iter()
                .filter(|(_, has)| !has)
                .map(|(what, _)| format!("{prefix}: {what}")),
        );
    }
    assert!(
        missing.is_empty(),
        "no transcript of:\n{}",
        missing.join("\n")
    );
}

#[test]
fn each_error_text_is_shown_in_a_golden_file() {
    let cli = Path::new(env!("CARGO_MANIFEST_DIR"));
    let golden = [transcripts(), provoked()].concat();
    // What the libraries say is shown as a cause.
    let mut errors = error_texts(&cli.join("src"));
    errors.extend(error_texts(&cli.join("../sealing/src")));
    errors.extend(error_texts(&cli.join("../health/src")));
    assert!(errors.len() >= 30, "the errors were not found: {errors:?}");
    let texts: Vec<&str> = errors.keys().map(String::as_str).collect();
    let shown: BTreeSet<&str> = golden
        .iter()
        .flat_map(|text| text.lines())
        .flat_map(pieces)
        .filter_map(|piece| closest(piece, &texts))
        .collect();
    let missing: Vec<String> = errors
        .iter()
        .filter(|(text, _)| !shown.contains(text.as_str()))
        .map(|(text, file)| format!("{file}: {text}"))
        .collect();
    assert!(
        missing.is_empty(),
        "no golden file shows:\n{}",
        missing.join("\n")
    );
}

/// Text of each `#[error("…")]` below `folder`, and the file it is in.
fn error_texts(folder: &Path) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            texts.extend(error_texts(&path));
            continue;
        }
        let source = fs::read_to_string(&path).expect("a readable source");
        for piece in source.split("#[error(").skip(1) {
            // Of a text of several lines the first is enough.
            let first_line = literal(piece).and_then(|text| text.split("\\n").next());
            texts.extend(
                first_line.map(|text| (text.replace('\\', ""), path.display().to_string())),
            );
        }
    }
    // What has no words of its own only joins others, which are looked for by themselves.
    texts.retain(|text, _| words(text) > 0);
    texts
}

/// The text between the quotes that `source` begins with.
fn literal(source: &str) -> Option<&str> {
    let rest = source.trim_start().strip_prefix('"')?;
    let mut ends = rest.match_indices('"').map(|(at, _)| &rest[..at]);
    ends.find(|text| !text.ends_with('\\'))
}

/// What can be a text by itself in a line: everything between its beginning, its end and the colons in it; before a
/// bracket the items that a text is about are told.
fn pieces(line: &str) -> impl Iterator<Item = &str> {
    const JOINT: &str = ": ";
    let starts =
        std::iter::once(0).chain(line.match_indices(JOINT).map(|(at, _)| at + JOINT.len()));
    starts.flat_map(move |start| {
        let ends_at = move |end| {
            line[start..]
                .match_indices(end)
                .map(move |(at, _)| start + at)
        };
        let inner = ends_at(JOINT).chain(ends_at(" ("));
        let ends = inner.chain(std::iter::once(line.len()));
        ends.map(move |end| &line[start..end])
    })
}

/// Of the texts that say the whole of `piece`, the one with the most words of its own: a line shows no vaguer one.
fn closest<'text>(piece: &str, texts: &[&'text str]) -> Option<&'text str> {
    let fitting = texts.iter().filter(|text| says(text, piece));
    fitting.copied().max_by_key(|text| words(text))
}

/// How much of an error text is said whatever is filled in.
fn words(text: &str) -> usize {
    let letters = |part: &str| part.chars().filter(|letter| letter.is_alphabetic()).count();
    fixed_parts(text).map(letters).sum()
}

fn fixed_parts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split('{');
    parts.map(|part| part.split_once('}').map_or(part, |(_, after)| after))
}

/// Whether an error text with something filled in is `piece`, from beginning to end.
fn says(text: &str, piece: &str) -> bool {
    let mut parts: Vec<&str> = fixed_parts(text).collect();
    let last = parts.pop().unwrap_or_default();
    let Some((first, inner)) = parts.split_first() else {
        return piece == last;
    };
    let Some(mut rest) = piece.strip_prefix(first) else {
        return false;
    };
    for part in inner {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
