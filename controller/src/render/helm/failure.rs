//! What `helm` said when it failed, with the files of the repository that it speaks of; and the failures that we ask for.

use super::unquoted::unquoted;
use crate::render::RenderError;

/// Template functions that ask somebody, which fail when nobody answers.
const ASKING: [&str; 2] = ["lookup", "getHostByName"];

/// A failure of `helm` for the chart `name`, which lies in `directory`.
pub(super) fn explained(error: RenderError, name: &str, directory: &str) -> RenderError {
    let RenderError::Program { command, words } = error else {
        return error;
    };
    for function in ASKING {
        if let Some(end) = words.find(&format!("error calling {function}:")) {
            let file = place(&words[..end]).unwrap_or_default();
            let file = in_repository(file, name, directory);
            return RenderError::Asked { file, function };
        }
    }
    RenderError::Program {
        command,
        words: in_repository(&unquoted(&words), name, directory),
    }
}

/// The last place that is named: `FILE:LINE` out of `template: FILE:LINE:COLUMN: executing …`.
fn place(words: &str) -> Option<&str> {
    let (_, last) = words.rsplit_once("template: ")?;
    let end = last.match_indices(':').nth(1)?.0;
    Some(&last[..end])
}

/// Helm names files by the chart's name; people look for them where they lie.
pub(super) fn in_repository(words: &str, name: &str, directory: &str) -> String {
    const BELOW: [&str; 4] = ["/templates/", "/charts/", "/crds/", "/values.schema.json"];
    if name.is_empty() {
        return words.to_owned();
    }
    let mut shown = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        let begins = !before.ends_with(|c: char| c == '/' || c == '-' || c.is_alphanumeric());
        shown.push_str(before);
        let of_chart = begins && BELOW.iter().any(|below| after.starts_with(below));
        shown.push_str(if of_chart { directory } else { name });
        rest = match of_chart && directory.is_empty() {
            true => &after[1..],
            false => after,
        };
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &str) -> String {
        let error = RenderError::Program {
            command: "helm template".to_owned(),
            words: words.to_owned(),
        };
        explained(error, "web", "charts/web").to_string()
    }

    #[test]
    fn files_are_named_as_they_lie_in_the_repository() {
        assert_eq!(
            told(
                r#"template: web/templates/a.yaml:3:5: executing "web/templates/a.yaml" at <fail "no">: error calling fail: no"#
            ),
            r#"helm template failed: template: charts/web/templates/a.yaml:3:5: executing "charts/web/templates/a.yaml" at <fail "no">: error calling fail: no"#
        );
        assert_eq!(
            told("charts/web/templates/a.yaml of web"),
            "helm template failed: charts/web/templates/a.yaml of web"
        );
    }

    #[test]
    fn a_template_that_asks_the_cluster_is_named_with_its_line() {
        let words = r#"template: web/templates/a.yaml:2:3: executing "web/templates/a.yaml" at <include "p" .>: error calling include: template: web/templates/_p.tpl:7:9: executing "p" at <lookup "v1" "Secret" "" "">: error calling lookup: unable to get apiresource"#;
        assert_eq!(
            told(words),
            "charts/web/templates/_p.tpl:7: the template function lookup asks the cluster, which no render does"
        );
    }
}
