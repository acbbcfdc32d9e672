//! What a Helm repository's index says of its charts: their versions, where their archives are, and their digests.
//! It keeps nothing else of an index and asks no server.

mod characters;
mod events;
mod read;

use std::collections::BTreeMap;

pub(super) use read::{Unreadable, read};

use super::{error::Names, hex};

/// Names alike enough to be shown for one that is not there; clap shows arguments by the same measure.
const ALIKE: f64 = 0.75;
/// How many of them.
const SHOWN: usize = 3;

/// An index, as far as charts are found with it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    charts: BTreeMap<Box<str>, Vec<Release>>,
}

/// One version of a chart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Release {
    pub(super) version: Box<str>,
    /// Absolute, or relative to the repository's URL.
    pub(super) url: Box<str>,
    pub(super) digest: Digest,
}

/// What an index says of the archive's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Nothing,
    Sha256([u8; 32]),
    /// Text that is no SHA-256 digest.
    Unknown,
}

impl Digest {
    /// Reads 64 hexadecimal digits, with or without `sha256:` before them.
    fn parse(text: &str) -> Self {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        if digits.is_empty() {
            return Self::Nothing;
        }
        let mut bytes = [0; 32];
        let pairs = digits.as_bytes().chunks_exact(2);
        if digits.len() != 64 || pairs.len() != bytes.len() {
            return Self::Unknown;
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let read = std::str::from_utf8(pair).ok();
            let read = read.filter(|pair| pair.bytes().all(|digit| digit.is_ascii_hexdigit()));
            match read.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
                Some(value) => *byte = value,
                None => return Self::Unknown,
            }
        }
        Self::Sha256(bytes)
    }

    /// In lower case hexadecimal digits, where it is one.
    pub(super) fn hex(self) -> Option<String> {
        match self {
            Self::Sha256(bytes) => Some(hex(&bytes)),
            Self::Nothing | Self::Unknown => None,
        }
    }
}

impl Index {
    /// The versions of a chart, in the order of the index; `None` when there is no such chart.
    pub(super) fn chart(&self, name: &str) -> Option<&[Release]> {
        self.charts.get(name).map(Vec::as_slice)
    }

    /// All charts and their versions.
    #[cfg(any(test, fuzzing))]
    pub(super) fn charts(&self) -> impl Iterator<Item = (&str, &[Release])> {
        let charts = self.charts.iter();
        charts.map(|(name, releases)| (&**name, &**releases))
    }

    /// Charts whose names are like `name`, the likest first.
    pub(super) fn closest(&self, name: &str) -> Names {
        let mut alike: Vec<(f64, &str)> = self
            .charts
            .keys()
            .map(|known| (likeness(known, name), &**known))
            .filter(|(likeness, _)| *likeness > ALIKE)
            .collect();
        alike.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        let shown = alike.into_iter().take(SHOWN);
        Names::new("closest", shown.map(|(_, name)| name.to_owned()))
    }
}

fn likeness(known: &str, name: &str) -> f64 {
    strsim::jaro_winkler(known, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_64_hexadecimal_digits() {
        let digits = "0f".repeat(32);
        assert_eq!(Digest::parse(&digits), Digest::Sha256([0x0f; 32]));
        assert_eq!(
            Digest::parse(&format!("sha256:{digits}")),
            Digest::Sha256([0x0f; 32])
        );
        assert_eq!(
            Digest::parse(&digits.to_uppercase()),
            Digest::Sha256([0x0f; 32])
        );
        assert_eq!(Digest::parse(""), Digest::Nothing);
        for text in ["0f", "sha512:00", &"+1".repeat(32), &"é".repeat(32)] {
            assert_eq!(Digest::parse(text), Digest::Unknown, "{text}");
        }
    }

    #[test]
    fn likely_misspellings_are_named() {
        let names = ["nginx", "nginx-ingress", "redis", "postgresql"];
        let charts = names.map(|name| (name.into(), Vec::new()));
        let index = Index {
            charts: charts.into(),
        };
        assert_eq!(
            index.closest("ngnix").to_string(),
            " (closest: nginx, nginx-ingress)"
        );
        assert_eq!(
            index.closest("postgres").to_string(),
            " (closest: postgresql)"
        );
        assert_eq!(index.closest("zookeeper").to_string(), "");
    }
}
