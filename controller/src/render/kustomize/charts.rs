//! Templates of charts inside a kustomization that would ask the cluster: kustomize runs helm in a way that answers with nothing.
//! It looks for the function's name, not at whether it is ever called.

/// Template functions that ask somebody.
const ASKING: [&str; 2] = ["lookup", "getHostByName"];

/// The first function that a template asks somebody with, and its line.
pub(super) fn asks(template: &str) -> Option<(&'static str, usize)> {
    let mut at = 0;
    while let Some(begin) = template[at..].find("{{").map(|found| at + found + 2) {
        let inside = template[begin..].trim_start_matches('-').trim_start();
        let comment = inside.starts_with("/*");
        let close = if comment { "*/" } else { "}}" };
        let end = template[begin..].find(close);
        let end = end.map_or(template.len(), |found| begin + found);
        if !comment && let Some((function, offset)) = called(&template[begin..end]) {
            let before = &template[..begin + offset];
            return Some((function, before.matches('\n').count() + 1));
        }
        at = end;
    }
    None
}

/// A function among the words of an action, texts in quotes left aside, and where.
fn called(action: &str) -> Option<(&'static str, usize)> {
    let mut quote = None;
    let mut word = 0;
    for (at, c) in action.char_indices().chain([(action.len(), ' ')]) {
        let part_of_word = c.is_alphanumeric() || c == '_' || c == '.' || c == '$';
        if quote.is_some() {
            quote = quote.filter(|begin| *begin != c);
            word = at + c.len_utf8();
        } else if !part_of_word {
            let function = ASKING.into_iter().find(|name| *name == &action[word..at]);
            if let Some(function) = function {
                return Some((function, word));
            }
            quote = matches!(c, '"' | '`').then_some(c);
            word = at + c.len_utf8();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_that_asks_is_found_with_its_line() {
        for (template, found) in [
            (
                "a: {{ lookup \"v1\" \"Secret\" \"\" \"\" }}",
                Some(("lookup", 1)),
            ),
            ("a\n\n{{- $s := (lookup \"v1\") }}", Some(("lookup", 3))),
            ("{{ if .x }}\n{{ .y |\n lookup }}", Some(("lookup", 3))),
            ("{{ getHostByName .host }}", Some(("getHostByName", 1))),
            ("lookup {{ include \"a.lookup\" . }} {{ .lookup }}", None),
            ("{{ \"lookup\" }} {{ `lookup` }} {{ $lookup }}", None),
            (
                "{{- /* {{ lookup }}\n*/ -}}\n{{ lookup }}",
                Some(("lookup", 3)),
            ),
            ("{{/* lookup */}}", None),
            ("{{ lookups }} {{ open", None),
        ] {
            assert_eq!(asks(template), found, "{template}");
        }
    }
}
