//! What a registry says of one version of a chart: which blob is its archive.
//! It reads text and asks no server.

use serde::Deserialize;

/// Types of manifests that Helm pushes, for `Accept`.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
/// What Helm calls an archive, and called it before charts in registries were ready.
const ARCHIVES: [&str; 2] = [
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    "application/tar+gzip",
];

/// The blob with an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::charts) struct Archive {
    /// SHA-256 in lower case hexadecimal digits.
    pub(in crate::charts) sha256: String,
    pub(in crate::charts) size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    manifests: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

/// Finds the archive in a manifest, else says what is wrong with it.
pub(in crate::charts) fn archive(text: &[u8]) -> Result<Archive, &'static str> {
    let manifest: Manifest =
        serde_json::from_slice(text).map_err(|_| "its manifest is not one of an OCI image")?;
    if !manifest.manifests.is_empty() {
        return Err("the tag names an index of images");
    }
    let is_chart = manifest
        .config
        .is_some_and(|config| config.media_type == CONFIG);
    if !is_chart {
        return Err("the tag names another kind of artifact");
    }
    let mut archives = manifest
        .layers
        .into_iter()
        .filter(|layer| ARCHIVES.contains(&layer.media_type.as_str()));
    let archive = archives
        .next()
        .ok_or("its manifest has no layer with a chart")?;
    Ok(Archive {
        sha256: sha256(&archive.digest).ok_or("the digest of its layer is no SHA-256 digest")?,
        size: archive.size,
    })
}

fn sha256(digest: &str) -> Option<String> {
    let digits = digest.strip_prefix("sha256:")?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (digits.len() == 64 && digits.bytes().all(is_digit)).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(config: &str, layers: &[(&str, &str)]) -> Vec<u8> {
        let layers: Vec<_> = layers
            .iter()
            .map(|(kind, digest)| serde_json::json!({"mediaType": kind, "digest": digest, "size": 7}))
            .collect();
        let config = serde_json::json!({"mediaType": config, "digest": "sha256:0", "size": 2});
        serde_json::json!({"schemaVersion": 2, "config": config, "layers": layers})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn the_archive_is_the_layer_of_helms_type() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        let provenance = "application/vnd.cncf.helm.chart.provenance.v1.prov";
        let expected = Archive {
            sha256: "0f".repeat(32),
            size: 7,
        };
        for kind in ARCHIVES {
            let text = manifest(CONFIG, &[(provenance, "sha256:1"), (kind, &digest)]);
            assert_eq!(archive(&text), Ok(expected.clone()));
        }
    }

    #[test]
    fn what_is_no_chart_is_told_apart() {
        let image = manifest("application/vnd.oci.image.config.v1+json", &[]);
        for (text, problem) in [
            (&b"<html>"[..], "its manifest is not one of an OCI image"),
            (&image, "the tag names another kind of artifact"),
            (br#"{"manifests":[{}]}"#, "the tag names an index of images"),
            (
                &manifest(CONFIG, &[]),
                "its manifest has no layer with a chart",
            ),
            (
                &manifest(CONFIG, &[(ARCHIVES[0], "sha512:00")]),
                "the digest of its layer is no SHA-256 digest",
            ),
        ] {
            assert_eq!(archive(text), Err(problem));
        }
    }
}
