//! Why `kustomize` failed, in words that hold no value: of all that it says, what is known to be a reason. It quotes patches, literals and
//! whole objects, which may be passwords, so nothing else of it is passed on. It must not lose the place where that is known.

/// What is known, and how it is told; `{}` is a name or a path.
const REASONS: &[(&str, &str)] = &[
    (
        "accumulating resources from '{}'",
        "accumulating resources from '{}'",
    ),
    (
        "evalsymlink failure on '{}' : lstat {}: no such file or directory",
        "'{}': no such file or directory",
    ),
    (
        "open {}: no such file or directory",
        "'{}': no such file or directory",
    ),
    ("read {}: is a directory", "'{}' is a directory"),
    (
        "security; file '{}' is not in or below '{}'",
        "security; file '{}' is not in or below '{}'",
    ),
    (
        "'Kustomization' in directory '{}'",
        "there is no kustomization in directory '{}'",
    ),
    (
        "cycle detected: candidate root '{}' contains visited root '{}'",
        "cycle detected: '{}' contains '{}'",
    ),
    ("invalid Kustomization", "invalid Kustomization"),
    ("unknown field \"{}\"", "unknown field \"{}\""),
    ("into Go struct field {} of type {}", "field {} is no {}"),
    (
        "no resource matches strategic merge patch \"{}\": no matches for Id {}; failed to find unique target for patch {}",
        "no resource matches strategic merge patch {}",
    ),
    (
        "failed to find unique target for patch {}",
        "failed to find a unique target for patch {}",
    ),
    (
        "unable to find patch target \"{}:",
        "unable to find patch target {}",
    ),
    (
        "may not add resource with an already registered id: {}",
        "may not add resource with an already registered id: {}",
    ),
    (
        "external plugins disabled; unable to load external plugin '{}'",
        "external plugins disabled; unable to load external plugin '{}'",
    ),
    (
        "trouble configuring builtin {} with config",
        "trouble configuring {}",
    ),
    (
        "unable to parse SM or JSON patch",
        "unable to parse a strategic merge or JSON patch",
    ),
    (
        "must specify a target for JSON patch",
        "must specify a target for a JSON patch",
    ),
    (
        "Multiple Strategic-Merge Patches in one `patches` entry",
        "several strategic merge patches in one entry of patches may have no target",
    ),
    ("patch appears to be empty", "a patch is empty"),
    (
        "must specify one of patch and path",
        "must specify one of patch and path",
    ),
    (
        "patch and path can't be set at the same time",
        "patch and path can't be set at the same time",
    ),
    (
        "doc is missing path: \"{}\"",
        "a JSON patch is for a path that is missing: {}",
    ),
    (
        "doc is missing key: {}:",
        "a JSON patch is for a path that is missing: {}",
    ),
    (
        "testing value {} failed",
        "a JSON patch found another value at {}",
    ),
    ("Unexpected kind:", "an operation is none of a JSON patch"),
    (
        "wrong node kind: expected {} but got {}:",
        "a patch does not fit its object: expected {}, found {}",
    ),
    (
        "missing metadata.name in object",
        "an object has no metadata.name",
    ),
    ("missing kind in object", "an object has no kind"),
    (
        "namespace transformation produces ID conflict",
        "two objects have the same name in one namespace",
    ),
    (
        "that could accept merge of",
        "several objects could accept a merge",
    ),
    ("invalid literal source", "a literal is not key=value"),
    ("has invalid utf8 bytes", "a file of variables is not UTF-8"),
    (
        "multiple matches for selector {}:",
        "multiple matches for selector {}",
    ),
    (
        "multiple matches for selector {}",
        "multiple matches for selector {}",
    ),
    ("nothing selected by {}:", "nothing selected by {}"),
    ("nothing selected by {}", "nothing selected by {}"),
    (
        "unable to find field \"{}\" in replacement target",
        "unable to find field \"{}\" in replacement target",
    ),
    (
        "is out of bounds for value",
        "the index of a replacement is out of bounds",
    ),
    (
        "Too many possible referral targets",
        "a name may refer to several objects",
    ),
    (
        "label {} already in kustomization file",
        "label {} already in kustomization file",
    ),
    (
        "annotation {} already in kustomization file",
        "annotation {} already in kustomization file",
    ),
    ("invalid label", "a label is invalid"),
    ("invalid annotation", "an annotation is invalid"),
    ("must specify --enable-helm", "must specify --enable-helm"),
    ("no chart found at '{}'", "no chart found at '{}'"),
    (
        "unknown anchor",
        "an anchor is unknown: text that begins with * needs quotes",
    ),
    ("invalid document separator", "invalid document separator"),
    (
        "mapping key \"{}\" already defined",
        "mapping key \"{}\" already defined",
    ),
    ("repeats the key `{}`", "key {} is there twice"),
    (
        "line {}: cannot unmarshal !!",
        "line {}: a value is of another type than expected",
    ),
    (LINE, "line {}: it is no YAML"),
];
const LINE: &str = "yaml: line {}: ";
/// What may be told of what follows that.
const YAML: &[&str] = &[
    "block collection entries are not allowed in this context",
    "block sequence entries are not allowed in this context",
    "control characters are not allowed",
    "could not find expected ':'",
    "did not find expected '-' indicator",
    "did not find expected ',' or ']'",
    "did not find expected ',' or '}'",
    "did not find expected alphabetic or numeric character",
    "did not find expected comment or line break",
    "did not find expected key",
    "did not find expected node content",
    "found a tab character",
    "found character that cannot start any token",
    "found unexpected document indicator",
    "found unexpected end of stream",
    "found unknown escape character",
    "mapping keys are not allowed in this context",
    "mapping values are not allowed in this context",
];
/// Longer ones are no names.
const LONGEST: usize = 300;

