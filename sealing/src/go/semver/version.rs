//! One version: read, shown and compared by precedence.
//! Knows no constraint.

use std::cmp::Ordering;
use std::fmt;

use super::Flaw;

/// `major.minor.patch-prerelease+metadata`. Two that differ in metadata alone are unequal, and compare as equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    pub major: u64,
    pub minor: u64,
    pub patch: u64,
    /// Empty for a release.
    pub prerelease: String,
    pub metadata: String,
    /// As it was written.
    pub original: String,
}

impl Version {
    /// Reads a version; a `v` may stand before it, minor and patch may be missing.
    ///
    /// # Errors
    /// When the text is no version.
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        let parts = Parts::of(text, |part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let parts = parts
            .filter(|parts| parts.rest.is_empty())
            .ok_or(Flaw::Version)?;
        let [major, minor, patch] = parts.numbers.map(|number| match number {
            Some(number) => number.parse().map_err(|_| Flaw::Segment),
            None => Ok(0),
        });
        let leading_zero = |part: &str| {
            part.len() > 1
                && part.starts_with('0')
                && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if parts.prerelease.split('.').any(leading_zero) {
            return Err(Flaw::ZeroInPrerelease);
        }
        Ok(Self {
            major: major?,
            minor: minor?,
            patch: patch?,
            prerelease: parts.prerelease.to_owned(),
            metadata: parts.metadata.to_owned(),
            original: text.to_owned(),
        })
    }

    /// By precedence: metadata does not count, and a pre-release comes before its release.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        let released = (self.prerelease.is_empty(), other.prerelease.is_empty());
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| match released {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_prereleases(&self.prerelease, &other.prerelease),
            })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)?;
        for (mark, part) in [('-', &self.prerelease), ('+', &self.metadata)] {
            if !part.is_empty() {
                write!(formatter, "{mark}{part}")?;
            }
        }
        Ok(())
    }
}

fn compare_prereleases(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => match (left.parse::<u64>(), right.parse::<u64>()) {
                (Ok(left), Ok(right)) => left.cmp(&right),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => left.cmp(right),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// `1.2.3-prerelease+metadata`, split.
pub(super) struct Parts<'a> {
    pub(super) numbers: [Option<&'a str>; 3],
    pub(super) prerelease: &'a str,
    pub(super) metadata: &'a str,
    /// What follows.
    pub(super) rest: &'a str,
}

impl<'a> Parts<'a> {
    /// Splits what stands at the beginning of a text, as far as it goes; `None` without a first number.
    pub(super) fn of(text: &'a str, is_number: fn(&str) -> bool) -> Option<Self> {
        let mut rest = text.strip_prefix('v').unwrap_or(text);
        let mut numbers = [None; 3];
        for (index, number) in numbers.iter_mut().enumerate() {
            let start = if index == 0 {
                Some(rest)
            } else {
                rest.strip_prefix('.')
            };
            let Some(start) = start else { break };
            let length: usize = start
                .chars()
                .map(char::len_utf8)
                .scan(0, |end, length| {
                    *end += length;
                    start
                        .get(*end - length..*end)
                        .filter(|part| is_number(part))
                        .map(|_| length)
                })
                .sum();
            if length == 0 {
                break;
            }
            *number = Some(&start[..length]);
            rest = &start[length..];
        }
        numbers[0]?;
        let (prerelease, rest) = identifiers(rest, '-');
        let (metadata, rest) = identifiers(rest, '+');
        Some(Self {
            numbers,
            prerelease,
            metadata,
            rest,
        })
    }
}

/// Identifiers between dots after a mark, and what follows them.
fn identifiers(text: &str, mark: char) -> (&str, &str) {
    let Some(start) = text.strip_prefix(mark) else {
        return ("", text);
    };
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let mut length = start.bytes().take_while(|byte| is_part(byte)).count();
    if length == 0 {
        return ("", text);
    }
    while let Some(more) = start[length..].strip_prefix('.') {
        match more.bytes().take_while(|byte| is_part(byte)).count() {
            0 => break,
            next => length += next + 1,
        }
    }
    (&start[..length], &start[length..])
}
