//! Templates made up from tables and a seed: every function with usual, odd and wrong arguments, alone, piped, nested and
//! in blocks. The same on every run.
//! Nothing that varies, and no map of several keys where its order would show.

use std::collections::BTreeMap;

use super::arguments::{
    ANY, BASE32, BASE64, BINARY, CONSTRAINT, DATE, DICT, DURATION, FLAG, FORMAT, FRACTION, INT,
    JSON, KEY, LAYOUT, LIMIT, LIST, MERGED, MOMENT, NAME_OF_TYPE, ONE_KEY, PASSWORD, PATH, PATTERN,
    Pool, REPLACEMENT, SHOWN_DATE, SUBJECT, TEXT, URL, URL_DICT, VERSION, ZONE,
};
use super::dice::Dice;

/// Names of functions, what each of their arguments is drawn from, and what any number of further ones is.
const TABLE: &[(&str, &[Pool], Option<Pool>)] = &[
    (
        "add addf all any cat coalesce list tuple quote squote print println dict",
        &[],
        Some(ANY),
    ),
    (
        "add1 add1f ceil floor float64 int int64 toDecimal toString toStrings empty duration durationRound",
        &[ANY],
        None,
    ),
    (
        "toJson toPrettyJson toRawJson mustToJson mustToPrettyJson mustToRawJson kindOf typeOf deepCopy mustDeepCopy",
        &[ANY],
        None,
    ),
    (
        "max biggest maxf min minf mul mulf subf divf and or eq",
        &[ANY],
        Some(ANY),
    ),
    (
        "sub div mod deepEqual default ne lt le gt ge",
        &[ANY, ANY],
        None,
    ),
    (
        "append push prepend mustAppend mustPush mustPrepend",
        &[LIST, ANY],
        None,
    ),
    (
        "atoi b32enc b64enc upper lower title untitle swapcase nospace initials trim regexQuoteMeta",
        &[TEXT],
        None,
    ),
    ("camelcase snakecase kebabcase fail", &[TEXT], None),
    (
        "adler32sum sha1sum sha256sum sha512sum b64enc b32enc len html js urlquery",
        &[BINARY],
        None,
    ),
    ("b32dec", &[BASE32], None),
    ("b64dec", &[BASE64], None),
    (
        "base clean dir ext isAbs osBase osClean osDir osExt osIsAbs",
        &[PATH],
        None,
    ),
    ("chunk mustChunk", &[INT, LIST], None),
    (
        "first last rest initial reverse compact uniq sortAlpha len",
        &[LIST],
        None,
    ),
    (
        "mustFirst mustLast mustRest mustInitial mustReverse mustCompact mustUniq",
        &[LIST],
        None,
    ),
    ("concat", &[], Some(LIST)),
    (
        "contains hasPrefix hasSuffix trimAll trimall trimPrefix trimSuffix splitList split",
        &[TEXT, TEXT],
        None,
    ),
    ("date", &[LAYOUT, DATE], None),
    ("dateInZone date_in_zone", &[LAYOUT, DATE, ZONE], None),
    (
        "dateModify date_modify mustDateModify must_date_modify",
        &[DURATION, MOMENT],
        None,
    ),
    ("htmlDate", &[DATE], None),
    ("htmlDateInZone", &[DATE, ZONE], None),
    ("toDate mustToDate", &[LAYOUT, SHOWN_DATE], None),
    ("unixEpoch", &[MOMENT], None),
    ("durationRound", &[DURATION], None),
    ("decryptAES", &[TEXT, BASE64], None),
    ("derivePassword", &[INT, PASSWORD, TEXT, TEXT, TEXT], None),
    ("fromJson mustFromJson", &[JSON], None),
    ("get hasKey unset", &[DICT, KEY], None),
    ("set", &[DICT, KEY, ANY], None),
    ("dig", &[KEY, KEY, ANY, DICT], None),
    ("pluck", &[KEY], Some(DICT)),
    ("omit pick", &[DICT], Some(KEY)),
    ("keys values", &[ONE_KEY], None),
    (
        "merge mustMerge mergeOverwrite mustMergeOverwrite",
        &[MERGED, MERGED],
        None,
    ),
    ("has mustHas", &[ANY, LIST], None),
    ("without mustWithout", &[LIST], Some(ANY)),
    ("slice mustSlice", &[LIST], Some(INT)),
    ("index", &[LIST], Some(INT)),
    ("hello", &[], None),
    (
        "indent nindent repeat trunc wrap abbrev",
        &[INT, TEXT],
        None,
    ),
    ("abbrevboth substr", &[INT, INT, TEXT], None),
    ("wrapWith", &[INT, TEXT, TEXT], None),
    ("replace", &[TEXT, TEXT, TEXT], None),
    ("splitn", &[TEXT, INT, TEXT], None),
    ("join", &[TEXT, LIST], None),
    ("plural", &[TEXT, TEXT, INT], None),
    ("kindIs typeIs typeIsLike", &[NAME_OF_TYPE, ANY], None),
    (
        "regexFind mustRegexFind regexMatch mustRegexMatch",
        &[PATTERN, SUBJECT],
        None,
    ),
    (
        "regexFindAll mustRegexFindAll regexSplit mustRegexSplit",
        &[PATTERN, SUBJECT, LIMIT],
        None,
    ),
    (
        "regexReplaceAll mustRegexReplaceAll regexReplaceAllLiteral mustRegexReplaceAllLiteral",
        &[PATTERN, SUBJECT, REPLACEMENT],
        None,
    ),
    ("round", &[ANY, LIMIT], Some(FRACTION)),
    ("semver", &[VERSION], None),
    ("semverCompare", &[CONSTRAINT, VERSION], None),
    ("seq", &[], Some(INT)),
    ("ternary", &[ANY, ANY, FLAG], None),
    ("until", &[INT], None),
    ("untilStep", &[INT, INT, INT], None),
    ("urlJoin", &[URL_DICT], None),
    ("urlParse", &[URL], None),
    ("not", &[ANY], None),
    ("printf", &[FORMAT], Some(ANY)),
];

