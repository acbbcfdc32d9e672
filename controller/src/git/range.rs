//! Telling a version range such as `1.*` or `>=1.2 <2` from the name of a branch, tag or commit.
//! It must not resolve either.

/// Whether Argo CD would read `revision` as a range over version tags.
#[must_use]
pub fn is_version_range(revision: &str) -> bool {
    let terms: Vec<&str> = revision
        .split(|c: char| c == '|' || c == ',' || c.is_whitespace())
        .collect();
    let terms: Vec<&str> = terms
        .into_iter()
        .filter(|term| !term.is_empty() && *term != "-")
        .collect();
    let is_range = terms.len() > 1 || terms.iter().any(|term| is_open(term));
    is_range && terms.iter().all(|term| is_version(without_operator(term)))
}

/// A single term that stands for more than one version.
fn is_open(term: &str) -> bool {
    let version = without_operator(term);
    version != term || core(version).any(is_wildcard) && !version.contains(['-', '+'])
}

fn without_operator(term: &str) -> &str {
    term.trim_start_matches(['=', '!', '<', '>', '~', '^'])
}

/// `1`, `v1.2`, `1.x`, `*`, `1.2.3-rc.1+build`; a lone operator has nothing behind it and may stand alone.
fn is_version(version: &str) -> bool {
    version.is_empty()
        || core(version).all(|part| is_wildcard(part) || is_number(part))
            && core(version).count() <= 3
}

/// The numbers of a version, without what stands behind them.
fn core(version: &str) -> impl Iterator<Item = &str> {
    let version = version.strip_prefix('v').unwrap_or(version);
    version
        .split(['-', '+'])
        .next()
        .unwrap_or_default()
        .split('.')
}

fn is_wildcard(part: &str) -> bool {
    matches!(part, "*" | "x" | "X")
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_version_range;

    #[test]
    fn version_ranges_are_recognised() {
        for range in [
            "*",
            "1.*",
            "v1.x",
            "1.2.X",
            ">=1.2.0",
            ">= 1.2, < 2",
            "~1.2",
            "^2",
            "1.2 - 1.4",
            "1.* || 3.*",
            "=1.0.0",
            "!=1.0.0-rc.1",
        ] {
            assert!(is_version_range(range), "{range}");
        }
    }

    #[test]
    fn names_of_branches_tags_and_commits_are_not_ranges() {
        for name in [
            "",
            "HEAD",
            "main",
            "v1.2.3",
            "1.2",
            "1",
            "feature=b",
            "release/1.x",
            "x-files",
            "1.2.3-rc.1",
            "deadbeef",
            "94c2159",
            "refs/heads/main",
            "a<b",
        ] {
            assert!(!is_version_range(name), "{name}");
        }
    }
}
