//! Constraints on versions: `>= 1.2, < 2 || ^3.1`, with wildcards and ranges.
//! A pre-release is allowed only by an alternative that names one.

use super::Flaw;
use super::version::{Parts, Version};

/// Alternatives, each of comparisons that must all hold.
#[derive(Clone, Debug)]
pub struct Constraint(Vec<Vec<Comparison>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

/// What a constraint leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Patch,
    Minor,
    Major,
}

#[derive(Clone, Debug)]
struct Comparison {
    operator: Operator,
    version: Version,
    open: Open,
}

/// Longer ones first where one begins with the other.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Constraint {
    /// Reads comparisons with commas or white space between them, and alternatives with `||` between.
    ///
    /// # Errors
    /// When the text is no constraint.
    pub fn parse(text: &str) -> Result<Self, Flaw> {
        let alternatives = text.split("||").map(alternative);
        alternatives.collect::<Result<_, _>>().map(Self)
    }

    /// Whether `version` is one of those that the constraint means.
    #[must_use]
    pub fn allows(&self, version: &Version) -> bool {
        self.0.iter().any(|comparisons| {
            let names_prerelease = comparisons
                .iter()
                .any(|one| !one.version.prerelease.is_empty());
            let comparable = version.prerelease.is_empty() || names_prerelease;
            comparable && comparisons.iter().all(|one| one.allows(version))
        })
    }
}

/// Comparisons with commas or white space between, or a range `1.2 - 3.4`.
fn alternative(text: &str) -> Result<Vec<Comparison>, Flaw> {
    let mut comparisons = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (comparison, after) = comparison(rest)?;
        let range = range_end(after)
            .filter(|_| comparison.operator == Operator::Equal && rest.starts_with(is_version));
        if let Some(end) = range {
            let (mut last, after) = self::comparison(end)?;
            last.operator = Operator::AtMost;
            comparisons.push(Comparison {
                operator: Operator::AtLeast,
                ..comparison
            });
            comparisons.push(last);
            rest = after.trim_start();
        } else {
            comparisons.push(comparison);
            rest = after;
        }
        let next = rest.trim_start();
        if next.is_empty() {
            return Ok(comparisons);
        }
        match next.strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None if range.is_some() || next.len() < rest.len() => rest = next,
            None => return Err(Flaw::Constraint),
        }
    }
}

fn is_version(first: char) -> bool {
    first == 'v' || is_wild(first) || first.is_ascii_digit()
}

/// What follows ` - `.
fn range_end(after: &str) -> Option<&str> {
    let dash = after.trim_start();
    let end = dash
        .strip_prefix('-')
        .filter(|_| dash.len() < after.len())?;
    let version = end.trim_start();
    (version.len() < end.len() && version.starts_with(is_version)).then_some(version)
}

/// The library takes `|` for a wildcard character too, though not for a wildcard.
fn is_wild(character: char) -> bool {
    matches!(character, 'x' | 'X' | '*')
}

fn comparison(text: &str) -> Result<(Comparison, &str), Flaw> {
    let found = OPERATORS.iter().find(|(sign, _)| text.starts_with(sign));
    let (sign, operator) = found.copied().unwrap_or(("", Operator::Equal));
    let start = text[sign.len()..].trim_start();
    let is_number = |part: &str| {
        part.chars()
            .all(|next| next.is_ascii_digit() || is_wild(next))
    };
    let parts = Parts::of(start, is_number).ok_or(Flaw::Constraint)?;
    let open = |number: Option<&str>| number.is_none_or(|number| matches!(number, "x" | "X" | "*"));
    let [major, minor, patch] = parts.numbers;
    let (open, numbers) = match (major, minor, patch) {
        (Some(major), Some(minor), Some(patch))
            if !open(Some(major)) && !open(Some(minor)) && !open(Some(patch)) =>
        {
            (Open::Nothing, format!("{major}.{minor}.{patch}"))
        }
        (Some(major), Some(minor), _) if !open(Some(major)) && !open(Some(minor)) => {
            (Open::Patch, format!("{major}.{minor}.0"))
        }
        (Some(major), ..) if !open(Some(major)) => (Open::Minor, format!("{major}.0.0")),
        _ => (Open::Major, "0.0.0".to_owned()),
    };
    let mut version = Version::parse(&numbers).map_err(|_| Flaw::Constraint)?;
    parts.prerelease.clone_into(&mut version.prerelease);
    let comparison = Comparison {
        operator,
        version,
        open,
    };
    Ok((comparison, parts.rest))
}

impl Comparison {
    fn allows(&self, version: &Version) -> bool {
        let order = version.compare(&self.version);
        match self.operator {
            Operator::Equal if self.open == Open::Nothing => order.is_eq(),
            Operator::Equal | Operator::Tilde => self.tilde(version),
            Operator::NotEqual => self.differs(version),
            Operator::Greater => self.greater(version),
            Operator::Less => order.is_lt(),
            Operator::AtLeast => order.is_ge(),
            Operator::AtMost => self.at_most(version),
            Operator::Caret => self.caret(version),
        }
    }

    fn is_zero(&self) -> bool {
        (self.version.major, self.version.minor, self.version.patch) == (0, 0, 0)
    }

    /// The same major and, where it is given, minor version.
    fn tilde(&self, version: &Version) -> bool {
        if version.compare(&self.version).is_lt() {
            return false;
        }
        if self.is_zero() && !matches!(self.open, Open::Minor | Open::Patch) {
            return true;
        }
        version.major == self.version.major
            && (version.minor == self.version.minor || self.open == Open::Minor)
    }

    fn differs(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            Open::Nothing => version.compare(own).is_ne(),
            _ if own.major != version.major => true,
            Open::Minor => false,
            _ if own.minor != version.minor => true,
            Open::Patch => version.prerelease != own.prerelease,
            Open::Major => own.patch != version.patch || version.compare(own).is_ne(),
        }
    }

    fn greater(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            Open::Nothing => version.compare(own).is_gt(),
            _ if version.major != own.major => version.major > own.major,
            Open::Minor => false,
            Open::Patch => version.minor > own.minor,
            Open::Major => version.compare(own).is_gt(),
        }
    }

    fn at_most(&self, version: &Version) -> bool {
        let own = &self.version;
        match self.open {
            Open::Nothing => version.compare(own).is_le(),
            _ if version.major != own.major => version.major < own.major,
            open => open == Open::Minor || version.minor <= own.minor,
        }
    }

    /// No change of the first number that is not zero.
    fn caret(&self, version: &Version) -> bool {
        let own = &self.version;
        if version.compare(own).is_lt() {
            return false;
        }
        if own.major > 0 || self.open == Open::Minor {
            return version.major == own.major;
        }
        if version.major > 0 {
            return false;
        }
        if own.minor > 0 || self.open == Open::Patch {
            return version.minor == own.minor;
        }
        version.minor == 0 && version.patch == own.patch
    }
}
