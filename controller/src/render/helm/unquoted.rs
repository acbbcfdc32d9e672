//! What `helm` said, without the values that it quotes: a chart's may be passwords. What an author has a chart say by `fail` or
//! `required` is passed on. It must not lose the place, nor what is wrong there.

/// Functions whose words are an author's, or name templates.
const AUTHORS: [&str; 3] = ["fail", "required", "include"];
/// How what a schema finds wrong begins, where that holds no value.
const PLAIN: [&str; 15] = [
    "'allOf' failed",
    "'anyOf' failed",
    "'not' failed",
    "'oneOf' failed",
    "additional properties ",
    "false schema",
    "got ",
    "maxItems: ",
    "maxLength: ",
    "maxProperties: ",
    "minItems: ",
    "minLength: ",
    "minProperties: ",
    "missing propert",
    "value must be ",
];
/// What comes before what a reader of YAML or of parameters finds wrong.
const READERS: [&str; 3] = [
    "YAML parse error on ",
    "error converting YAML to JSON: ",
    "failed parsing --set",
];
/// What is wrong there, where nothing else may be said.
const WRONG: &str = "it is not what the schema wants";

/// The words without values.
pub(super) fn unquoted(words: &str) -> String {
    const SCHEMA: &str = "meet the specifications of the schema";
    const CALLING: &str = "error calling ";
    if words.contains(SCHEMA) {
        return schema(words);
    }
    if words.contains(CALLING) {
        let mut calls = words.split(CALLING);
        let outermost = calls.next().unwrap_or_default().to_owned();
        return calls.fold(outermost, |shown, said| {
            let function = said.split(':').next().unwrap_or_default();
            match AUTHORS.contains(&function) {
                true => shown + CALLING + said,
                false => shown + CALLING + &masked(said, &['"', '`']),
            }
        });
    }
    let starts = READERS.iter().filter_map(|reader| words.find(reader));
    let (before, said) = words.split_at(starts.min().unwrap_or(words.len()));
    before.to_owned() + &masked(said, &['\'', '"', '`'])
}

/// Each entry is `- at 'POINTER': ` and what is wrong.
fn schema(words: &str) -> String {
    const AT: &str = "- at '";
    let mut entries = words.split(AT);
    let mut shown = entries.next().unwrap_or_default().to_owned();
    for entry in entries {
        shown.push_str(AT);
        match entry.split_once("': ") {
            Some((pointer, wrong)) => {
                let space = if wrong.ends_with(' ') { " " } else { "" };
                shown += &format!("{pointer}': {}{space}", without_value(wrong.trim()));
            }
            None => shown += WRONG,
        }
    }
    shown
}

fn without_value(wrong: &str) -> String {
    const PATTERN: &str = "does not match pattern ";
    const FORMAT: &str = " is not valid ";
    const WANT: &str = ", want ";
    if PLAIN.iter().any(|plain| wrong.starts_with(plain)) {
        return wrong.to_owned();
    }
    if let Some((_, pattern)) = wrong.rsplit_once(PATTERN) {
        return format!("it {PATTERN}{pattern}");
    }
    if let Some((_, said)) = wrong.rsplit_once(FORMAT)
        && let Some((format, _)) = said.split_once(':')
    {
        return format!("it is not a valid {format}");
    }
    let keyword = wrong.split(':').next().unwrap_or_default();
    match wrong.rsplit_once(WANT) {
        Some((_, wanted)) if keyword.chars().all(char::is_alphabetic) => {
            format!("{keyword}: want {wanted}")
        }
        _ => WRONG.to_owned(),
    }
}

/// What stands between quotes is left out, but for single characters.
fn masked(text: &str, quotes: &[char]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, quote, after)) = first_of(rest, quotes) {
        shown.push_str(before);
        shown.push(quote);
        let end = end_of_quote(after, quote);
        let quoted = &after[..end.unwrap_or(after.len())];
        shown.push_str(match quoted.chars().count() {
            0 | 1 => quoted,
            _ => "…",
        });
        let Some(end) = end else {
            return shown;
        };
        shown.push(quote);
        rest = &after[end + quote.len_utf8()..];
    }
    shown + rest
}

