//! Paths with slashes: Go's path and, on Linux the same, path/filepath.
//! Touches no file.

use super::Param::Text as Str;
use super::{Function, Value, function, text};

pub(super) const FUNCTIONS: &[Function] = &[
    function("base", &[Str], |call| text(base(call.text(0)))),
    function("clean", &[Str], |call| text(clean(call.text(0)))),
    function("dir", &[Str], |call| text(dir(call.text(0)))),
    function("ext", &[Str], |call| text(ext(call.text(0)))),
    function("isAbs", &[Str], |call| {
        Ok(Value::Bool(call.text(0).starts_with(b"/")))
    }),
    function("osBase", &[Str], |call| text(base(call.text(0)))),
    function("osClean", &[Str], |call| text(clean(call.text(0)))),
    function("osDir", &[Str], |call| text(dir(call.text(0)))),
    function("osExt", &[Str], |call| text(ext(call.text(0)))),
    function("osIsAbs", &[Str], |call| {
        Ok(Value::Bool(call.text(0).starts_with(b"/")))
    }),
];

/// The last part; `.` of nothing, `/` of slashes only.
fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path
        .iter()
        .rposition(|byte| *byte != b'/')
        .map_or(0, |last| last + 1);
    let start = path[..end]
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    if end == 0 { b"/" } else { &path[start..end] }
}

/// All but the last part.
fn dir(path: &[u8]) -> Vec<u8> {
    let end = path
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    clean(&path[..end])
}

fn ext(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name.iter()
        .rposition(|byte| *byte == b'.')
        .map_or(&[], |dot| &name[dot..])
}

/// The shortest path of the same meaning.
fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if parts.last().is_some_and(|last| *last != b"..") => {
                parts.pop();
            }
            b".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", &*joined].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}
