//! Lists of names and patterns, as OpenSSH writes them: `alice@example.org,*@ops.example.org,!eve@ops.example.org`.
//! It must not know whose names they are.

/// A list of patterns: `*` is any text, `?` any character, `!` in front denies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principals(Vec<String>);

impl Principals {
    /// Reads a list; blanks around its patterns are no part of them.
    ///
    /// # Errors
    /// When it is empty, or allows nothing.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let patterns: Vec<_> = text.split(',').map(|part| part.trim().to_owned()).collect();
        if patterns.iter().any(|part| matches!(&**part, "" | "!")) {
            return Err("expected names or patterns, with commas between them");
        }
        if patterns.iter().all(|part| part.starts_with('!')) {
            return Err("expected a name or a pattern that is not denied");
        }
        Ok(Self(patterns))
    }

    /// Whether a pattern allows `name` and none denies it.
    #[must_use]
    pub fn allow(&self, name: &str) -> bool {
        let hits = |pattern: &str| matches(pattern.as_bytes(), name.as_bytes());
        let denied = self
            .0
            .iter()
            .filter_map(|pattern| pattern.strip_prefix('!'));
        self.allowed().any(hits) && !denied.into_iter().any(hits)
    }

    /// Whether there is somebody whom both lists allow, among those that one of them names. A pattern stands for somebody
    /// whom it matches, as it does when `ssh-keygen -Y find-principals` answers with it.
    #[must_use]
    pub fn meet(&self, other: &Self) -> bool {
        let named = self.allowed().chain(other.allowed());
        named
            .into_iter()
            .any(|name| self.allow(name) && other.allow(name))
    }

    fn allowed(&self) -> impl Iterator<Item = &str> {
        let patterns = self.0.iter().map(String::as_str);
        patterns.filter(|pattern| !pattern.starts_with('!'))
    }
}

impl std::fmt::Display for Principals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

/// Whether the whole of `text` fits `pattern`. Goes back to the last `*` only, so that no pattern takes long.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(one) if *one == b'?' || *one == text[t] => {
                (p, t) = (p + 1, t + 1);
            }
            _ => match star {
                Some((at, from)) => {
                    (p, t) = (at + 1, from + 1);
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Principals {
        Principals::parse(text).unwrap()
    }

    #[test]
    fn a_name_is_allowed_by_one_pattern_and_denied_by_none() {
        for (patterns, name, allowed) in [
            ("alice@a.org", "alice@a.org", true),
            ("alice@a.org", "alice@a.org.evil", false),
            ("*@a.org", "alice@a.org", true),
            ("*@a.org", "alice@b.org", false),
            ("*@a.org,!alice@a.org", "alice@a.org", false),
            ("!alice@a.org , *@a.org", "bob@a.org", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("*", "", true),
        ] {
            assert_eq!(list(patterns).allow(name), allowed, "{patterns} {name}");
        }
    }

    #[test]
    fn two_lists_meet_where_both_allow_somebody_that_one_of_them_names() {
        for (one, other, meet) in [
            ("alice@a.org", "alice@a.org", true),
            ("*@a.org", "alice@a.org", true),
            ("*@a.org", "*@a.org", true),
            ("*", "*@a.org", true),
            ("alice@a.org", "bob@a.org", false),
            ("*@b.org", "*@a.org", false),
            ("*@a.org,!alice@a.org", "alice@a.org", false),
            ("*@a.org,!alice@a.org", "alice@a.org,bob@a.org", true),
        ] {
            assert_eq!(list(one).meet(&list(other)), meet, "{one} {other}");
            assert_eq!(list(other).meet(&list(one)), meet, "{other} {one}");
        }
    }

    #[test]
    fn a_list_that_allows_nobody_is_an_error() {
        for text in ["", "a,,b", "!a", "a,!", " "] {
            assert!(Principals::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let text = "a".repeat(5_000);
        assert!(!list(&format!("{}b", "*a".repeat(500))).allow(&text));
    }
}
