//! The lists as tables of `docs/applications.md`, each between two markers.
//! Everything outside of the markers is written by hand and left as it is.

use controller::dialect::verdict::{Row, Verdict};

use super::table_of;

const BEGIN: &str = "<!-- list: ";
const END: &str = "<!-- end of list -->";

/// The page with each list as the code has it.
pub(crate) fn with_lists(page: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for line in page.lines() {
        if line == END {
            inside = false;
        }
        if !inside {
            text.push_str(line);
            text.push('\n');
        }
        if let Some(kind) = line
            .strip_prefix(BEGIN)
            .and_then(|rest| rest.strip_suffix(" -->"))
        {
            inside = true;
            text.push_str(&tables(kind));
        }
    }
    text
}

fn tables(kind: &str) -> String {
    let rows: Vec<Row> = table_of(kind).concat();
    let names = |accepts: fn(&Verdict) -> bool| {
        let names = rows
            .iter()
            .filter(|(_, verdict)| accepts(verdict))
            .map(|(name, _)| format!("`{name}`"));
        names.collect::<Vec<_>>().join(", ")
    };
    let mut text = format!(
        "Honoured: {}.\n\n",
        names(|verdict| *verdict == Verdict::Honoured)
    );
    let like = rows.iter().filter_map(|(name, verdict)| match verdict {
        Verdict::Like(other) => Some(format!("`{name}` is like `{other}`.\n\n")),
        _ => None,
    });
    text.extend(like);
    let refused = names(|verdict| *verdict == Verdict::Refused);
    if !refused.is_empty() {
        text.push_str(&format!("Refused, not supported yet: {refused}.\n\n"));
    }
    for (title, reason) in [
        ("Refused for good", never as fn(&Verdict) -> _),
        ("Harmless", harmless),
    ] {
        let rows: Vec<_> = rows
            .iter()
            .filter_map(|(name, verdict)| Some((name, reason(verdict)?)))
            .collect();
        if !rows.is_empty() {
            text.push_str(&format!("| {title} | because |\n|---|---|\n"));
            text.extend(
                rows.iter()
                    .map(|(name, why)| format!("| `{name}` | {why} |\n")),
            );
            text.push('\n');
        }
    }
    text
}

fn never(verdict: &Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Never(why) => Some(why),
        _ => None,
    }
}

fn harmless(verdict: &Verdict) -> Option<&'static str> {
    match verdict {
        Verdict::Harmless(why) => Some(why),
        _ => None,
    }
}