fn first_of<'a>(text: &'a str, quotes: &[char]) -> Option<(&'a str, char, &'a str)> {
    let at = text.find(quotes)?;
    let quote = text[at..].chars().next()?;
    Some((&text[..at], quote, &text[at + quote.len_utf8()..]))
}

/// A quote behind a backslash belongs to what is quoted.
fn end_of_quote(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            character if character == quote => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str =
        "values don't meet the specifications of the schema(s) in the following chart(s): web: ";

    #[test]
    fn what_a_schema_finds_wrong_is_told_without_the_value() {
        for (wrong, told) in [
            (
                "- at '/token': 'hunter2' does not match pattern '^[a-z]$'",
                "- at '/token': it does not match pattern '^[a-z]$'",
            ),
            (
                "- at '/mail': 'hunter2' is not valid email: missing @ in 'hunter2'",
                "- at '/mail': it is not a valid email",
            ),
            (
                "- at '/pin': minimum: got 1234, want 5000",
                "- at '/pin': minimum: want 5000",
            ),
            (
                "- at '/a': got string, want integer - at '/b': 'hunter2' is wrong",
                "- at '/a': got string, want integer - at '/b': it is not what the schema wants",
            ),
            (
                "- at '': missing property 'token'",
                "- at '': missing property 'token'",
            ),
        ] {
            assert_eq!(
                unquoted(&format!("{SCHEMA}{wrong}")),
                format!("{SCHEMA}{told}")
            );
        }
    }

    #[test]
    fn what_a_function_quotes_is_left_out_and_what_an_author_says_is_not() {
        let at = "template: web/templates/a.yaml:2:3: executing \"web/templates/a.yaml\" at <x>: ";
        for (said, told) in [
            (
                r#"error calling mustToDate: parsing time "hun\"ter2" as "2006": cannot parse "hunter2"#,
                r#"error calling mustToDate: parsing time "…" as "…": cannot parse "…"#,
            ),
            (
                r#"error calling fail: set "password""#,
                r#"error calling fail: set "password""#,
            ),
            (
                r#"error calling tpl: error during tpl function execution for "password: hunter2 {{ include \"x\" . }}": template: gotpl:1:3: error calling include: template: no template "x""#,
                r#"error calling tpl: error during tpl function execution for "…": template: gotpl:1:3: error calling include: template: no template "x""#,
            ),
            (
                r#"error calling include: template: no template "shop.labels""#,
                r#"error calling include: template: no template "shop.labels""#,
            ),
            (
                r#"error calling include: template: web/templates/_a.tpl:1:3: executing "a" at <tpl>: error calling tpl: cannot parse template "hunter2{{""#,
                r#"error calling include: template: web/templates/_a.tpl:1:3: executing "a" at <tpl>: error calling tpl: cannot parse template "…""#,
            ),
        ] {
            assert_eq!(unquoted(&format!("{at}{said}")), format!("{at}{told}"));
        }
    }

    #[test]
    fn what_is_quoted_of_values_and_parameters_is_left_out() {
        for (said, told) in [
            (
                "failed to parse helm.values: error converting YAML to JSON: yaml: unknown anchor 'hunter2' referenced",
                "failed to parse helm.values: error converting YAML to JSON: yaml: unknown anchor '…' referenced",
            ),
            (
                r#"failed parsing --set data: key "\"password\":\"hunter2\"}" has no value"#,
                r#"failed parsing --set data: key "…" has no value"#,
            ),
        ] {
            assert_eq!(unquoted(said), told);
        }
    }

    #[test]
    fn what_yaml_quotes_is_left_out() {
        let at = "YAML parse error on web/templates/a.yaml: error converting YAML to JSON: yaml: ";
        for (said, told) in [
            (
                "unknown anchor 'hunter2' referenced",
                "unknown anchor '…' referenced",
            ),
            (
                "line 3: cannot unmarshal !!str `hunter2` into int",
                "line 3: cannot unmarshal !!str `…` into int",
            ),
            (
                "line 3: did not find expected ',' or '}'",
                "line 3: did not find expected ',' or '}'",
            ),
        ] {
            assert_eq!(unquoted(&format!("{at}{said}")), format!("{at}{told}"));
        }
    }
}
