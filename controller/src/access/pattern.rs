//! One pattern of a project: a glob, or with `!` in front a denial.
//! It must not guess: a pattern that could be read in two ways is refused when the project is read.

use globset::{GlobBuilder, GlobMatcher};

use crate::repositories::redacted;

/// Whether `*` stops at `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    /// `*` matches everything: names, namespaces, kinds, servers.
    None,
    /// `*` stays within one part of a path, `**` does not: repositories. A lone `*` still matches everything.
    Slash,
}

/// A glob, and whether it allows or denies.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) denies: bool,
    text: String,
    /// `None` when the text has no wildcard and is compared as it is.
    glob: Option<GlobMatcher>,
}

impl Pattern {
    /// Reads a pattern; a message says what is wrong with it.
    pub(super) fn new(pattern: &str, separator: Separator) -> Result<Self, String> {
        let (denies, text) = match pattern.strip_prefix('!') {
            Some(text) => (true, text),
            None => (false, pattern),
        };
        if denies && matches!(text, "" | "*" | "**") {
            return Err(format!(
                "found {}, which would deny everything",
                shown(pattern)
            ));
        }
        if separator == Separator::Slash
            && text
                .split('/')
                .any(|part| part != "**" && part.contains("**"))
        {
            return Err(format!(
                "found {}, expected ** between slashes only",
                shown(pattern)
            ));
        }
        Ok(Self {
            denies,
            text: text.to_owned(),
            glob: glob(text, separator)?,
        })
    }

    /// Whether the pattern, without its `!`, matches.
    pub(super) fn hits(&self, value: &str) -> bool {
        match &self.glob {
            _ if self.text == "*" => true,
            Some(glob) => glob.is_match(value),
            None => self.text == value,
        }
    }

    /// The pattern is this very text, without any wildcard.
    pub(super) fn is_literally(&self, value: &str) -> bool {
        !self.denies && self.glob.is_none() && self.text == value
    }
}

/// As a message quotes it: it may be a URL with a login in it.
fn shown(pattern: &str) -> String {
    format!("\"{}\"", redacted(pattern))
}

fn glob(text: &str, separator: Separator) -> Result<Option<GlobMatcher>, String> {
    if !text.contains(['*', '?', '[', '{', '\\']) {
        return Ok(None);
    }
    let built = GlobBuilder::new(text)
        .literal_separator(separator == Separator::Slash)
        .build();
    let glob = built
        .map_err(|cause| format!("found {}, expected a glob: {}", shown(text), cause.kind()))?;
    Ok(Some(glob.compile_matcher()))
}

/// Allowed when one pattern allows it and none denies it.
pub(super) fn permits(patterns: &[Pattern], value: &str) -> bool {
    let hits = |denies| {
        patterns
            .iter()
            .any(|pattern| pattern.denies == denies && pattern.hits(value))
    };
    hits(false) && !hits(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(texts: &[&str], separator: Separator) -> Vec<Pattern> {
        texts
            .iter()
            .map(|text| Pattern::new(text, separator).expect("a pattern"))
            .collect()
    }

    #[test]
    fn what_an_allow_matches_and_no_deny_matches_is_permitted() {
        for (texts, value, permitted) in [
            (vec!["*"], "web", true),
            (vec!["*"], "", true),
            (vec![], "web", false),
            (vec!["web"], "web", true),
            (vec!["web"], "web2", false),
            (vec!["team-*"], "team-a", true),
            (vec!["team-?"], "team-ab", false),
            (vec!["team-{a,b}"], "team-b", true),
            (vec!["team-[!a]"], "team-a", false),
            (vec!["!kube-system"], "web", false),
            (vec!["*", "!kube-*"], "web", true),
            (vec!["*", "!kube-*"], "kube-system", false),
            (vec!["!kube-*", "kube-system"], "kube-system", false),
        ] {
            assert_eq!(
                permits(&patterns(&texts, Separator::None), value),
                permitted,
                "{texts:?} {value}"
            );
        }
    }

    #[test]
    fn a_star_in_a_repository_stays_within_one_part_of_the_path() {
        for (text, value, permitted) in [
            (
                "https://git.example.org/shop/*",
                "https://git.example.org/shop/config",
                true,
            ),
            (
                "https://git.example.org/shop/*",
                "https://git.example.org/shop/a/config",
                false,
            ),
            (
                "https://git.example.org/shop/**",
                "https://git.example.org/shop/a/config",
                true,
            ),
            (
                "https://git.example.org/shop/**",
                "https://git.example.org/shop-evil/config",
                false,
            ),
            (
                "https://git.example.org/*/config",
                "https://git.example.org/shop/config",
                true,
            ),
            ("*", "https://git.example.org/shop/a/config", true),
        ] {
            assert_eq!(
                permits(&patterns(&[text], Separator::Slash), value),
                permitted,
                "{text} {value}"
            );
        }
    }

    #[test]
    fn a_pattern_that_could_be_read_in_two_ways_is_refused() {
        for (text, separator) in [
            ("!*", Separator::None),
            ("!", Separator::None),
            ("!**", Separator::None),
            ("a[b", Separator::None),
            ("{a", Separator::None),
            ("https://git.example.org**", Separator::Slash),
            ("https://me:secret@git.example.org**", Separator::Slash),
            ("https://me:secret@git.example.org/[", Separator::None),
        ] {
            let refused = Pattern::new(text, separator).unwrap_err();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }

    #[test]
    fn only_a_name_without_wildcards_is_literal() {
        for (text, literal) in [
            ("signet", true),
            ("*", false),
            ("signe?", false),
            ("!signet", false),
            ("other", false),
        ] {
            let pattern = Pattern::new(text, Separator::None).expect("a pattern");
            assert_eq!(pattern.is_literally("signet"), literal, "{text}");
        }
    }
}
