use super::*;

/// Each version as `chart version url`, with the first digits of its digest.
fn lines(text: &str) -> Result<Vec<String>, Unreadable> {
    let index = read(text.as_bytes())?;
    let lines = index.charts().flat_map(|(name, releases)| {
        releases.iter().map(move |release| {
            let digest = match release.digest {
                Digest::Nothing => String::new(),
                Digest::Sha256([first, ..]) => format!(" {first:02x}"),
                Digest::Unknown => " ?".to_owned(),
            };
            format!("{name} {} {}{digest}", release.version, release.url)
        })
    });
    Ok(lines.collect())
}

fn problem_of(text: &str) -> String {
    match lines(text) {
        Err(Unreadable::Problem(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

const DIGEST: &str = "ab00000000000000000000000000000000000000000000000000000000000000";

#[test]
fn versions_are_read_from_block_and_flow_style_and_from_json() {
    let block = format!(
        "apiVersion: v1\nentries:\n  nginx:\n  - apiVersion: v2\n    dependencies:\n    - name: common\n      version: 1.x\n      \
         repository: https://charts.example\n    description: |\n      version: 9.9.9\n      urls: [no]\n    digest: {DIGEST}\n    \
         urls:\n    - https://h/nginx-1.2.3.tgz\n    - https://mirror/nginx-1.2.3.tgz\n    version: 1.2.3\n  - urls: [charts/b.tgz]\n    \
         version: \"1.2.2\"\n  redis: []\ngenerated: \"2024-01-01T00:00:00Z\"\n"
    );
    let flow = format!(
        "{{generated: x, entries: {{redis: null, nginx: [{{version: 1.2.3, urls: ['https://h/nginx-1.2.3.tgz', b], digest: {DIGEST}}}, \
         {{urls: [charts/b.tgz], version: 1.2.2}}]}}, apiVersion: v1}}"
    );
    let json = format!(
        r#"{{"apiVersion":"v1","entries":{{"nginx":[{{"version":"1.2.3","urls":["https:\/\/h\/nginx-1.2.3.tgz"],"digest":"{DIGEST}",
        "annotations":{{"a":["{{"]}}}},{{"version":"1.2.2","urls":["charts/b.tgz"]}}]}},"generated":"x"}}"#
    );
    let expected = [
        "nginx 1.2.3 https://h/nginx-1.2.3.tgz ab",
        "nginx 1.2.2 charts/b.tgz",
    ];
    for text in [block, flow, json] {
        assert_eq!(lines(&text).unwrap(), expected, "{text}");
    }
}

#[test]
fn comments_anchors_and_other_documents_change_nothing() {
    let text = "# a comment\n---\napiVersion: v1 # another\nentries:\n  ? a\n  : - &x\n      version: &v 1.0.0\n      urls: &u\n      \
                - a.tgz\n      maintainers: &m [{name: jo}]\n    - version: 2.0.0\n      urls: [b.tgz]\n      maintainers: *m\n---\n\
                entries: {b: [{version: 1.0.0, urls: [c]}]}\n";
    assert_eq!(lines(text).unwrap(), ["a 1.0.0 a.tgz", "a 2.0.0 b.tgz"]);
}

#[test]
fn a_version_without_text_or_url_is_passed_over_as_helm_does() {
    let text = "apiVersion: v1\nentries:\n  a:\n  -\n  - version: 1.0.0\n  - version: 1.1.0\n    urls: []\n  - urls: [x]\n  - text\n  \
                - [version]\n  - version: {a: b}\n    urls: [x]\n  - version: 2.0.0\n    urls: [x]\n    digest: sha512:00\n";
    assert_eq!(lines(text).unwrap(), ["a 2.0.0 x ?"]);
}

#[test]
fn an_index_may_be_empty() {
    for text in [
        "apiVersion: v1",
        "apiVersion: v1\nentries:\n",
        "apiVersion: v1\nentries: {}\n",
        "\u{feff}apiVersion: v1\n",
    ] {
        assert_eq!(lines(text).unwrap(), Vec::<String>::new(), "{text:?}");
    }
}

#[test]
fn what_is_no_index_is_told_apart() {
    for (text, problem) in [
        ("", "its index.yaml is no mapping"),
        (
            "<html><body>hunter2</body></html>",
            "its index.yaml is no mapping",
        ),
        ("- a", "its index.yaml is no mapping"),
        ("entries: {}", "its index.yaml has no apiVersion"),
        (
            "apiVersion:\nentries: {}",
            "its index.yaml has no apiVersion",
        ),
        (
            "apiVersion: v1\nentries: []",
            "entries of its index.yaml is no mapping",
        ),
        (
            "apiVersion: v1\nentries: {a: [], a: []}",
            "its index.yaml lists a chart twice",
        ),
        (
            "apiVersion: v1\nhunter2: 'x\n",
            "its index.yaml is not YAML (line 2)",
        ),
        (
            "apiVersion: v1\nentries:\n  a: [",
            "its index.yaml is not YAML (line 3)",
        ),
    ] {
        assert_eq!(problem_of(text), problem, "{text}");
    }
}

#[test]
fn an_alias_in_place_of_what_finds_a_chart_is_refused_rather_than_passed_over() {
    for text in [
        "apiVersion: v1\nx: &x {}\nentries: *x",
        "apiVersion: v1\nx: &x {a: []}\nentries:\n  <<: *x",
        "apiVersion: v1\nx: &x []\nentries:\n  a: *x",
        "apiVersion: v1\nx: &x {version: 1.0.0}\nentries:\n  a: [*x]",
        "apiVersion: v1\nx: &x {version: 1.0.0}\nentries:\n  a: [{<<: *x, urls: [b]}]",
        "apiVersion: v1\nx: &x 1.0.0\nentries:\n  a: [{version: *x, urls: [b]}]",
        "apiVersion: v1\nx: &x [b]\nentries:\n  a: [{version: 1.0.0, urls: *x}]",
        "apiVersion: v1\nx: &x b\nentries:\n  a: [{version: 1.0.0, urls: [*x]}]",
    ] {
        assert!(problem_of(text).contains("YAML alias"), "{text}");
    }
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let many = |count: usize, one: &str| -> String {
        let head = "apiVersion: v1\nentries:\n  a:\n";
        std::iter::once(head)
            .chain(std::iter::repeat_n(one, count))
            .collect()
    };
    let count = KEPT_INDEX_BYTES / RELEASE_BYTES;
    let text = many(count, "  - {version: 1.0.0, urls: [a]}\n");
    assert_eq!(lines(&text).unwrap_err(), Unreadable::TooMany);

    let anchors = many(super::super::super::limits::ANCHORS + 1, "  - &a\n");
    assert_eq!(
        problem_of(&anchors),
        "its index.yaml has too many YAML anchors"
    );

    let long = format!("apiVersion: v1\ndescription: {}\n", "x".repeat(2 << 20));
    assert_eq!(
        problem_of(&long),
        "its index.yaml has a value of more than 1 MiB"
    );
    let comment = format!("apiVersion: v1\n# {}\n", "x".repeat(2 << 20));
    assert_eq!(
        problem_of(&comment),
        "its index.yaml has a value of more than 1 MiB"
    );

    let deep = format!("apiVersion: v1\nx: {}", "[".repeat(100_000));
    assert!(problem_of(&deep).contains("not YAML"));
}
