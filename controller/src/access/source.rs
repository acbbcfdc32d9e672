//! Repository URLs as project rules see them: one spelling, and nothing that reads differently to a Git server.
//! It must not connect anywhere.

/// The URL in the spelling that patterns are compared with: lower case, without `.git`, `git@host:path` as
/// `git@host/path`.
pub(super) fn normalise(url: &str) -> String {
    let url = url.trim().to_lowercase();
    let url = match url.split_once(':') {
        Some((host, path)) if !url.contains("://") && !host.contains('/') => {
            format!("{host}/{path}")
        }
        _ => url,
    };
    let url = url.strip_prefix("ssh://").unwrap_or(&url);
    url.strip_suffix(".git").unwrap_or(url).to_owned()
}

/// What keeps a URL from being compared with patterns at all: a server could read it as another one.
pub(super) fn ambiguity(url: &str) -> Option<&'static str> {
    let lower = url.to_lowercase().replace("%2e", ".");
    if lower
        .split(['/', '\\'])
        .any(|part| matches!(part, "." | ".."))
        && !is_file(url)
    {
        return Some("it has . or .. in its path");
    }
    let odd = |c: char| matches!(c, '?' | '#' | '\\') || c.is_whitespace() || c.is_control();
    url.contains(odd)
        .then_some("it has one of ? # \\ or a blank in it")
}

/// Whether the repository is in this machine's own file system.
pub(super) fn is_file(url: &str) -> bool {
    let lower = url.trim().to_lowercase();
    lower.starts_with("file:") || lower.starts_with(['/', '.', '~'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_repository_are_one() {
        for (url, expected) in [
            (
                "https://Git.Example.org/Shop/Config.git",
                "https://git.example.org/shop/config",
            ),
            (
                "git@git.example.org:shop/config.git",
                "git@git.example.org/shop/config",
            ),
            (
                "ssh://git@git.example.org/shop/config",
                "git@git.example.org/shop/config",
            ),
            (
                "https://git.example.org:3000/shop/config",
                "https://git.example.org:3000/shop/config",
            ),
            ("*", "*"),
        ] {
            assert_eq!(normalise(url), expected, "{url}");
        }
    }

    #[test]
    fn a_url_that_a_server_may_read_differently_is_ambiguous() {
        for url in [
            "https://git.example.org/shop/../secret",
            "https://git.example.org/shop/%2e%2e/secret",
            "https://git.example.org/shop/%2E./secret",
            "https://git.example.org\\@evil.example.com/config",
            "https://evil.example.com?.example.org/config",
            "https://evil.example.com#.example.org/config",
            "https://git.example.org/shop /config",
        ] {
            assert!(ambiguity(url).is_some(), "{url}");
        }
        assert_eq!(
            ambiguity("https://git.example.org/shop/config.v1..v2.git"),
            None
        );
    }

    #[test]
    fn repositories_in_the_file_system_are_recognised() {
        for (url, file) in [
            ("file:///srv/git", true),
            ("FILE:/srv/git", true),
            ("/srv/git", true),
            ("../git", true),
            ("https://a/b", false),
        ] {
            assert_eq!(is_file(url), file, "{url}");
        }
    }
}
