//! Why a child gave nothing: which program, what happened, and its own first words.

use std::time::Duration;

/// A program that did not do its work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{program} {why}")]
pub struct ChildError {
    program: String,
    why: Why,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Why {
    #[error("could not be started: {0}")]
    NotStarted(String),
    #[error("did not end within {} s and was stopped", .0.as_secs())]
    Overdue(Duration),
    #[error("wrote more than {} MiB and was stopped", .0 / (1024 * 1024))]
    TooMuch(usize),
    #[error(
        "was ended by signal {0}: it went past its limit of processor time, memory or file size"
    )]
    Killed(i32),
    /// Its own words, first line first.
    #[error("{}", failed(.0))]
    Failed(String),
}

/// Longer lines are cut: they go into the status of an Application.
const LINE: usize = 1000;

impl ChildError {
    pub(super) fn new(program: String, why: Why) -> Self {
        Self { program, why }
    }

    /// It was not started, or not given the time: that says nothing of its input.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self.why, Why::NotStarted(_) | Why::Overdue(_))
    }

    /// All of the program's own words, which may quote its input; `None` unless it refused that, and said why.
    pub(in crate::render) fn said(&self) -> Option<&str> {
        match &self.why {
            Why::Failed(words) => Some(words).filter(|words| !words.trim().is_empty()),
            _ => None,
        }
        .map(String::as_str)
    }
}

fn failed(words: &str) -> String {
    match first_line(words) {
        None => "failed and did not say why".to_owned(),
        Some(line) => format!("failed: {}", cut(line)),
    }
}

/// A line that fits into the status of an Application.
pub(in crate::render) fn cut(line: String) -> String {
    match line.char_indices().nth(LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The first line that says what is wrong, without the program's own mark before it. One that ends in a colon says nothing
/// without those that follow.
pub(in crate::render) fn first_line(words: &str) -> Option<String> {
    let lines: Vec<_> = words.lines().map(str::trim).collect();
    let error = |line: &&str| line.starts_with("Error: ") || line.starts_with("error: ");
    let first = lines.iter().position(error);
    let first = first.or_else(|| lines.iter().position(|line| !line.is_empty()))?;
    let line = lines[first];
    let line = line
        .strip_prefix("Error: ")
        .or(line.strip_prefix("error: "))
        .unwrap_or(line);
    if line.ends_with(':') {
        let more = lines[first + 1..].iter().filter(|line| !line.is_empty());
        let all: Vec<_> = [line].into_iter().chain(more.copied()).collect();
        return Some(all.join(" "));
    }
    Some(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_tells_an_error_is_told() {
        for (words, told) in [
            (
                "# Warning: old field\nError: no such file\nmore\n",
                "failed: no such file",
            ),
            ("\nwent wrong\n", "failed: went wrong"),
            ("", "failed and did not say why"),
            (
                "Error: values don't meet the schema:\nweb:\n- replicas: not a number\n",
                "failed: values don't meet the schema: web: - replicas: not a number",
            ),
        ] {
            assert_eq!(Why::Failed(words.to_owned()).to_string(), told);
        }
        let long = Why::Failed("x".repeat(5000)).to_string();
        assert_eq!(long.chars().count(), "failed: ".len() + LINE + 1);
    }
}
