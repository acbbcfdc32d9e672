//! What revisions mean in listings that are written down here.

use super::*;

const A: &str = "aaaaaaaa00000000000000000000000000000001";
const B: &str = "aaaaaaaa00000000000000000000000000000002";
const C: &str = "cccccccc00000000000000000000000000000003";
const TAG: &str = "dddddddd00000000000000000000000000000004";

fn url() -> RepositoryUrl {
    RepositoryUrl::parse("https://git.example/a").unwrap()
}

fn refs() -> Refs {
    let listed = [
        ("HEAD", A),
        ("refs/heads/main", A),
        ("refs/heads/v1", C),
        ("refs/tags/v1", B),
        ("refs/tags/v2", B),
        ("refs/heads/deadbeef", C),
    ];
    Refs(
        listed
            .iter()
            .map(|(name, id)| ((*name).to_owned(), id.parse::<CommitId>().unwrap().0))
            .collect(),
        ["refs/tags/v1", "refs/tags/v2"]
            .map(|name| (name.to_owned(), TAG.parse::<CommitId>().unwrap().0))
            .into(),
    )
}

fn meaning(revision: &str) -> String {
    match refs().meaning(&url(), &revision.into()) {
        Ok(Meaning::Commit(id)) => id.to_string(),
        Ok(Meaning::ShortSha(_)) => "short".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn head_is_meant_by_its_name_and_by_nothing() {
    assert_eq!(meaning("HEAD"), A);
    assert_eq!(meaning(""), A);
}

#[test]
fn a_branch_wins_over_a_tag_of_its_name_and_over_a_sha() {
    assert_eq!(meaning("v1"), C);
    assert_eq!(meaning("refs/tags/v1"), B);
    assert_eq!(meaning("tags/v1"), B);
    assert_eq!(meaning("v2"), B);
    assert_eq!(meaning("deadbeef"), C);
}

#[test]
fn a_tag_is_found_where_the_revision_names_it_and_no_branch_hides_it() {
    let tag = |revision: &str, commit: &str| {
        let tag = refs().annotated_tag(&revision.into(), commit.parse().unwrap());
        tag.map(|id| id.to_string())
    };
    assert_eq!(tag("v2", B), Some(TAG.to_owned()));
    assert_eq!(tag("refs/tags/v1", B), Some(TAG.to_owned()));
    assert_eq!(tag("v2", A), None);
    assert_eq!(tag("v1", C), None);
    assert_eq!(tag("main", A), None);
}

#[test]
fn of_a_range_the_tag_counts_that_chose_the_commit() {
    let id = |text: &str| text.parse::<CommitId>().unwrap().0;
    let tags = [
        ("web-1.0.0", A),
        ("web-1.1.0", B),
        ("web-1.2.0", C),
        ("web-1.1.1", B),
    ];
    let listed = tags.map(|(tag, commit)| (format!("refs/tags/{tag}"), id(commit)));
    // 1.1.1, which leads to the commit of 1.1.0 too, is not annotated.
    let annotated = ["web-1.0.0", "web-1.1.0", "web-1.2.0"];
    let annotated = annotated.map(|tag| (format!("refs/tags/{tag}"), id(TAG)));
    let refs = Refs(listed.into(), annotated.into());
    for (range, prefix, commit, found) in [
        ("1.*", "web-", C, true),
        ("1.*", "web-", A, true),
        ("1.*", "web-", B, false),
        ("<1.1.1", "web-", B, true),
        ("2.*", "web-", C, false),
        ("1.*", "api-", C, false),
        ("1.*", "", C, false),
    ] {
        let tag = refs.annotated_tag(&Revision::of(range, prefix), commit.parse().unwrap());
        assert_eq!(tag.is_some(), found, "{range} {prefix} {commit}");
    }
}

#[test]
fn the_beginning_of_a_sha_means_the_one_commit_that_has_it() {
    assert_eq!(meaning("ccccccc"), C);
    assert_eq!(meaning("CCCCCCCC00"), C);
    assert_eq!(
        meaning("aaaaaaaa"),
        "https://git.example/a: revision \"aaaaaaaa\" is ambiguous"
    );
    assert_eq!(meaning("bbbbbbb"), "short");
    assert_eq!(
        meaning("cccccc"),
        "https://git.example/a: revision \"cccccc\" not found"
    );
}

fn highest(tags: &[&str], range: &str, prefix: &str) -> String {
    let listed = tags.iter().enumerate().map(|(number, tag)| {
        let id = format!("{number:040x}").parse::<CommitId>().unwrap();
        (format!("refs/tags/{tag}"), id.0)
    });
    let mut refs = Refs(listed.collect(), BTreeMap::new());
    refs.0.insert(
        "refs/heads/9.9.9".to_owned(),
        A.parse::<CommitId>().unwrap().0,
    );
    match refs.meaning(&url(), &Revision::of(range, prefix)) {
        Ok(Meaning::Commit(id)) => {
            let number = usize::from_str_radix(&id.to_string(), 16).unwrap();
            tags[number].to_owned()
        }
        Ok(Meaning::ShortSha(_)) => "short".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_range_means_the_highest_version_in_it_that_a_tag_has() {
    let tags = [
        "1.2.3",
        "v1.10.0",
        "1.9.9",
        "2.0.0",
        "3.0.0-rc.1",
        "nightly",
        "1.x",
    ];
    for (range, expected) in [
        ("1.*", "v1.10.0"),
        ("^1.2", "v1.10.0"),
        ("~1.9", "1.9.9"),
        (">=1 <2", "v1.10.0"),
        (">=1.2, <1.9", "1.2.3"),
        ("*", "2.0.0"),
        (">=3.0.0-0", "3.0.0-rc.1"),
        ("1.2.* || 2.*", "2.0.0"),
    ] {
        assert_eq!(highest(&tags, range, ""), expected, "{range}");
    }
    assert_eq!(
        highest(&tags, "4.*", ""),
        "https://git.example/a: no tag is a version within \"4.*\""
    );
}

#[test]
fn with_a_prefix_only_tags_behind_it_count() {
    let tags = ["web-1.0.0", "web-1.1.0", "api-2.0.0", "3.0.0"];
    assert_eq!(highest(&tags, "*", "web-"), "web-1.1.0");
    assert_eq!(highest(&tags, "*", "api-"), "api-2.0.0");
    assert_eq!(highest(&tags, "*", ""), "3.0.0");
    assert_eq!(
        highest(&tags, "2.*", "web-"),
        "https://git.example/a: no tag is a version within \"2.*\" behind \"web-\""
    );
}

#[test]
fn what_no_ref_is_called_is_not_looked_for() {
    for no_name in [
        "a..b",
        "-x",
        "refs/a//b",
        "refs/a.lock",
        "a:b",
        "refs/heads/",
        "main^",
        "main~1",
    ] {
        assert!(
            Revision::of(no_name, "").check(&url()).is_err(),
            "{no_name}"
        );
    }
    assert!(Revision::of("feature/x-1.2_3", "").check(&url()).is_ok());
}
