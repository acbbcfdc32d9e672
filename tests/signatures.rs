//! Commits and tags that the real gpg, ssh-keygen and git signed: each file of tests/signatures/cases says what is demanded of
//! one, what git says of its signature, and what we say. `TRYCMD=overwrite` writes the last anew.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{collections::BTreeMap, fs, path::Path};

use controller::{
    access::Project,
    git::signature::{Signed, Store, Trust},
};
use k8s_openapi::jiff::Timestamp;
use serde_json::json;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/signatures");
/// More than are there in a folder that somebody emptied by mistake.
const CASES: usize = 50;

/// A file of the folder `cases`.
struct Case {
    headers: BTreeMap<String, String>,
    kind: String,
    object: Vec<u8>,
}

impl Case {
    fn read(path: &Path) -> Self {
        let whole = fs::read(path).unwrap();
        let text = String::from_utf8(whole).unwrap();
        let (head, rest) = text.split_once("\n--- ").unwrap();
        let (kind, object) = rest.split_once('\n').unwrap();
        let headers = head.lines().map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.trim().to_owned())
        });
        Self {
            headers: headers.collect(),
            kind: kind.to_owned(),
            object: object.as_bytes().to_vec(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The project that demands what the headers say.
    fn project(&self, ids: &BTreeMap<String, String>) -> Project {
        let mut project = json!({"metadata": {"name": "shop"}, "spec": {}});
        if let Some(keys) = self.header("keys") {
            let names = keys.split(", ").filter(|name| !name.is_empty());
            let keys: Vec<&String> = names.map(|name| &ids[name]).collect();
            project["spec"]["sourceIntegrity"]["git"]["policies"] =
                json!([{"repos": [{"url": "*"}], "gpg": {"mode": "head", "keys": keys}}]);
        }
        if let Some(signers) = self.header("signers").filter(|text| !text.is_empty()) {
            project["metadata"]["annotations"] = json!({"signet.dev/allowed-signers": signers});
        }
        Project::new(&serde_json::from_value(project).unwrap()).unwrap()
    }

    fn answer(&self, trust: &Trust, ids: &BTreeMap<String, String>) -> Result<String, String> {
        let project = self.project(ids);
        let demand = project
            .demanded_signature("https://git.example/shop")
            .unwrap()
            .unwrap();
        let now: Timestamp = self.header("now").unwrap().parse().unwrap();
        let signed = match self.kind.as_str() {
            "tag" => Signed::tag(&self.object),
            _ => Signed::commit(&self.object),
        };
        let until = demand
            .check(
                &signed?,
                &format!("the {}", self.kind),
                trust,
                now.as_second(),
            )
            .map_err(|error| error.to_string())?;
        Ok(match until {
            None => "signed".to_owned(),
            Some(until) => format!("signed until {}", Timestamp::from_second(until).unwrap()),
        })
    }
}

fn trust() -> Trust {
    let keys = fs::read_dir(format!("{FOLDER}/keys")).unwrap();
    let armoured = keys
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "asc"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        });
    let signers = fs::read_to_string(format!("{FOLDER}/allowed_signers")).unwrap();
    Trust::read(&armoured.collect(), &signers)
}

/// `NAME` is the fingerprint of a primary key, `NAME.2` that of its subkey, `….id` the last 16 digits of either.
fn ids() -> BTreeMap<String, String> {
    let mut ids = BTreeMap::new();
    for line in fs::read_to_string(format!("{FOLDER}/keys/ids"))
        .unwrap()
        .lines()
    {
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let name = words.next().unwrap();
        for (suffix, fingerprint) in ["", ".2"].into_iter().zip(words) {
            ids.insert(format!("{name}{suffix}.id"), fingerprint[24..].to_owned());
            ids.insert(format!("{name}{suffix}"), fingerprint.to_owned());
        }
    }
    ids
}

#[test]
fn each_signature_counts_or_is_refused_for_the_reason_it_says() {
    let (trust, ids) = (trust(), ids());
    let overwrite = std::env::var("TRYCMD").is_ok_and(|action| action == "overwrite");
    let mut wrong = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(format!("{FOLDER}/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= CASES, "{} cases", paths.len());
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        let case = Case::read(&path);
        let answer = case.answer(&trust, &ids);
        let counts = answer.is_ok();
        let agrees = counts == (case.header("git") == Some("good"));
        if agrees == case.header("differs").is_some() {
            wrong.push(format!(
                "{name}: git says {:?}, we: {answer:?}",
                case.header("git")
            ));
        }
        let answer = answer.unwrap_or_else(|problem| format!("refused: {problem}"));
        let expected = case.header("expect").unwrap();
        if answer != expected && overwrite {
            let text = fs::read_to_string(&path).unwrap();
            let (old, new) = (
                format!("expect: {expected}\n"),
                format!("expect: {answer}\n"),
            );
            fs::write(&path, text.replacen(&old, &new, 1)).unwrap();
        } else if answer != expected {
            wrong.push(format!("{name}: expected {expected}, found {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_changed_byte_anywhere_in_what_is_signed_is_one_too_many() {
    let (trust, ids) = (trust(), ids());
    for name in ["openpgp-ed25519", "ssh-ed25519", "openpgp-tag", "ssh-tag"] {
        let case = Case::read(Path::new(&format!("{FOLDER}/cases/{name}")));
        let end = String::from_utf8_lossy(&case.object)
            .find(if case.kind == "tag" {
                "-----BEGIN"
            } else {
                "gpgsig"
            })
            .unwrap();
        for at in 0..end {
            let mut object = case.object.clone();
            object[at] ^= 1;
            let (headers, kind) = (case.headers.clone(), case.kind.clone());
            let changed = Case {
                headers,
                kind,
                object,
            };
            assert!(changed.answer(&trust, &ids).is_err(), "{name}: byte {at}");
        }
    }
}

#[test]
fn what_can_not_be_read_of_keys_and_signers_is_told_by_entry_and_line() {
    let trust = trust();
    assert_eq!(trust.unread(Store::Keys), Vec::<String>::new());
    let [weak, authority] = trust.unread(Store::Signers) else {
        unreachable!("{:?}", trust.unread(Store::Signers));
    };
    assert!(
        weak.ends_with("its RSA key has less than 2048 or more than 8192 bits"),
        "{weak}"
    );
    assert!(
        authority.ends_with("not supported yet: cert-authority"),
        "{authority}"
    );

    let entries = [
        ("none", "no key"),
        ("cut", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"),
    ];
    let entries = entries.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let unread = Trust::read(&entries.into(), "");
    assert_eq!(
        unread.unread(Store::Keys),
        [
            "cut: its armour has a begin and no end",
            "none: it holds no OpenPGP public key"
        ]
    );
}
