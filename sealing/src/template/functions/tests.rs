//! The list of functions against the one that upstream has, and against the page for users.

use super::{GROUPS, find};

/// Go's own functions. Of the functions that upstream adds, sprig's `slice` hides a built-in one.
const BUILT_IN: [&str; 18] = [
    "and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or",
    "print", "printf", "println", "urlquery",
];

/// Of sprig 3.3.0 the generic functions, without `env`, `expandenv` and `getHostByName`.
const SPRIG: &str = "abbrev abbrevboth add add1 add1f addf adler32sum ago all any append atoi b32dec b32enc b64dec \
    b64enc base bcrypt biggest buildCustomCert camelcase cat ceil chunk clean coalesce compact concat contains date \
    dateInZone dateModify date_in_zone date_modify decryptAES deepCopy deepEqual default derivePassword dict dig dir \
    div divf duration durationRound empty encryptAES ext fail first float64 floor fromJson genCA genCAWithKey \
    genPrivateKey genSelfSignedCert genSelfSignedCertWithKey genSignedCert genSignedCertWithKey get has hasKey \
    hasPrefix hasSuffix hello htmlDate htmlDateInZone htpasswd indent initial initials int int64 isAbs join kebabcase \
    keys kindIs kindOf last list lower max maxf merge mergeOverwrite min minf mod mul mulf mustAppend mustChunk \
    mustCompact mustDateModify mustDeepCopy mustFirst mustFromJson mustHas mustInitial mustLast mustMerge \
    mustMergeOverwrite mustPrepend mustPush mustRegexFind mustRegexFindAll mustRegexMatch mustRegexReplaceAll \
    mustRegexReplaceAllLiteral mustRegexSplit mustRest mustReverse mustSlice mustToDate mustToJson mustToPrettyJson \
    mustToRawJson mustUniq mustWithout must_date_modify nindent nospace now omit osBase osClean osDir osExt osIsAbs \
    pick pluck plural prepend push quote randAlpha randAlphaNum randAscii randBytes randInt randNumeric regexFind \
    regexFindAll regexMatch regexQuoteMeta regexReplaceAll regexReplaceAllLiteral regexSplit repeat replace rest \
    reverse round semver semverCompare seq set sha1sum sha256sum sha512sum shuffle slice snakecase sortAlpha split \
    splitList splitn squote sub subf substr swapcase ternary title toDate toDecimal toJson toPrettyJson toRawJson \
    toString toStrings trim trimAll trimPrefix trimSuffix trimall trunc tuple typeIs typeIsLike typeOf uniq unixEpoch \
    unset until untilStep untitle upper urlJoin urlParse uuidv4 values without wrap wrapWith";

/// What upstream's documentation and the names of the functions say of those that never give the same twice. Dates of
/// anything but a moment are those of now, but that is a mistake in a template and not its purpose.
const VARYING: &str = "ago bcrypt encryptAES genCA genCAWithKey genPrivateKey genSelfSignedCert \
    genSelfSignedCertWithKey genSignedCert genSignedCertWithKey htpasswd now randAlpha randAlphaNum randAscii \
    randBytes randInt randNumeric shuffle uuidv4";

fn names() -> Vec<&'static str> {
    let functions = GROUPS
        .iter()
        .flat_map(|(_, tables)| *tables)
        .flat_map(|table| *table);
    let mut names: Vec<&str> = functions.map(|function| function.name).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_functions_are_those_of_upstream() {
    let mut wanted: Vec<&str> = SPRIG.split_whitespace().collect();
    assert_eq!(wanted.len(), 208);
    wanted.extend(BUILT_IN);
    wanted.sort_unstable();
    assert_eq!(names(), wanted);
}

#[test]
fn what_never_gives_the_same_twice_says_so() {
    let varying: Vec<&str> = names()
        .into_iter()
        .filter(|name| find(name).is_some_and(|function| function.varies))
        .collect();
    let wanted: Vec<&str> = VARYING.split_whitespace().collect();
    assert_eq!(varying, wanted);
}

#[test]
fn what_reads_the_surroundings_is_never_there() {
    for name in [
        "env",
        "expandenv",
        "getHostByName",
        "include",
        "tpl",
        "required",
        "lookup",
        "toYaml",
        "fromYaml",
    ] {
        assert!(find(name).is_none(), "{name}");
    }
}

/// The lists of docs/templates.md, as they have to be.
fn page() -> String {
    let mut page = String::new();
    for (group, tables) in GROUPS {
        let mut names: Vec<&str> = tables
            .iter()
            .flat_map(|table| *table)
            .map(|function| function.name)
            .collect();
        names.sort_unstable();
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        page.push_str(&format!("* {group}: {}\n", names.join(" ")));
    }
    page
}

#[test]
fn the_page_for_users_lists_every_function_by_group() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/templates.md");
    let text = std::fs::read_to_string(path).unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in page().lines() {
        assert!(
            words(&text).contains(&words(line)),
            "docs/templates.md should say:\n{}",
            page()
        );
    }
}
