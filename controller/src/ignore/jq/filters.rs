//! Which of jq's filters there are. Not those that read the environment, the clock or a file, write, run for ever, or that make or
//! compare so much at once that no limit would be heard of in time.
//! It must not know how expressions are limited.

use jaq_core::box_iter::box_once;
use jaq_core::load::parse::Def;
use jaq_core::native::{Fun, run, v};
use jaq_core::{Error, Exn};
use jaq_json::Val;
use regex::RegexBuilder;

use super::limits::{Limited, Limits};

/// Largest compiled regular expression, and the longest text it is tried on: at its worst it takes the product of both.
const REGEX: usize = 64 << 10;
const TEXT: usize = 64 << 10;

/// Filters that an expression may use, with the numbers of arguments.
const PERMITTED: [(&str, &[usize]); 51] = [
    ("add", &[0]),
    ("all", &[0, 1, 2]),
    ("any", &[0, 1, 2]),
    ("arrays", &[0]),
    ("ascii_downcase", &[0]),
    ("ascii_upcase", &[0]),
    ("booleans", &[0]),
    ("contains", &[1]),
    ("empty", &[0]),
    ("endswith", &[1]),
    ("error", &[0, 1]),
    ("false", &[0]),
    ("first", &[0, 1]),
    ("from_entries", &[0]),
    ("has", &[1]),
    ("inside", &[1]),
    ("isempty", &[1]),
    ("iterables", &[0]),
    ("keys", &[0]),
    ("keys_unsorted", &[0]),
    ("last", &[0, 1]),
    ("length", &[0]),
    ("ltrimstr", &[1]),
    ("map", &[1]),
    ("max", &[0]),
    ("min", &[0]),
    ("not", &[0]),
    ("null", &[0]),
    ("nulls", &[0]),
    ("numbers", &[0]),
    ("objects", &[0]),
    ("recurse", &[0]),
    ("reverse", &[0]),
    ("rtrimstr", &[1]),
    ("scalars", &[0]),
    ("select", &[1]),
    ("sort", &[0]),
    ("split", &[1]),
    ("startswith", &[1]),
    ("strings", &[0]),
    ("test", &[1, 2]),
    ("to_entries", &[0]),
    ("tojson", &[0]),
    ("tostring", &[0]),
    ("trim", &[0]),
    ("true", &[0]),
    ("type", &[0]),
    ("unique", &[0]),
    ("utf8bytelength", &[0]),
    ("values", &[0]),
    ("with_entries", &[1]),
];

/// Filters that those are made of.
const PARTS: [(&str, usize); 11] = [
    ("add", 1),
    ("group_by", 1),
    ("isarray", 0),
    ("isboolean", 0),
    ("isnumber", 0),
    ("isobject", 0),
    ("isstring", 0),
    ("max_by", 1),
    ("min_by", 1),
    ("recurse", 1),
    ("unique_by", 1),
];

/// Whether an expression may use this filter.
pub(super) fn is_permitted(name: &str, arguments: usize) -> bool {
    PERMITTED
        .iter()
        .any(|(permitted, numbers)| *permitted == name && numbers.contains(&arguments))
}

/// Definitions of filters, in the order of the libraries.
pub(super) fn definitions() -> Vec<Def<&'static str>> {
    let all = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let used = all.filter(|def| {
        let name = (def.name, def.args.len());
        !OWN.contains(&name.0) && (is_permitted(name.0, name.1) || PARTS.contains(&name))
    });
    used.collect()
}

/// Filters that are code.
pub(super) fn native() -> impl Iterator<Item = Fun<Limited>> {
    let theirs = jaq_core::funs::<Limited>()
        .chain(jaq_std::base_funs())
        .chain(jaq_json::funs());
    theirs.filter(|fun| !OWN.contains(&fun.0)).chain(own())
}

/// `contains` of jaq knows no limits, and `test` needs another library of regular expressions.
const OWN: [&str; 2] = ["contains", "test"];

fn own() -> [Fun<Limited>; 3] {
    let contains = run::<Limited>(("contains", v(1), |mut cv| {
        let (limits, part) = (cv.0.data().limits, cv.0.pop_var());
        box_once(contains(limits, &cv.1, &part).map(Val::from))
    }));
    let test_plainly = run::<Limited>(("test", v(1), |mut cv| {
        let (limits, pattern) = (cv.0.data().limits, cv.0.pop_var());
        box_once(test(limits, &cv.1, &pattern, "").map(Val::from))
    }));
    let test_with_flags = run::<Limited>(("test", v(2), |mut cv| {
        let (limits, flags) = (cv.0.data().limits, cv.0.pop_var());
        let pattern = cv.0.pop_var();
        let flags = string(&flags).map_err(Exn::from);
        box_once(flags.and_then(|flags| test(limits, &cv.1, &pattern, flags).map(Val::from)))
    }));
    [contains, test_plainly, test_with_flags]
}

/// Each entry of a list is compared with each of another: every pair is a step.
fn contains<'a>(limits: &Limits, value: &Val, part: &Val) -> Result<bool, Exn<'a, Val>> {
    limits.step(&Val::Null)?;
    match (value, part) {
        (Val::TStr(_), Val::TStr(_)) => Ok(string(value)?.contains(string(part)?)),
        (Val::Arr(list), Val::Arr(parts)) => {
            for part in parts.iter() {
                let found = list
                    .iter()
                    .find_map(|one| match contains(limits, one, part) {
                        Ok(false) => None,
                        found => Some(found),
                    });
                if !found.unwrap_or(Ok(false))? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Val::Obj(map), Val::Obj(parts)) => {
            for (key, part) in parts.iter() {
                let one = map.get(key).map(|one| contains(limits, one, part));
                if !one.unwrap_or(Ok(false))? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(value == part),
    }
}

fn test<'a>(limits: &Limits, text: &Val, pattern: &Val, flags: &str) -> Result<bool, Exn<'a, Val>> {
    let mut builder = RegexBuilder::new(string(pattern)?);
    builder.size_limit(REGEX);
    for flag in flags.chars() {
        match flag {
            'i' => builder.case_insensitive(true),
            'x' => builder.ignore_whitespace(true),
            's' => builder.dot_matches_new_line(true),
            'g' => &mut builder,
            _ => return Err(Error::new(Val::Null).into()),
        };
    }
    let regex = builder.build().map_err(|_| Error::new(Val::Null))?;
    let text = string(text)?;
    limits.permit(text.len() <= TEXT)?;
    Ok(regex.is_match(text))
}

fn string(value: &Val) -> Result<&str, Error<Val>> {
    let text = match value {
        Val::TStr(text) => std::str::from_utf8(text).ok(),
        _ => None,
    };
    text.ok_or_else(|| Error::new(Val::Null))
}
