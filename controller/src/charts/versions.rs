//! Which of a chart's versions is meant: an exact one, the newest of a range, or the newest of all.
//! It knows no index and no registry.

use sealing::go::semver::{Constraint, Version};

use super::error::Names;

/// How many versions a message names.
const SHOWN: usize = 5;

/// What `targetRevision` asks for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    text: String,
    range: Constraint,
}

impl Wanted {
    /// Reads a version or a range; nothing means every release. `None` when it is neither.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let range = if text.is_empty() { "*" } else { text };
        Some(Self {
            range: Constraint::parse(range).ok()?,
            text: text.to_owned(),
        })
    }

    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The version itself, when it is one: Helm takes it as a registry's tag without asking for the others.
    pub(super) fn exact(&self) -> Option<&str> {
        Version::parse(&self.text).ok().map(|_| self.text.as_str())
    }

    /// The one of `versions` that is meant: the same text, else the newest that the range allows.
    pub(super) fn choose<'a>(&self, versions: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        let mut best: Option<(Version, &str)> = None;
        for text in versions {
            if text == self.text {
                return Some(text);
            }
            let Some(version) = Version::parse(text)
                .ok()
                .filter(|one| self.range.allows(one))
            else {
                continue;
            };
            let newer = |(known, _): &(Version, &str)| version.compare(known).is_gt();
            if best.as_ref().is_none_or(newer) {
                best = Some((version, text));
            }
        }
        best.map(|(_, text)| text)
    }
}

/// The newest few of `versions`, releases or not, for a message.
pub(super) fn newest<'a>(versions: impl Iterator<Item = &'a str>) -> Names {
    let mut read: Vec<(Version, &str)> = versions
        .filter_map(|text| Some((Version::parse(text).ok()?, text)))
        .collect();
    read.sort_by(|(left, _), (right, _)| right.compare(left));
    let shown = read.into_iter().take(SHOWN);
    Names::new("newest", shown.map(|(_, text)| text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: [&str; 9] = [
        "1.2.0",
        "1.10.0",
        "1.2.3",
        "v1.3.0",
        "2.0.0-rc.1",
        "2.0.0-rc.10",
        "0.9.0+build.7",
        "latest",
        "1.2.3",
    ];

    fn chosen(wanted: &str) -> Option<&'static str> {
        Wanted::parse(wanted).unwrap().choose(VERSIONS.into_iter())
    }

    #[test]
    fn the_same_text_wins_and_a_range_means_its_newest_release() {
        for (wanted, expected) in [
            ("1.2.0", Some("1.2.0")),
            ("v1.2.0", Some("1.2.0")),
            ("1.3.0", Some("v1.3.0")),
            ("1.2", Some("1.2.3")),
            ("~1.2", Some("1.2.3")),
            ("1.x", Some("1.10.0")),
            (">=1.2 <1.10", Some("v1.3.0")),
            ("", Some("1.10.0")),
            ("*", Some("1.10.0")),
            ("0.9.0", Some("0.9.0+build.7")),
            ("3.x", None),
            ("1.2.4", None),
        ] {
            assert_eq!(chosen(wanted), expected, "{wanted}");
        }
    }

    #[test]
    fn pre_releases_are_meant_only_where_the_range_names_one() {
        assert_eq!(chosen(">=1"), Some("1.10.0"));
        assert_eq!(chosen(">=1-0"), Some("2.0.0-rc.10"));
        assert_eq!(chosen("2.0.0-rc.1"), Some("2.0.0-rc.1"));
    }

    #[test]
    fn what_is_neither_version_nor_range_is_refused() {
        assert!(Wanted::parse("main").is_none());
        assert!(Wanted::parse("HEAD").is_none());
    }

    #[test]
    fn a_version_is_exact_and_a_range_is_not() {
        for (text, exact) in [
            ("1.2.3", true),
            ("v1.2", true),
            ("1.x", false),
            ("", false),
            ("~1", false),
        ] {
            assert_eq!(
                Wanted::parse(text).unwrap().exact().is_some(),
                exact,
                "{text}"
            );
        }
    }

    #[test]
    fn the_newest_five_are_named() {
        let names = newest(VERSIONS.into_iter());
        assert_eq!(
            names.to_string(),
            " (newest: 2.0.0-rc.10, 2.0.0-rc.1, 1.10.0, v1.3.0, 1.2.3)"
        );
    }
}
