use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use tar::{Builder, Header};

use super::*;

const CHART_YAML: &[u8] = b"apiVersion: v2\nname: nginx\nversion: 1.2.3\n";

fn entry(builder: &mut Builder<GzEncoder<Vec<u8>>>, kind: EntryType, name: &[u8], content: &[u8]) {
    let mut header = Header::new_gnu();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name);
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o7777);
    header.set_cksum();
    builder.append(&header, content).unwrap();
}

fn packed(entries: &[(EntryType, &[u8], &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (kind, name, content) in entries {
        entry(&mut builder, *kind, name, content);
    }
    builder.into_inner().unwrap().finish().unwrap()
}

/// A chart with one more entry.
fn with(kind: EntryType, name: &[u8], content: &[u8]) -> Vec<u8> {
    packed(&[
        (EntryType::Regular, b"nginx/Chart.yaml", CHART_YAML),
        (kind, name, content),
    ])
}

fn problem_of(archive: &[u8]) -> String {
    match inspect(archive) {
        Err(Flaw::Problem(problem)) => problem,
        Err(Flaw::TooLarge { what, limit }) => format!("the {what} exceeds {limit}"),
        other => panic!("{other:?}"),
    }
}

/// Each file below `root` and what is in it.
fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.push(format!(
                    "{name}: {}",
                    fs::read_to_string(&path).unwrap().len()
                ));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_chart_is_unpacked_without_the_directory_that_holds_it() {
    let long = format!("nginx-1.2.3/templates/{}.yaml", "x".repeat(120));
    let extension = format!("{} path={long}\n", long.len() + 10);
    let archive = packed(&[
        (
            EntryType::XGlobalHeader,
            b"pax_global_header",
            b"52 comment=0123456789012345678901234567890123456789\n",
        ),
        (EntryType::Directory, b"nginx-1.2.3/", b""),
        (EntryType::Regular, b"./nginx-1.2.3/Chart.yaml", CHART_YAML),
        (
            EntryType::Regular,
            b"nginx-1.2.3/templates/a.yaml",
            b"kind: A",
        ),
        (EntryType::XHeader, b"x", extension.as_bytes()),
        (EntryType::Regular, b"nginx-1.2.3/short", b"long"),
        (
            EntryType::GNULongName,
            b"././@LongLink",
            b"nginx-1.2.3/charts/b/values.yaml\0",
        ),
        (EntryType::Regular, b"nginx-1.2.3/short", b"{}"),
        (EntryType::Regular, b"nginx-1.2.3\\crds\\c.yaml", b"kind: C"),
    ]);
    assert_eq!(
        inspect(&archive).unwrap(),
        Metadata {
            name: "nginx".to_owned(),
            version: "1.2.3".to_owned()
        }
    );
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("nginx");
    unpack(&archive, &root).unwrap();
    assert_eq!(
        files(&root),
        [
            "Chart.yaml: 42".to_owned(),
            "charts/b/values.yaml: 2".to_owned(),
            "crds/c.yaml: 7".to_owned(),
            "templates/a.yaml: 7".to_owned(),
            format!("templates/{}.yaml: 4", "x".repeat(120)),
        ]
    );
    assert!(
        matches!(unpack(&archive, &root), Err(Flaw::Disk(_))),
        "never over what is there"
    );
}

#[test]
fn what_would_leave_the_chart_is_refused() {
    for (kind, name, problem) in [
        (
            EntryType::Regular,
            &b"/etc/passwd"[..],
            r#""/etc/passwd" in its archive leaves the chart"#,
        ),
        (
            EntryType::Regular,
            b"nginx/../../x",
            r#""nginx/../../x" in its archive leaves the chart"#,
        ),
        (
            EntryType::Regular,
            b"..",
            r#"".." in its archive leaves the chart"#,
        ),
        (
            EntryType::Regular,
            b"nginx\\..\\x",
            r#""nginx\\..\\x" in its archive leaves the chart"#,
        ),
        (
            EntryType::Regular,
            b"nginx\\a/../../x",
            r#""nginx\\a/../../x" in its archive leaves the chart"#,
        ),
        (
            EntryType::Directory,
            b"../x/",
            r#""../x/" in its archive leaves the chart"#,
        ),
        (
            EntryType::Symlink,
            b"nginx/link",
            r#""nginx/link" in its archive is a link"#,
        ),
        (
            EntryType::Link,
            b"nginx/link",
            r#""nginx/link" in its archive is a link"#,
        ),
        (
            EntryType::Block,
            b"nginx/sda",
            r#""nginx/sda" in its archive is neither a file nor a directory"#,
        ),
        (
            EntryType::Char,
            b"nginx/tty",
            r#""nginx/tty" in its archive is neither a file nor a directory"#,
        ),
        (
            EntryType::Fifo,
            b"nginx/pipe",
            r#""nginx/pipe" in its archive is neither a file nor a directory"#,
        ),
        (
            EntryType::GNUSparse,
            b"nginx/holes",
            r#""nginx/holes" in its archive is neither a file nor a directory"#,
        ),
        (
            EntryType::Regular,
            b"README.md",
            r#""README.md" in its archive lies outside the chart's directory"#,
        ),
        (
            EntryType::Regular,
            b"nginx/a\x07b",
            r#""nginx/a\u{7}b" in its archive has a control character in its name"#,
        ),
        (
            EntryType::Regular,
            b"nginx/\xff",
            "\"nginx/\u{fffd}\" in its archive is not UTF-8",
        ),
    ] {
        assert_eq!(problem_of(&with(kind, name, b"")), problem);
    }
    let extension = b"22 path=nginx/../../x\n";
    let archive = packed(&[
        (EntryType::XHeader, b"x", extension),
        (EntryType::Regular, b"nginx/Chart.yaml", CHART_YAML),
    ]);
    assert_eq!(
        problem_of(&archive),
        r#""nginx/../../x" in its archive leaves the chart"#
    );
    let doubled = with(EntryType::XHeader, b"x", b"10 size=9\n");
    assert_eq!(
        problem_of(&doubled),
        "its archive gives the size of a file twice"
    );
}

#[test]
fn what_is_no_chart_is_told_apart() {
    let chart_yaml = |text: &[u8]| packed(&[(EntryType::Regular, b"nginx/Chart.yaml", text)]);
    let whole = with(EntryType::Regular, b"nginx/values.yaml", &[b'x'; 4096]);
    let no_name = "its Chart.yaml has no name and version";
    let odd_name = "the name in its Chart.yaml is none of letters, digits, . _ and -";
    for (archive, problem) in [
        (
            b"<html>hunter2</html>".to_vec(),
            "its archive is no whole tar file compressed with gzip",
        ),
        (
            whole[..whole.len() / 2].to_vec(),
            "its archive is no whole tar file compressed with gzip",
        ),
        (
            packed(&[]),
            "its archive has no Chart.yaml in a directory of its own",
        ),
        (chart_yaml(b"hunter2: ["), no_name),
        (chart_yaml(b"name: nginx"), no_name),
        (chart_yaml(b"name: ../nginx\nversion: 1.0.0"), odd_name),
        (chart_yaml(b"name: .\nversion: 1.0.0"), odd_name),
        (chart_yaml(b"\xff"), "its Chart.yaml is not UTF-8"),
    ] {
        assert_eq!(problem_of(&archive), problem);
    }
}

#[test]
fn an_archive_that_unpacks_without_end_is_refused() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
    let mut header = Header::new_gnu();
    header.set_path("nginx/zeros").unwrap();
    header.set_size(u64::MAX >> 8);
    header.set_cksum();
    bomb.write_all(header.as_bytes()).unwrap();
    for _ in 0..=UNPACKED_BYTES >> 20 {
        bomb.write_all(&[0; 1 << 20]).unwrap();
    }
    assert_eq!(
        problem_of(&bomb.finish().unwrap()),
        "the unpacked archive exceeds 100 MiB"
    );

    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for _ in 0..=ENTRIES {
        entry(&mut builder, EntryType::Directory, b"nginx/", b"");
    }
    let many = builder.into_inner().unwrap().finish().unwrap();
    assert_eq!(
        problem_of(&many),
        "the number of files in its archive exceeds 10000"
    );

    let name = with(EntryType::GNULongName, b"x", &[b'x'; EXTENSION_BYTES + 1]);
    assert_eq!(
        problem_of(&name),
        "the name of a file in its archive exceeds 64 KiB"
    );
    let chart_yaml = packed(&[(
        EntryType::Regular,
        b"nginx/Chart.yaml",
        &[b'#'; CHART_YAML_BYTES + 1],
    )]);
    assert_eq!(problem_of(&chart_yaml), "the Chart.yaml exceeds 1 MiB");
}
