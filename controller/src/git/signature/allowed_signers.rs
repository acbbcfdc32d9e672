//! The file of allowed signers, as `ssh-keygen` reads it (ssh-keygen(1), ALLOWED SIGNERS): names, options, key.
//! What a line asks for and is not supported makes the line count for nothing; it never allows more than it says.

use base64::{Engine, prelude::BASE64_STANDARD};
use k8s_openapi::jiff::{civil::DateTime, tz::TimeZone};

use super::{NAMESPACE, principals::Principals};

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AllowedSigner {
    pub(super) principals: Principals,
    /// The public key as SSH writes it.
    pub(super) key: Vec<u8>,
    namespaces: Option<Principals>,
    after: Option<i64>,
    before: Option<i64>,
}

impl AllowedSigner {
    /// Whether the line is for git, and was in force at `time`. Without a time no line counts that has a date.
    pub(super) fn counts(&self, time: Option<i64>) -> bool {
        let for_git = |namespaces: &Principals| namespaces.allow(NAMESPACE);
        self.namespaces.as_ref().is_none_or(for_git)
            && self.after.is_none_or(|after| time >= Some(after))
            && self
                .before
                .is_none_or(|before| time.is_some_and(|time| time < before))
    }
}

/// Reads a file. Each line is a signer or a problem, named by the number of the line.
pub(super) fn parse(text: &str) -> (Vec<AllowedSigner>, Vec<String>) {
    let (mut signers, mut problems) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match signer(line) {
            Ok(signer) => signers.push(signer),
            Err(problem) => problems.push(format!("line {}: {problem}", index + 1)),
        }
    }
    (signers, problems)
}

fn signer(line: &str) -> Result<AllowedSigner, String> {
    let mut words = words(line)?.into_iter();
    let mut next = |what: &str| words.next().ok_or(format!("{what} is missing"));
    let principals = Principals::parse(&next("the name of the signer")?.replace('"', ""))?;
    let mut signer = AllowedSigner {
        principals,
        key: Vec::new(),
        namespaces: None,
        after: None,
        before: None,
    };
    let mut kind = next("the key")?;
    if !is_key_type(kind) {
        for option in split(kind, |c| c == ',')? {
            signer.take_in(option)?;
        }
        kind = next("the key")?;
    }
    signer.key = BASE64_STANDARD
        .decode(next("the key")?)
        .map_err(|_| "the key is not base64".to_owned())?;
    super::ssh::Key::read(&signer.key).map_err(|problem| format!("{kind}: {problem}"))?;
    Ok(signer)
}

impl AllowedSigner {
    fn take_in(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let value = value.trim_matches('"');
        match name.to_ascii_lowercase().as_str() {
            "namespaces" => self.namespaces = Some(Principals::parse(value)?),
            "valid-after" => self.after = Some(time(value)?),
            "valid-before" => self.before = Some(time(value)?),
            "cert-authority" => return Err("not supported yet: cert-authority".to_owned()),
            _ => return Err(format!("unknown option {name}")),
        }
        Ok(())
    }
}

fn is_key_type(word: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"]
        .iter()
        .any(|prefix| word.starts_with(prefix))
}

fn words(line: &str) -> Result<Vec<&str>, String> {
    let mut words = split(line, char::is_whitespace)?;
    words.retain(|word| !word.is_empty());
    Ok(words)
}

/// Parts between separators that stand outside quotes.
fn split(text: &str, separates: impl Fn(char) -> bool) -> Result<Vec<&str>, String> {
    let mut quoted = false;
    let parts = text
        .split(|c| {
            quoted ^= c == '"';
            !quoted && separates(c)
        })
        .collect();
    match quoted {
        true => Err("a quote has no end".to_owned()),
        false => Ok(parts),
    }
}

/// `YYYYMMDD[HHMM[SS]][Z]` in seconds since 1970; the zone of the controller is UTC.
fn time(text: &str) -> Result<i64, String> {
    let digits = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let format = match digits.len() {
        8 => "%Y%m%d",
        12 => "%Y%m%d%H%M",
        14 => "%Y%m%d%H%M%S",
        _ => "",
    };
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = whole.then(|| match format {
        "%Y%m%d" => DateTime::strptime("%Y%m%d%H%M", format!("{digits}0000")),
        format => DateTime::strptime(format, digits),
    });
    let zoned = parsed
        .and_then(Result::ok)
        .and_then(|time| time.to_zoned(TimeZone::UTC).ok());
    zoned
        .map(|time| time.timestamp().as_second())
        .ok_or(format!(
            "found \"{text}\", expected a time as YYYYMMDD or YYYYMMDDHHMM[SS]"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    fn one(options: &str) -> AllowedSigner {
        let (mut signers, problems) = parse(&format!("alice@a.org {options} {KEY} comment"));
        assert_eq!(problems, Vec::<String>::new());
        signers.pop().unwrap()
    }

    fn problem(line: &str) -> String {
        let (signers, mut problems) = parse(line);
        assert_eq!(signers, vec![], "{line}");
        problems.pop().unwrap()
    }

    #[test]
    fn names_options_and_key_are_read() {
        let text = format!("# people\n\n\"alice@a.org,*@ops.a.org\" {KEY}\nbob@a.org {KEY}\n");
        let (signers, problems) = parse(&text);
        assert_eq!((signers.len(), problems.len()), (2, 0));
        assert!(signers[0].principals.allow("eve@ops.a.org"));
        assert!(!signers[1].principals.allow("alice@a.org"));
        assert!(signers[0].counts(None));
    }

    #[test]
    fn a_line_for_another_purpose_does_not_count() {
        assert!(one("namespaces=\"git\"").counts(None));
        assert!(one("namespaces=\"file,g*\"").counts(None));
        assert!(!one("namespaces=\"file\"").counts(None));
        assert!(!one("NAMESPACES=file").counts(None));
    }

    #[test]
    fn a_line_with_dates_counts_between_them() {
        let line = one("valid-after=\"20260101Z\",valid-before=20260201");
        let at = |text: &str| Some(time(text).unwrap());
        for (time, counts) in [
            (at("20251231235959"), false),
            (at("20260101"), true),
            (at("202601312359"), true),
            (at("20260201"), false),
            (None, false),
        ] {
            assert_eq!(line.counts(time), counts, "{time:?}");
        }
    }

    #[test]
    fn what_is_not_supported_or_wrong_is_named_with_its_line() {
        for (line, expected) in [
            (
                format!("\n* cert-authority {KEY}"),
                "line 2: not supported yet: cert-authority",
            ),
            (
                format!("a@a.org no-touch-required {KEY}"),
                "line 1: unknown option no-touch-required",
            ),
            (
                format!("a@a.org valid-before=\"soon\" {KEY}"),
                "line 1: found \"soon\", expected a time as YYYYMMDD or YYYYMMDDHHMM[SS]",
            ),
            ("a@a.org".to_owned(), "line 1: the key is missing"),
            (
                "a@a.org ssh-ed25519 !".to_owned(),
                "line 1: the key is not base64",
            ),
            (
                "a@a.org ssh-dss AAAAB3NzaC1kc3M=".to_owned(),
                "line 1: ssh-dss: its algorithm is not supported",
            ),
            (
                format!("a@a.org namespaces=\"git {KEY}"),
                "line 1: a quote has no end",
            ),
            (
                format!("!a@a.org {KEY}"),
                "line 1: expected a name or a pattern that is not denied",
            ),
        ] {
            assert_eq!(problem(&line), expected);
        }
    }
}
