//! How much is read from a repository or registry, each with its reason. It reads nothing itself.

const MIB: usize = 1024 * 1024;

/// `index.yaml`, as it is after decompression: the largest public ones have some 45 MB.
pub(super) const INDEX_BYTES: usize = 100 * MIB;
/// What is kept of an index: some 120,000 versions, three times as many as those largest ones have.
pub(super) const KEPT_INDEX_BYTES: usize = 32 * MIB;
/// One value, comment or run of blanks of an index. The longest real values are descriptions of some kilobytes.
pub(super) const VALUE_CHARACTERS: usize = MIB;
/// Anchors of an index, whose names are kept while it is read. Helm writes none.
pub(super) const ANCHORS: usize = 10_000;

/// A packed chart: Helm's own limit for a chart in a release is 1 MiB, charts with dashboards and CRDs pass it.
pub(super) const ARCHIVE_BYTES: usize = 20 * MIB;
/// All files of a chart.
pub(super) const UNPACKED_BYTES: usize = 100 * MIB;
/// Files and directories of a chart.
pub(super) const ENTRIES: usize = 10_000;
/// A long name and what else an archive says of one file.
pub(super) const EXTENSION_BYTES: usize = 64 * 1024;
/// `Chart.yaml`.
pub(super) const CHART_YAML_BYTES: usize = MIB;
/// Archives kept in memory: what a wave of Applications with some hundred charts needs.
pub(super) const KEPT_ARCHIVE_BYTES: usize = 32 * MIB;

/// A manifest; registries take no larger ones than 4 MiB either.
pub(super) const MANIFEST_BYTES: usize = 4 * MIB;
/// A token and what stands around it: those with many scopes have some 10 KB.
pub(super) const TOKEN_BYTES: usize = 256 * 1024;
/// One page of tags.
pub(super) const TAGS_BYTES: usize = 4 * MIB;
/// How many tags a page is asked for. Registries give fewer if they like.
pub(super) const TAGS_PER_PAGE: usize = 1_000;
/// Pages of tags that are asked for.
pub(super) const TAG_PAGES: usize = 200;
/// Tags of one chart.
pub(super) const TAGS: usize = 100_000;

/// Redirects of one request: a registry's blob takes one or two.
pub(super) const REDIRECTS: usize = 5;

/// `bytes` as people write it.
pub(super) fn shown(bytes: usize) -> String {
    match bytes / MIB {
        0 => format!("{} KiB", bytes / 1024),
        mib => format!("{mib} MiB"),
    }
}
