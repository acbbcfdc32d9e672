//! The commands of docs/format.md, run in a shell: the page must stay true, and openssl must agree with us.
//! A block begins with ```console; lines that begin with `$ ` are run, the others are what they print.

use std::path::Path;
use std::process::Command;

/// Commands and expected output of each console block.
fn blocks(page: &str) -> Vec<(String, String)> {
    page.split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .map(|block| {
            let (commands, output): (Vec<&str>, Vec<&str>) =
                block.lines().partition(|line| line.starts_with("$ "));
            let commands: Vec<&str> = commands.iter().map(|line| &line[2..]).collect();
            (
                commands.join("\n"),
                output.iter().map(|line| format!("{line}\n")).collect(),
            )
        })
        .collect()
}

#[test]
fn the_page_about_the_format_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap();
    let page = std::fs::read_to_string(root.join("docs/format.md")).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("format");
    std::fs::create_dir_all(&folder).unwrap();
    let blocks = blocks(&page);
    assert!(blocks.len() >= 4);
    for (commands, wanted) in blocks {
        let output = Command::new("sh")
            .args(["-e", "-c", &commands])
            .current_dir(&folder)
            .env("VECTORS", root.join("tests/vectors/sealed-secrets"))
            .output()
            .expect("sh");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{commands}\n{errors}");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            wanted,
            "{commands}\n{errors}"
        );
    }
}
