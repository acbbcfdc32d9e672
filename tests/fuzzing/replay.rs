//! Runs a fuzz target over its committed corpus, as a test of the crate that the target is a module of.
//! It must not know what a target asserts.

use std::path::Path;

/// Every file of `corpus/NAME`, and names all that break a property.
pub(crate) fn replay(name: &str, target: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzzing/corpus");
    let folder = corpus.join(name);
    let entries = std::fs::read_dir(&folder).expect("a corpus folder of this target");
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files.sort();
    files.retain(|file| {
        let data = std::fs::read(file).unwrap();
        std::panic::catch_unwind(|| target(&data)).is_err()
    });
    assert!(files.is_empty(), "{name} is broken by {files:#?}");
}
