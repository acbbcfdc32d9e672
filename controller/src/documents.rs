//! Cuts a YAML file into its documents, so that each error can name one. It parses nothing.

/// One document of a file that is not empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Document<'a> {
    /// Among the documents that are not empty, from 1.
    pub(crate) number: usize,
    /// The line of the file on which `text` begins, from 1.
    pub(crate) start: usize,
    /// The line of the file on which its content begins, from 1.
    pub(crate) line: usize,
    pub(crate) text: &'a str,
}

/// The documents of `text`, cut at lines that begin with `---`, as Kubernetes' own tools do; without the empty ones.
pub(crate) fn documents(text: &str) -> Vec<Document<'_>> {
    let mut found = Vec::new();
    for (start, text) in pieces(text) {
        if let Some(first) = text.lines().position(has_content) {
            found.push(Document {
                number: found.len() + 1,
                start,
                line: start + first,
                text,
            });
        }
    }
    found
}

/// The first document of `text` that is not empty, and whether a separator follows it, even one with nothing behind.
pub(crate) fn first(text: &str) -> Option<(&str, bool)> {
    let mut pieces = pieces(text).into_iter();
    let (_, first) = pieces.find(|(_, text)| text.lines().any(has_content))?;
    Some((first, pieces.next().is_some()))
}

/// What lies between separators, empty or not, with the line on which it begins.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if is_separator(line) {
            found.push((start_line, &text[start..at]));
            (start, start_line) = (at + SEPARATOR.len(), index + 1);
        }
        at += line.len();
    }
    found.push((start_line, &text[start..]));
    found
}

const SEPARATOR: &str = "---";

fn is_separator(line: &str) -> bool {
    line.strip_prefix(SEPARATOR)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// Comments, directives and the end-of-document mark are no content.
fn has_content(line: &str) -> bool {
    let trimmed = line.trim();
    !(trimmed.is_empty()
        || trimmed.starts_with('#')
        || line.starts_with('%')
        || line.trim_end() == "...")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(usize, usize, &str)> {
        documents(text)
            .into_iter()
            .map(|document| (document.number, document.line, document.text))
            .collect()
    }

    #[test]
    fn a_file_without_separator_is_one_document() {
        assert_eq!(cut("a: 1\n"), [(1, 1, "a: 1\n")]);
        assert_eq!(cut("\n# c\na: 1"), [(1, 3, "\n# c\na: 1")]);
    }

    #[test]
    fn empty_documents_are_left_out_and_not_counted() {
        assert_eq!(
            cut("---\n---\n# only a comment\n---\na: 1\n---\n"),
            [(1, 5, "\na: 1\n")]
        );
        assert_eq!(cut(""), []);
        assert_eq!(
            cut("%YAML 1.1\n---\na: 1\n...\n"),
            [(1, 3, "\na: 1\n...\n")]
        );
    }

    #[test]
    fn what_follows_a_separator_on_its_line_belongs_to_the_document() {
        assert_eq!(
            cut("--- # c\na: 1\n--- {b: 2}\n"),
            [(1, 2, " # c\na: 1\n"), (2, 3, " {b: 2}\n")]
        );
    }

    #[test]
    fn a_separator_behind_the_first_document_is_seen_and_one_before_it_is_not() {
        assert_eq!(first("a: 1\n---\n"), Some(("a: 1\n", true)));
        assert_eq!(first("# c\n---\na: 1\n"), Some(("\na: 1\n", false)));
        assert_eq!(first("---\n# c\n"), None);
    }

    #[test]
    fn windows_lines_are_cut_too_and_dashes_inside_a_line_are_not() {
        assert_eq!(
            cut("a: 1\r\n---\r\nb: 2\r\n"),
            [(1, 1, "a: 1\r\n"), (2, 3, "\r\nb: 2\r\n")]
        );
        assert_eq!(cut("a: |\n  ---\n----\n"), [(1, 1, "a: |\n  ---\n----\n")]);
    }
}
