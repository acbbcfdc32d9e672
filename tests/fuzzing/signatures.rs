//! Fuzz target: signed commits and tags, armoured keys, and files of allowed signers.
//! An input is `c` + a commit, `t` + a tag, `k` + keys, or `s` + signers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::OnceLock,
};

use super::{Signed, Store, Trust};

const SIGNATURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/signatures");
/// Between the dates of the keys there, in seconds since 1970.
const NOW: i64 = 1_780_272_000;

/// Keys of tests/signatures, and everything that was signed there.
struct Known {
    trust: Trust,
    payloads: BTreeSet<Vec<u8>>,
}

pub fn target(data: &[u8]) {
    static KNOWN: OnceLock<Known> = OnceLock::new();
    let Some((what, rest)) = data.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    match what {
        b'c' | b't' => only_what_was_signed_is_accepted(*what, rest, KNOWN.get_or_init(known)),
        b'k' => {
            let entries = BTreeMap::from([("entry".to_owned(), text.into_owned())]);
            let trust = Trust::read(&entries, "");
            assert!(trust.unread(Store::Keys).len() <= 1);
        }
        b's' => {
            let trust = Trust::read(&BTreeMap::new(), &text);
            assert!(trust.unread(Store::Signers).len() <= text.lines().count());
        }
        _ => {}
    }
}

fn only_what_was_signed_is_accepted(what: u8, object: &[u8], known: &Known) {
    let Ok(signed) = signed(what, object) else {
        return;
    };
    assert!(signed.payload.len() <= object.len());
    if known.trust.verify(&signed, NOW).is_ok() {
        assert!(known.payloads.contains(&signed.payload), "a forgery");
    }
}

fn signed(what: u8, object: &[u8]) -> Result<Signed, &'static str> {
    match what {
        b't' => Signed::tag(object),
        _ => Signed::commit(object),
    }
}

fn known() -> Known {
    let read = |path: &Path| fs::read_to_string(path).expect("a file of tests/signatures");
    let files = |folder: &str| {
        let entries = fs::read_dir(format!("{SIGNATURES}/{folder}")).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path())
    };
    let keys = files("keys").map(|path| (path.display().to_string(), read(&path)));
    let signers = read(Path::new(&format!("{SIGNATURES}/allowed_signers")));
    let payloads = files("cases").filter_map(|path| {
        let text = read(&path);
        let (_, case) = text.split_once("\n--- ")?;
        let (kind, object) = case.split_once('\n')?;
        signed(kind.as_bytes()[0], object.as_bytes()).ok()
    });
    Known {
        trust: Trust::read(&keys.collect(), &signers),
        payloads: payloads.map(|signed| signed.payload).collect(),
    }
}

#[cfg(test)]
#[test]
fn the_corpus_keeps_the_properties() {
    crate::fuzz_replay::replay("signatures", target);
}
