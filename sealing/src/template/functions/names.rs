//! Names of sprig functions that upstream offers and we do not yet: the error for them says so.
//! A function leaves this list when it gets an implementation; a test keeps both apart.

/// Of sprig v3.3.0 without `env`, `expandenv` and `getHostByName`, which stay out for good.
pub(crate) const LATER: &[&str] = &[
    "abbrev",
    "abbrevboth",
    "add1f",
    "addf",
    "ago",
    "all",
    "any",
    "append",
    "b32dec",
    "b32enc",
    "base",
    "bcrypt",
    "biggest",
    "buildCustomCert",
    "camelcase",
    "ceil",
    "chunk",
    "clean",
    "compact",
    "concat",
    "date",
    "dateInZone",
    "dateModify",
    "date_in_zone",
    "date_modify",
    "decryptAES",
    "deepCopy",
    "deepEqual",
    "derivePassword",
    "dig",
    "dir",
    "divf",
    "duration",
    "durationRound",
    "encryptAES",
    "ext",
    "floor",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
    "hello",
    "htmlDate",
    "htmlDateInZone",
    "htpasswd",
    "initial",
    "initials",
    "isAbs",
    "kebabcase",
    "keys",
    "kindIs",
    "kindOf",
    "maxf",
    "merge",
    "mergeOverwrite",
    "minf",
    "mulf",
    "mustAppend",
    "mustChunk",
    "mustCompact",
    "mustDateModify",
    "mustDeepCopy",
    "mustFirst",
    "mustFromJson",
    "mustHas",
    "mustInitial",
    "mustLast",
    "mustMerge",
    "mustMergeOverwrite",
    "mustPrepend",
    "mustPush",
    "mustRegexFind",
    "mustRegexFindAll",
    "mustRegexMatch",
    "mustRegexReplaceAll",
    "mustRegexReplaceAllLiteral",
    "mustRegexSplit",
    "mustRest",
    "mustReverse",
    "mustSlice",
    "mustToDate",
    "mustToJson",
    "mustToPrettyJson",
    "mustToRawJson",
    "mustUniq",
    "mustWithout",
    "must_date_modify",
    "now",
    "omit",
    "osBase",
    "osClean",
    "osDir",
    "osExt",
    "osIsAbs",
    "pick",
    "pluck",
    "plural",
    "prepend",
    "push",
    "randAlpha",
    "randAlphaNum",
    "randAscii",
    "randBytes",
    "randInt",
    "randNumeric",
    "regexFind",
    "regexFindAll",
    "regexMatch",
    "regexQuoteMeta",
    "regexReplaceAll",
    "regexReplaceAllLiteral",
    "regexSplit",
    "rest",
    "reverse",
    "semver",
    "semverCompare",
    "seq",
    "set",
    "shuffle",
    "snakecase",
    "sortAlpha",
    "splitn",
    "subf",
    "swapcase",
    "toDate",
    "toDecimal",
    "toPrettyJson",
    "toStrings",
    "typeIs",
    "typeIsLike",
    "typeOf",
    "uniq",
    "unixEpoch",
    "unset",
    "untilStep",
    "urlJoin",
    "urlParse",
    "uuidv4",
    "values",
    "without",
    "wrap",
    "wrapWith",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::functions::{TABLES, find};

    /// Go's own functions. Of the 208 functions that upstream adds, sprig's `slice` hides a built-in one.
    const BUILT_IN: [&str; 16] = [
        "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "print",
        "printf", "println", "urlquery",
    ];

    #[test]
    fn every_function_of_upstream_is_either_here_or_to_come() {
        assert!(
            LATER.iter().all(|name| find(name).is_none()),
            "a function has come: take it off the list"
        );
        assert!(BUILT_IN.iter().all(|name| find(name).is_some()));
        let here = TABLES.into_iter().flatten().count() - BUILT_IN.len();
        assert_eq!(here + LATER.len(), 208);
    }

    #[test]
    fn the_page_for_users_lists_every_function() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/templates.md");
        let page = std::fs::read_to_string(path).unwrap();
        let missing: Vec<&str> = TABLES
            .into_iter()
            .flatten()
            .map(|function| function.name)
            .filter(|name| !page.contains(&format!("`{name}`")))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
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
        ] {
            assert!(find(name).is_none() && !LATER.contains(&name), "{name}");
        }
    }
}
