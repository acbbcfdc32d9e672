//! Charts packed as Helm packs them, for servers of tests.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use tar::{Builder, Header};

/// An archive of a chart with one template that holds `text`.
pub(crate) fn chart(name: &str, version: &str, text: &str) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    for (file, content) in [
        ("Chart.yaml", metadata.as_str()),
        ("templates/text.yaml", text),
    ] {
        let mut header = Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, format!("{name}/{file}"), content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// An index entry of a version.
pub(crate) fn entry(version: &str, url: &str, digest: &str) -> String {
    format!(
        "  - apiVersion: v2\n    version: {version}\n    urls:\n    - {url}\n    digest: {digest}\n"
    )
}

/// An index with one chart.
pub(crate) fn index(name: &str, entries: &[String]) -> String {
    format!("apiVersion: v1\nentries:\n  {name}:\n{}", entries.concat())
}
