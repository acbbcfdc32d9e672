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
    #[error("{}", first_line(.0))]
    Failed(String),
}

/// Longer lines are cut: they go into the status of an Application.
const LINE: usize = 1000;

impl ChildError {
    pub(super) fn new(program: String, why: Why) -> Self {
        Self { program, why }
    }

    /// The program worked and refused its input, as against a limit or a broken installation.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.why, Why::Failed(_))
    }
}

/// The first line that says what is wrong, without the program's own mark before it.
fn first_line(words: &str) -> String {
    let mut lines = words.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = lines.clone().find_map(|line| {
        line.strip_prefix("Error: ")
            .or(line.strip_prefix("error: "))
    });
    match error.or_else(|| lines.next()) {
        None => "failed and did not say why".to_owned(),
        Some(line) if line.chars().count() > LINE => {
            format!("failed: {}…", line.chars().take(LINE).collect::<String>())
        }
        Some(line) => format!("failed: {line}"),
    }
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
        ] {
            assert_eq!(Why::Failed(words.to_owned()).to_string(), told);
        }
        let long = Why::Failed("x".repeat(5000)).to_string();
        assert_eq!(long.chars().count(), "failed: ".len() + LINE + 1);
    }
}
