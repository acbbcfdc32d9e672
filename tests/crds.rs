//! The committed YAML of each custom resource definition, here and in the Helm chart, is what the Rust types say, and small
//! enough for a plain `kubectl apply`. `TRYCMD=overwrite` writes it anew.

#[path = "crds/definition.rs"]
mod definition;

use std::path::Path;

use snapbox::Data;

/// kubectl keeps a copy of what it applies in an annotation, which the API server limits to 256 KiB.
const ALL_DEFINITIONS_BYTES: usize = 150 * 1024;

#[test]
fn the_committed_yaml_is_what_the_types_say() {
    let assert = snapbox::Assert::new().action_env("TRYCMD");
    for definition in definition::all() {
        for folder in ["", "../deploy/helm/signet/crds"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            let path = folder.join(format!("{}.yaml", definition.name));
            assert.eq(definition.yaml(), Data::read_from(&path, None).raw());
        }
    }
}

#[test]
fn all_definitions_together_are_small() {
    let bytes: usize = definition::all()
        .iter()
        .map(|definition| definition.yaml().len())
        .sum();
    assert!(
        bytes <= ALL_DEFINITIONS_BYTES,
        "{bytes} bytes, expected at most {ALL_DEFINITIONS_BYTES}"
    );
}
