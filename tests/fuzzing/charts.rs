//! Fuzz target: what repositories and registries of charts say.
//! An input is `i` + an index, `m` + a manifest, `w` + headers with challenges on lines, or `n` + the name of a file in an archive.

use std::{fmt::Write, io::BufReader, path::Component};

use super::{
    archive, hex,
    index::{self, Digest, Index, Unreadable},
    registry::{challenge, manifest},
};

/// Stands in values of the corpus, and in no message.
const CANARY: &str = "canary-7f3a";

pub fn target(data: &[u8]) {
    let Some((what, rest)) = data.split_first() else {
        return;
    };
    match what {
        b'i' => an_index_is_read_alike_in_pieces_and_once_written(rest),
        b'm' => an_archive_is_named_by_its_digest(rest),
        b'w' => a_challenge_is_part_of_its_header(&String::from_utf8_lossy(rest)),
        b'n' => a_file_stays_in_the_chart(rest),
        _ => {}
    }
}

fn an_index_is_read_alike_in_pieces_and_once_written(text: &[u8]) {
    let read = index::read(text);
    assert_eq!(index::read(BufReader::with_capacity(1, text)), read);
    match read {
        Ok(index) => {
            assert!(is_no_longer_than(&index, text), "an index out of nothing");
            assert_eq!(index::read(written(&index).as_bytes()), Ok(index));
        }
        Err(Unreadable::Problem(problem)) => assert!(!problem.contains(CANARY), "{problem}"),
        Err(_) => {}
    }
}

/// An escape of two characters may mean one of three bytes; nothing grows more, as no alias stands for a text.
fn is_no_longer_than(index: &Index, text: &[u8]) -> bool {
    let releases = index.charts().flat_map(|(_, releases)| releases);
    let kept = releases.map(|release| release.version.len() + release.url.len());
    kept.sum::<usize>() <= 2 * text.len()
}

/// The index in a style that has a way to write each character.
fn written(index: &Index) -> String {
    let mut text = "apiVersion: v1\nentries:\n".to_owned();
    for (name, releases) in index.charts() {
        let _ = writeln!(text, "  ? {}\n  :", quoted(name));
        for release in releases {
            let (version, url) = (quoted(&release.version), quoted(&release.url));
            let digest = match release.digest {
                Digest::Nothing => String::new(),
                Digest::Unknown => "unknown".to_owned(),
                Digest::Sha256(bytes) => format!("sha256:{}", hex(&bytes)),
            };
            let _ = writeln!(
                text,
                "  - {{version: {version}, urls: [{url}], digest: '{digest}'}}"
            );
        }
    }
    text
}

fn quoted(text: &str) -> String {
    let escapes = text
        .chars()
        .map(|character| format!("\\U{:08x}", u32::from(character)));
    format!("\"{}\"", escapes.collect::<String>())
}

fn an_archive_is_named_by_its_digest(text: &[u8]) {
    match manifest::archive(text) {
        Ok(archive) => assert!(
            archive.sha256.len() == 64
                && archive
                    .sha256
                    .bytes()
                    .all(|digit| digit.is_ascii_hexdigit())
        ),
        Err(problem) => assert!(!problem.contains(CANARY), "{problem}"),
    }
}

fn a_challenge_is_part_of_its_header(headers: &str) {
    if let Some(challenge::Challenge::Bearer(request)) = challenge::challenge(headers.lines()) {
        assert!(!request.realm.is_empty());
        for text in [Some(request.realm), request.service, request.scope]
            .into_iter()
            .flatten()
        {
            assert!(text.len() <= headers.len());
        }
    }
}

fn a_file_stays_in_the_chart(name: &[u8]) {
    for is_directory in [false, true] {
        if let Ok(path) = archive::path(name, is_directory) {
            let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
            assert!(path.components().all(is_plain), "{}", path.display());
            assert!(is_directory || path.file_name().is_some());
        }
    }
}

#[cfg(test)]
#[test]
fn the_corpus_keeps_the_properties() {
    crate::fuzz_replay::replay("charts", target);
}
