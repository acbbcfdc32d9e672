//! Takes out of an outcome what differs from run to run or is merely said in other words.
//! Whatever else differs stays: this file is the only place where the suite looks away.

use std::path::Path;

use super::cases::Case;
use super::ciphertext::{Ciphertexts, Labels};
use super::run::Outcome;

pub(crate) fn normalise(outcome: &Outcome, case: &Case, ciphertexts: &Ciphertexts) -> Outcome {
    let labels = Labels::hinted(given(case), &String::from_utf8_lossy(&case.input));
    let plain = |text: &str| temporary_names(&ciphertexts.open_all(text, labels.clone()), case);
    Outcome {
        exit: outcome.exit.clone(),
        stdout: flag_list(&plain(&outcome.stdout)),
        stderr: item_errors(&stack(&without_log(&plain(&outcome.stderr)))),
        files: outcome
            .files
            .iter()
            .filter(|(name, _)| !is_log(name))
            .map(|(name, content)| (temporary_names(name, case), plain(content)))
            .collect(),
    }
}

/// Every value that the case gives to its flags.
fn given(case: &Case) -> impl Iterator<Item = &str> {
    let words = case.line.arguments.iter().map(|word| value_of(word));
    let values = case.line.environment.iter();
    words.chain(values.map(|(_, value)| value.as_str()))
}

/// The value of `--flag=value`, `-nvalue` or a word.
fn value_of(word: &str) -> &str {
    match word.split_once('=') {
        Some((_, value)) => value,
        None if word.starts_with('-') && !word.starts_with("--") => {
            word.get(2..).unwrap_or_default()
        }
        None => word,
    }
}

/// A temporary file is named after the one it shall become, with something random behind it.
fn temporary_names(text: &str, case: &Case) -> String {
    let mut shown = text.to_owned();
    for name in given(case).filter_map(|path| Path::new(path).file_name()) {
        shown = without_random(&shown, &format!(".{}", name.to_string_lossy()));
    }
    shown
}

fn without_random(text: &str, start: &str) -> String {
    let mut parts = text.split(start);
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let random = part.bytes().take_while(u8::is_ascii_digit).count();
        let beside = shown.ends_with('/') || shown.is_empty();
        shown += start;
        if beside && random > 0 {
            shown += "<random>";
            shown += &part[random..];
        } else {
            shown += part;
        }
    }
    shown
}

/// Flags are described in everybody's own words: names, types and defaults remain.
fn flag_list(text: &str) -> String {
    let mut shown = String::new();
    for line in text.split_inclusive('\n') {
        if !line.starts_with("  ") || !line.trim_start().starts_with('-') {
            shown += line;
            continue;
        }
        let flag = line.trim();
        let (name, description) = flag.split_once("   ").unwrap_or((flag, ""));
        let default = description
            .rfind("(default ")
            .map_or("", |at| &description[at..]);
        shown += format!("  {name} {default}").trim_end();
        shown += "\n";
    }
    shown
}

/// What Go's libraries log when they are asked to: `I0102 15:04:05.678 file.go:1] …`.
fn without_log(text: &str) -> String {
    let is_log = |line: &str| {
        let (level, rest) = line.split_at_checked(1).unwrap_or_default();
        "IWEF".contains(level)
            && !level.is_empty()
            && rest.len() > 4
            && rest.bytes().take(4).all(|byte| byte.is_ascii_digit())
    };
    text.split_inclusive('\n')
        .filter(|line| !is_log(line))
        .collect()
}

/// A file of such lines.
fn is_log(name: &str) -> bool {
    name.starts_with("tmp/kubeseal.") && name.contains(".log.")
}

/// Where a Go program panicked is of no interest.
fn stack(text: &str) -> String {
    match text.find("\ngoroutine ") {
        Some(at) => format!("{}\n<stack>\n", &text[..at]),
        None => text.to_owned(),
    }
}

/// Upstream tells failed items in random order, of groups and within a group.
fn item_errors(text: &str) -> String {
    const PREFIX: &str = "error: ";
    let group = |line: &str| line.ends_with(')') && line.contains(" (");
    let Some(errors) = text
        .strip_prefix(PREFIX)
        .filter(|errors| errors.lines().all(group))
    else {
        return text.to_owned();
    };
    let mut lines: Vec<String> = errors.lines().map(sorted_keys).collect();
    lines.sort();
    format!("{PREFIX}{}\n", lines.join("\n"))
}

fn sorted_keys(line: &str) -> String {
    let Some((message, keys)) = line.trim_end_matches(')').rsplit_once(" (") else {
        return line.to_owned();
    };
    let mut keys: Vec<&str> = keys.split(", ").collect();
    keys.sort_unstable();
    format!("{message} ({})", keys.join(", "))
}
