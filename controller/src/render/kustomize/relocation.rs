//! Bases of other repositories in the folder of a render: where each lies, the kustomizations that name it by URL changed to
//! name it by path, and the words of kustomize changed back. A child has no network, so it never sees a URL.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde_json::Value;

use super::closure::{Located, Part, Place};
use super::references::BASES;
use crate::render::{
    RenderError,
    child::Scratch,
    files::{join, scratch as unwritable},
    value,
};

/// Where the source is, from the root of the scratch folder, and where the others are.
const SOURCE: &str = "tree";
const OTHERS: &str = "tmp/remote-base-";

/// The folder of a repository, from the root of the scratch folder.
fn folder(part: usize) -> String {
    match part {
        0 => SOURCE.to_owned(),
        part => format!("{OTHERS}{part}"),
    }
}

/// The path from a directory of one repository to one of another.
pub(super) fn path(from: &Place, to: &Place) -> String {
    let here = join(&folder(from.part), &from.path);
    let up = here.split('/').filter(|part| !part.is_empty()).count();
    let there = join(&folder(to.part), &to.path);
    format!("{}{}", "../".repeat(up), there.trim_end_matches('/'))
}

/// Writes the files of all repositories.
pub(super) fn write(parts: Vec<Part>, scratch: &Scratch) -> Result<(), RenderError> {
    for (index, part) in parts.into_iter().enumerate() {
        let into = scratch.root().join(folder(index));
        let made = fs::create_dir_all(&into);
        made.map_err(|error| unwritable("the source", &error))?;
        part.files.write(&into)?;
    }
    Ok(())
}

/// Has each kustomization name bases by their paths.
pub(super) fn rewrite(located: &Located, scratch: &Scratch) -> Result<(), RenderError> {
    for ((part, file), bases) in located {
        // The Application names its own in the commands that change the kustomization.
        if file.is_empty() {
            continue;
        }
        let on_disk = scratch.root().join(folder(*part)).join(file);
        let (directory, _) = file.rsplit_once('/').unwrap_or_default();
        let from = Place {
            part: *part,
            path: directory.to_owned(),
        };
        let paths: BTreeMap<_, _> = bases
            .iter()
            .map(|(url, to)| (url.as_str(), path(&from, to)))
            .collect();
        rewrite_one(&on_disk, &paths).map_err(|error| unwritable(file, &error))?;
    }
    Ok(())
}

fn rewrite_one(file: &Path, paths: &BTreeMap<&str, String>) -> io::Result<()> {
    let mut kustomization =
        value::yaml(&fs::read_to_string(file)?).map_err(|error| io::Error::other(error.problem))?;
    for field in BASES {
        let list = kustomization.get_mut(field).and_then(Value::as_array_mut);
        for base in list.into_iter().flatten() {
            if let Some(path) = base.as_str().and_then(|url| paths.get(url)) {
                *base = path.as_str().into();
            }
        }
    }
    // A link may lead to the kustomization of another directory, to which the paths are others.
    fs::remove_file(file)?;
    fs::write(file, kustomization.to_string())
}

/// The words of kustomize with repositories by their URLs.
pub(super) fn in_repositories(words: &str, urls: &[String]) -> String {
    let mut words = words.to_owned();
    // The longest number first: one begins with another.
    for (index, url) in urls.iter().enumerate().rev() {
        let name = folder(index + 1);
        let name = name.rsplit_once('/').map_or(&*name, |(_, name)| name);
        let mut shown = String::with_capacity(words.len());
        let mut rest = &*words;
        while let Some(at) = rest.find(name) {
            let before = rest[..at].trim_end_matches("tmp/");
            shown.push_str(before.trim_end_matches("../"));
            shown.push_str(url);
            rest = &rest[at + name.len()..];
            if rest.starts_with('/') {
                shown.push('/');
            }
        }
        words = shown + rest;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_from_one_repository_to_another_and_is_shown_as_its_url() {
        let place = |part, path: &str| Place {
            part,
            path: path.to_owned(),
        };
        let urls = ["https://a.org/one", "https://a.org/two"].map(str::to_owned);
        for (from, to, by_path, shown) in [
            (
                place(0, ""),
                place(1, ""),
                "../tmp/remote-base-1",
                "https://a.org/one",
            ),
            (
                place(0, "a/b"),
                place(2, "c"),
                "../../../tmp/remote-base-2/c",
                "https://a.org/two//c",
            ),
            (
                place(1, "d"),
                place(2, ""),
                "../../../tmp/remote-base-2",
                "https://a.org/two",
            ),
        ] {
            assert_eq!(path(&from, &to), by_path);
            assert_eq!(
                in_repositories(&format!("from '{by_path}': no"), &urls),
                format!("from '{shown}': no")
            );
        }
    }
}
