//! Templates made up from tables and a seed: every function with usual, odd and wrong arguments, alone, piped, nested and
//! in blocks. The same on every run.
//! Nothing that varies, and no map of several keys where its order would show.

use std::collections::BTreeMap;

type Pool = &'static [&'static str];

const TEXT: Pool = &[
    r#""""#,
    r#""a""#,
    r#""Hello World""#,
    ".foo",
    ".uni",
    ".multi",
    ".csv",
    r#""foo_bar-baz qux""#,
    r#""  x  ""#,
    r#""FooBarBAZ9x1""#,
    r#"`a"b\c<&>`"#,
    "nil",
    "3",
    ".nope",
    "(.foo | upper)",
];
const BINARY: Pool = &[".bin", ".uni", r#""plain""#, ".foo"];
const INT: Pool = &[
    "0",
    "1",
    "-1",
    "3",
    "100",
    "(int 3)",
    "1.5",
    r#""x""#,
    "(add 1 2)",
    "5",
    "7",
    "2.0",
    "'a'",
    "(len .foo)",
];
const ANY: Pool = &[
    "nil",
    "true",
    "false",
    "0",
    "-7",
    "1.5",
    "-2.5",
    r#""x""#,
    r#""""#,
    r#""12""#,
    r#""0x1f""#,
    r#""1.0""#,
    r#""010""#,
    r#"(list 1 "a")"#,
    "(list)",
    r#"(dict "a" 1)"#,
    "(dict)",
    ".foo",
    "(until 3)",
    r#"(splitList "," .csv)"#,
    "1e10",
    "1e6",
    ".nope",
    "(add 1 2)",
    "0.1",
    "123456789.123",
    r#""1e3""#,
    r#""-5""#,
    "'a'",
    "(index .foo 0)",
    ".num",
    r#"(toDate "2006-01-02" "2024-02-29")"#,
];
const DICT: Pool = &[
    r#"(dict "a" 1)"#,
    r#"(dict "a" (dict "c" 2))"#,
    "(dict)",
    "nil",
    r#""x""#,
    r#"(dict "a" nil)"#,
    r#"(dict "b" "x")"#,
    r#"(split "," .csv)"#,
    "(fromJson .json)",
];
const LIST: Pool = &[
    "(list)",
    "(list 1 2 3)",
    r#"(list "b" "a" "b")"#,
    r#"(splitList "," "c,b,a")"#,
    "(until 4)",
    r#"(list 1 nil "" 0 1)"#,
    r#""x""#,
    "nil",
    "(list (list 1) (list 1))",
    r#"(dict "a" 1)"#,
    r#"(list 1.5 "z" true)"#,
];
const FLAG: Pool = &["true", "false", "nil", "1", "(eq 1 1)"];
const FRACTION: Pool = &["0.5", "0.3", "1", r#""x""#, "0.9"];
const LAYOUT: Pool = &[
    r#""2006-01-02""#,
    r#""Mon Jan _2 15:04:05 2006""#,
    r#""02/01/06 03:04 PM""#,
    r#""Monday, January 2 2006 3:4:5 pm""#,
    r#""2006-01-02T15:04:05.000Z07:00""#,
    r#""2006 002 __2 .999 ,000 MST -0700 -07:00 Z0700 -07""#,
    r#""Janu Month 1 2 15 6""#,
];
const DATE: Pool = &[
    r#"(toDate "2006-01-02" "2024-02-29")"#,
    r#"(toDate "2006-01-02T15:04:05Z07:00" "2023-11-05T06:07:08+02:00")"#,
    "0",
    "1700000000",
    "(int64 1700000000)",
];
const MOMENT: Pool = &[
    r#"(toDate "2006-01-02" "2024-02-29")"#,
    r#"(toDate "2006-01-02 15:04:05" "1999-12-31 23:59:59")"#,
    r#""x""#,
    "0",
];
const SHOWN_DATE: Pool = &[
    r#""2024-02-29""#,
    r#""Thu Feb  9 15:04:05 2024""#,
    r#""x""#,
    r#""29/02/23 11:59 PM""#,
    r#""2023-02-29""#,
    r#""2024-01-02T03:04:05.678-05:00""#,
    r#""Monday, March 4 2024 1:2:3 am""#,
];
const ZONE: Pool = &[
    r#""UTC""#,
    r#""America/New_York""#,
    r#""Asia/Kolkata""#,
    r#""Nope/Nope""#,
    r#""""#,
];
const DURATION: Pool = &[
    r#""1h30m""#,
    r#""-90s""#,
    r#""1.5h""#,
    r#""x""#,
    r#""""#,
    r#""0""#,
    r#""100ms""#,
    r#""2540400h10m""#,
];
const PATTERN: Pool = &[
    r#""a+""#,
    r#""[a-z]+""#,
    r#""(\\w)(\\d)""#,
    r#""l*""#,
    r#""""#,
    r#""(""#,
    r#""\\bfoo\\b""#,
    r#""(?i)HELLO""#,
    r#""[^o]""#,
    r#""a{2,3}""#,
    r#""^x|d$""#,
    r#""\\s+""#,
    r#""o(.)""#,
    r#""[[:upper:]]""#,
    r#""x**""#,
    r#""\\p{L}+""#,
    r#""(?P<n>o)""#,
    r#""a{,2}""#,
    r#""[]a]+""#,
    r#""\\Qa.b\\E""#,
];
const SUBJECT: Pool = &[
    r#""Hello World foo a1 b2""#,
    r#""aaaa""#,
    r#""""#,
    ".uni",
    r#""foo bar""#,
    r#""baaac""#,
    ".multi",
    r#""a{,2}]""#,
];
const REPLACEMENT: Pool = &[
    r#""[$1]""#,
    r#""$1x""#,
    r#""${1}x""#,
    r#""$$""#,
    r#""-""#,
    r#""""#,
    r#""$""#,
    r#""${""#,
    r#""$n ${n}!""#,
    r#""$0""#,
];
const LIMIT: Pool = &["-1", "0", "1", "2", "3"];
const VERSION: Pool = &[
    r#""1.2.3""#,
    r#""v1.2""#,
    r#""1""#,
    r#""1.2.3-beta.1""#,
    r#""1.2.3+meta""#,
    r#""x""#,
    r#""1.2.3-01""#,
    r#""0.3.5""#,
    r#""0.0.3""#,
    r#""2.0.0-alpha""#,
    r#""1.10.0""#,
];
const CONSTRAINT: Pool = &[
    r#""^1.2.3""#,
    r#""~1.2""#,
    r#"">=1.0, <2.0""#,
    r#""1.x""#,
    r#""*""#,
    r#"">1 <3""#,
    r#""1.2 - 1.4""#,
    r#""^0.3""#,
    r#""^0.0.3""#,
    r#""=1.2.3 || >5""#,
    r#""!=1.2.3""#,
    r#""!=1.x""#,
    r#""~1""#,
    r#"">=1.2.3-alpha""#,
    r#""<=1""#,
    r#"">1.2""#,
    r#""foo""#,
    r#""^0.0""#,
    r#""=> 1.0""#,
    r#"">= 1.2,<= 1.9""#,
    r#""~>1.2""#,
];
const URL: Pool = &[
    r#""https://user:pa%20ss@host:8080/a/b%2Fc?q=1&r=2#frag""#,
    r#""mailto:a@b""#,
    r#""/path/only""#,
    r#""http://[::1]:80/""#,
    r#""//host/x""#,
    r#""a:b""#,
    r#""http://x y/""#,
    r#""""#,
    r#""http://h?x""#,
    r#""%zz""#,
    r#""a/b:c""#,
];
const URL_DICT: Pool = &[
    r#"(dict "scheme" "https" "host" "h:1" "path" "/a b" "query" "x=1" "fragment" "f g" "userinfo" "u:p@ss")"#,
    r#"(dict "host" "h" "path" "p")"#,
    r#"(dict "scheme" 1)"#,
    "(dict)",
    r#"(dict "path" "a:b")"#,
    r#"(dict "scheme" "mailto" "opaque" "x@y")"#,
    r#"(urlParse "https://user:pw@host/a?b#c")"#,
];
const PATH: Pool = &[
    r#""/a/b/c.txt""#,
    r#""a/../b/./c//d""#,
    r#""""#,
    r#""/""#,
    r#""../../x""#,
    r#""/..""#,
    r#""a/b/""#,
    r#""x.tar.gz""#,
    r#"".hidden""#,
];
const JSON: Pool = &[
    ".json",
    r#""[1,2""#,
    r#""nope""#,
    r#""\"\\ud800\"""#,
    r#""1e400""#,
    r#"" [true,false,null] ""#,
    r#""{\"a\":1,\"a\":2}""#,
    r#""01""#,
    r#""-0""#,
    r#""""#,
];
const BASE64: Pool = &[
    ".foo",
    r#""YWJj""#,
    r#""YWJ""#,
    r#""!!!!""#,
    r#""""#,
    r#""YWJj\n""#,
    r#""QUJDRA==""#,
    r#""QUJDRA=""#,
];
const BASE32: Pool = &[
    r#""MFRGG===""#,
    r#""MFRGG""#,
    r#""mfrgg===""#,
    r#""MFRGGZDF""#,
    r#""M=======""#,
    r#""MFRGG==""#,
    r#""MFR=====""#,
];
const KEY: Pool = &[r#""a""#, r#""zz""#, "3", ".foo"];
const ONE_KEY: Pool = &[r#"(dict "a" 1)"#, "nil", ".foo"];
const MERGED: Pool = &[
    r#"(dict "a" 1 "b" "" "c" (dict "x" 1) "d" (list 1))"#,
    "(dict)",
    "nil",
    r#"(dict "a" 2 "b" 3 "c" (dict "x" 9 "y" 2) "d" (list 2 3))"#,
    r#"(dict "c" 5 "d" "z" "a" nil)"#,
    r#"(dict "a" "" "c" (dict) "d" (list))"#,
];
const NAME_OF_TYPE: Pool = &[
    r#""int""#,
    r#""string""#,
    r#""map""#,
    r#""slice""#,
    r#""[]interface {}""#,
    r#""float64""#,
    r#""invalid""#,
];
const FORMAT: Pool = &[
    r#""%v|%s""#,
    r#""%d %5d %-5d| %05d %+d %x %X %o %b %c %q %U""#,
    r#""%T %v %+v %#v""#,
    r#""%6.2f|%e|%g|%G|%8.3e""#,
    r#""%[2]d %[1]v""#,
    r#""%*d""#,
    r#""%!""#,
    r#""%""#,
    r#""%%""#,
    r#""%t""#,
    r#""%10s|%-10s|%.2s""#,
    r#""%z""#,
    r#""%08.3f""#,
    r#""%+q %#q""#,
    r#""%3c|%-3c|""#,
];
const PASSWORD: Pool = &[r#""long""#, r#""pin""#, r#""zz""#, r#""basic""#];

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

/// The same numbers on every run (Marsaglia's xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit
    }

    fn of(&mut self, pool: Pool) -> &'static str {
        pool[self.below(pool.len())]
    }
}

/// Templates by key.
pub(crate) fn templates() -> BTreeMap<String, String> {
    let mut dice = Dice(0x5EA1ED);
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
    let mut args: Vec<&str> = pools.iter().map(|pool| dice.of(pool)).collect();
    if let Some(rest) = rest {
        for _ in 0..dice.below(4) {
            args.push(dice.of(rest));
        }
    }
    if dice.below(25) == 0 {
        args.pop();
    }
    let call = match args.split_last() {
        Some((last, first)) if dice.below(5) == 0 => format!("{last} | {name} {}", first.join(" ")),
        _ => format!("{name} {}", args.join(" ")),
    };
    dice.of(FORMS).replace('@', call.trim_end())
}
