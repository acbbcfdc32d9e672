//! The options of a source as commands that change its kustomization, each the one that Argo CD would run.
//! It runs none of them.

use std::collections::BTreeMap;

use crate::render::KustomizeOptions;

/// Arguments of `kustomize`, one command after the other. `expand` puts in the build environment; `components` are those
/// of the options that count.
pub(super) fn edits(
    options: &KustomizeOptions,
    components: &[String],
    expand: impl Fn(&str) -> String,
) -> Vec<Vec<String>> {
    let images: Vec<_> = options.images.iter().map(|image| expand(image)).collect();
    let replicas: Vec<_> = options
        .replicas
        .iter()
        .map(|(name, count)| format!("{name}={count}"))
        .collect();
    let annotations = pairs(&options.common_annotations, |value| {
        match options.common_annotations_envsubst {
            true => expand(value),
            false => value.to_owned(),
        }
    });
    [
        edit("set nameprefix", one(&options.name_prefix)),
        edit("set namesuffix", one(&options.name_suffix)),
        edit("set image", images),
        edit("set replicas", replicas),
        edit(&add_label(options), pairs(&options.common_labels, expand)),
        edit(&add_annotation(options), annotations),
        edit("set namespace", one(&options.namespace)),
        edit("add component", components.to_vec()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn add_label(options: &KustomizeOptions) -> String {
    let flags = [
        (options.force_common_labels, " --force"),
        (options.label_without_selector, " --without-selector"),
        (options.label_include_templates, " --include-templates"),
    ];
    let flags = flags.iter().filter(|(set, _)| *set).map(|(_, flag)| *flag);
    ["add label"].into_iter().chain(flags).collect()
}

fn add_annotation(options: &KustomizeOptions) -> String {
    match options.force_common_annotations {
        true => "add annotation --force".to_owned(),
        false => "add annotation".to_owned(),
    }
}

/// Nothing to set is no command. What a user wrote is never a flag.
fn edit(command: &str, values: Vec<String>) -> Option<Vec<String>> {
    let words = ["edit"].into_iter().chain(command.split(' ')).chain(["--"]);
    let words = words.map(str::to_owned);
    (!values.is_empty()).then(|| words.chain(values).collect())
}

fn one(value: &str) -> Vec<String> {
    let set = (!value.is_empty()).then(|| value.to_owned());
    set.into_iter().collect()
}

fn pairs(pairs: &BTreeMap<String, String>, value: impl Fn(&str) -> String) -> Vec<String> {
    let pair = |(key, text): (&String, &String)| format!("{key}:{}", value(text));
    pairs.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(options: &KustomizeOptions) -> Vec<String> {
        let expand = |text: &str| text.replace("$NAME", "shop");
        let edits = edits(options, &options.components, expand);
        edits.iter().map(|edit| edit.join(" ")).collect()
    }

    fn map(key: &str, value: &str) -> BTreeMap<String, String> {
        [(key.to_owned(), value.to_owned())].into()
    }

    #[test]
    fn each_option_is_a_command_of_kustomize() {
        let options = KustomizeOptions {
            name_prefix: "-a".to_owned(),
            name_suffix: "-b".to_owned(),
            images: vec!["web:$NAME".to_owned(), "db=postgres@sha256:1".to_owned()],
            replicas: vec![("web".to_owned(), 3)],
            common_labels: map("team", "$NAME"),
            common_annotations: map("by", "$NAME"),
            namespace: "prod".to_owned(),
            components: vec!["../tls".to_owned()],
            ..KustomizeOptions::default()
        };
        assert_eq!(
            commands(&options),
            [
                "edit set nameprefix -- -a",
                "edit set namesuffix -- -b",
                "edit set image -- web:shop db=postgres@sha256:1",
                "edit set replicas -- web=3",
                "edit add label -- team:shop",
                "edit add annotation -- by:$NAME",
                "edit set namespace -- prod",
                "edit add component -- ../tls",
            ]
        );
        assert!(commands(&KustomizeOptions::default()).is_empty());
    }

    #[test]
    fn labels_and_annotations_are_added_as_asked() {
        let options = KustomizeOptions {
            common_labels: map("team", "a"),
            force_common_labels: true,
            label_without_selector: true,
            label_include_templates: true,
            common_annotations: map("by", "$NAME"),
            force_common_annotations: true,
            common_annotations_envsubst: true,
            ..KustomizeOptions::default()
        };
        assert_eq!(
            commands(&options),
            [
                "edit add label --force --without-selector --include-templates -- team:a",
                "edit add annotation --force -- by:shop",
            ]
        );
    }
}