/// All reasons that are known in what it said, in their order; `None` where there is none.
pub(super) fn told(said: &str) -> Option<String> {
    // A reason of a component is quoted as a whole.
    let said = said.replace("\\n", "\n").replace('\\', "");
    let mut found: Vec<Found> = REASONS
        .iter()
        .flat_map(|reason| all(reason, &said))
        .collect();
    // Of two that begin together the first of the list counts.
    found.sort_by_key(|found| found.start);
    let mut told: Vec<String> = Vec::new();
    let mut end = 0;
    for reason in found {
        if reason.start >= end && !told.contains(&reason.told) {
            end = reason.end;
            told.push(reason.told);
        }
    }
    (!told.is_empty()).then(|| told.join(": "))
}

struct Found {
    start: usize,
    end: usize,
    told: String,
}

fn all(&(pattern, told): &(&str, &str), said: &str) -> Vec<Found> {
    let mut parts = pattern.split("{}");
    let begin = parts.next().unwrap_or_default();
    let starts = said.match_indices(begin).map(|(start, _)| start);
    let found = starts.filter_map(|start| {
        let mut rest = &said[start + begin.len()..];
        let mut shown = told.to_owned();
        for part in parts.clone() {
            let length = match part {
                "" => rest.find(is_odd).unwrap_or(rest.len()),
                part => rest.find(part)?,
            };
            let name = rest[..length].trim_end_matches([':', '.']);
            if name.is_empty() || name.len() > LONGEST || name.contains(is_odd) {
                return None;
            }
            shown = shown.replacen("{}", name, 1);
            rest = &rest[length + part.len()..];
        }
        if pattern == LINE
            && let Some(problem) = YAML.iter().find(|problem| rest.starts_with(**problem))
        {
            shown = shown.replace("it is no YAML", problem);
        }
        Some(Found {
            start,
            end: said.len() - rest.len(),
            told: shown,
        })
    });
    found.collect()
}

/// No name and no path has it, but a text that was taken for one may.
fn is_odd(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "'\"`{}=,;".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_it_says_the_reason_is_told_and_no_value() {
        for (said, expected) in [
            (
                "Error: accumulating resources: accumulation err='accumulating resources from 'no.yaml': evalsymlink failure on 'app/no.yaml' : lstat app/no.yaml: no such file or directory': must build at directory: not a valid directory: evalsymlink failure on 'app/no.yaml' : lstat app/no.yaml: no such file or directory",
                "accumulating resources from 'no.yaml': 'app/no.yaml': no such file or directory",
            ),
            (
                "Error: accumulating resources: accumulation err='merging resources from 't.yaml': may not add resource with an already registered id: Secret.v1.[noGrp]/db.[noNs]': must build at directory: 'dup/t.yaml': file is not directory",
                "may not add resource with an already registered id: Secret.v1.[noGrp]/db.[noNs]",
            ),
            (
                "Error: invalid Kustomization: json: unknown field \"resorces\"",
                "invalid Kustomization: unknown field \"resorces\"",
            ),
            (
                "Error: invalid Kustomization: json: cannot unmarshal number 1.5 into Go struct field Replica.replicas.count of type int64",
                "invalid Kustomization: field Replica.replicas.count is no int64",
            ),
            (
                "Error: accumulating resources: accumulating resources from 's.yaml': MalformedYAMLError: yaml: line 3: mapping values are not allowed in this context in File: s.yaml",
                "accumulating resources from 's.yaml': line 3: mapping values are not allowed in this context",
            ),
            (
                "Error: accumulating resources: accumulating resources from 's.yaml': MalformedYAMLError: yaml: unknown anchor 'hunter2' referenced in File: s.yaml",
                "accumulating resources from 's.yaml': an anchor is unknown: text that begins with * needs quotes",
            ),
            (
                "Error: loading KV pairs: literal sources [token=hunter2 oops]: invalid literal source oops, expected key=value",
                "a literal is not key=value",
            ),
            (
                "Error: wrong node kind: expected ScalarNode but got MappingNode: node contents:\n{b: hunter2}",
                "a patch does not fit its object: expected ScalarNode, found MappingNode",
            ),
            (
                "Error: accumulating components: accumulateDirectory: \"recursed accumulation of path 'comp': trouble configuring builtin PatchTransformer with config: `\\npatch: 'hunter2'\\ntarget:\\n  kind: Secret\\n`: unable to parse SM or JSON patch from [patch: \\\"hunter2\\\"]\"",
                "trouble configuring PatchTransformer: unable to parse a strategic merge or JSON patch",
            ),
            (
                "Error: no resource matches strategic merge patch \"Secret.v1.[noGrp]/a.[noNs]\": no matches for Id Secret.v1.[noGrp]/a.[noNs]; failed to find unique target for patch Secret.v1.[noGrp]/a.[noNs]",
                "no resource matches strategic merge patch Secret.v1.[noGrp]/a.[noNs]",
            ),
            (
                "Error: accumulating resources from '{kind: Secret, token: hunter2}': evalsymlink failure on '{kind: Secret}' : lstat {kind: Secret}: no such file or directory\nError: invalid label value: \"hunter2\"",
                "a label is invalid",
            ),
        ] {
            assert_eq!(told(said).as_deref(), Some(expected), "{said}");
        }
        assert_eq!(told("Error: something new about hunter2"), None);
    }
}
