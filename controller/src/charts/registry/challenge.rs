//! What a registry wants to see before it answers: `WWW-Authenticate`, read.
//! It holds no credential and asks no server.

/// What is wanted.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::charts) enum Challenge {
    /// User and password, by the registry itself.
    Basic,
    /// A token, from where `realm` says.
    Bearer(TokenRequest),
}

/// Where a token is had, and for what.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::charts) struct TokenRequest {
    pub(in crate::charts) realm: String,
    pub(in crate::charts) service: Option<String>,
    pub(in crate::charts) scope: Option<String>,
}

/// The first challenge among the headers that we can answer; a token rather than the password.
pub(in crate::charts) fn challenge<'a>(
    headers: impl Iterator<Item = &'a str>,
) -> Option<Challenge> {
    let mut basic = None;
    for header in headers {
        let (scheme, parameters) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("bearer")
            && let Some(request) = token_request(parameters)
        {
            return Some(Challenge::Bearer(request));
        }
        if scheme.eq_ignore_ascii_case("basic") {
            basic = Some(Challenge::Basic);
        }
    }
    basic
}

fn token_request(parameters: &str) -> Option<TokenRequest> {
    let mut request = TokenRequest {
        realm: String::new(),
        service: None,
        scope: None,
    };
    let mut rest = parameters;
    while let Some((name, value, after)) = parameter(rest) {
        match name.to_ascii_lowercase().as_str() {
            "realm" => request.realm = value,
            "service" => request.service = Some(value),
            "scope" => request.scope = Some(value),
            _ => {}
        }
        rest = after;
    }
    (!request.realm.is_empty()).then_some(request)
}

/// `name="value"` or `name=value`, and what follows it.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.trim_start_matches([' ', ',', '\t']).split_once('=')?;
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find(',').unwrap_or(rest.len());
        return Some((name.trim(), rest[..end].trim().to_owned(), &rest[end..]));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((name.trim(), value, &quoted[at + 1..])),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        Some(Challenge::Bearer(TokenRequest {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }))
    }

    #[test]
    fn a_challenge_for_a_token_says_where_and_for_what() {
        for (header, expected) in [
            (
                r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#,
                bearer(
                    "https://auth.example/token",
                    Some("registry.example"),
                    Some("repository:a/b:pull,push"),
                ),
            ),
            (
                r#"bearer Realm=https://auth.example/token , service="a \"b\"""#,
                bearer("https://auth.example/token", Some("a \"b\""), None),
            ),
            (r#"Basic realm="x""#, Some(Challenge::Basic)),
            ("Basic", Some(Challenge::Basic)),
            (r#"Bearer service="x""#, None),
            (r#"Bearer realm="https://open"#, None),
            ("Negotiate", None),
        ] {
            assert_eq!(challenge([header].into_iter()), expected, "{header}");
        }
    }

    #[test]
    fn a_token_is_preferred_to_the_password() {
        let headers = ["Basic realm=\"x\"", "Bearer realm=\"https://t\""];
        assert_eq!(
            challenge(headers.into_iter()),
            bearer("https://t", None, None)
        );
    }
}