/// What surrounds a call; `@` stands for it.
const FORMS: Pool = &[
    "{{ @ }}",
    "{{ @ }}",
    "{{ @ | toJson }}",
    "{{ @ | toJson }}",
    "{{ (@) | printf \"%v|%T\" 1 }}",
    "a {{- @ -}} b",
    "{{ with @ }}{{ . | toJson }}{{ else }}none{{ end }}",
    "{{ $x := @ }}{{ $x }}{{ $x = 1 }}{{ $x }}",
    "{{ if @ }}yes{{ else if .foo }}no{{ end }}",
    "{{ range $i, $e := list (@) }}{{ $i }}={{ $e }};{{ end }}",
    "{{ define \"t\" }}[{{ . }}]{{ end }}{{ template \"t\" (@) }}",
    "{{/* c */}}{{ range until 3 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ @ }}{{ end }}",
    "{{ @ ",
    "{{ @ }}{{ end }}",
    "{{ @ | bogus }}",
    "{{ block \"b\" (@) }}{{ . | typeOf }}{{ break }}{{ end }}",
];

/// How many calls are made up of each function.
const CALLS: usize = 6;

/// Templates by key.
pub(crate) fn templates() -> BTreeMap<String, String> {
    let mut dice = Dice::new(0x5EA1ED);
    let mut templates = BTreeMap::new();
    for (names, pools, rest) in TABLE {
        for name in names.split(' ') {
            for _ in 0..CALLS {
                let key = format!("t{:04}", templates.len());
                templates.insert(key, template(&mut dice, name, pools, *rest));
            }
        }
    }
    templates
}

fn template(dice: &mut Dice, name: &str, pools: &[Pool], rest: Option<Pool>) -> String {
    let mut args: Vec<&str> = pools.iter().map(|pool| dice.throw(pool)).collect();
    if let Some(rest) = rest {
        for _ in 0..dice.below(4) {
            args.push(dice.throw(rest));
        }
    }
    if dice.below(25) == 0 {
        args.pop();
    }
    let call = match args.split_last() {
        Some((last, first)) if dice.below(5) == 0 => format!("{last} | {name} {}", first.join(" ")),
        _ => format!("{name} {}", args.join(" ")),
    };
    dice.throw(FORMS).replace('@', call.trim_end())
}
