//! The table as it is read: a grid for every mode, an input class per row, a flag class per column.
//! A cell tells how many cases are in it, how upstream ends in them, and which accepted differences show.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::cases::{Axes, Cell};
use super::differences::Accepted;
use super::programs::Compared;

#[derive(Default)]
struct Field {
    cases: usize,
    exits: BTreeSet<String>,
    letters: BTreeSet<String>,
}

/// The table of everything that was compared.
pub(crate) fn table(axes: &[Axes], compared: &[Compared], accepted: &[Accepted]) -> String {
    let mut fields: BTreeMap<Cell, Field> = BTreeMap::new();
    for one in compared {
        let field = fields.entry(one.case.cell.clone()).or_default();
        field.cases += 1;
        field.exits.insert(one.exit.clone());
        let classes = one
            .difference
            .iter()
            .flat_map(|difference| difference.classes(accepted));
        field
            .letters
            .extend(classes.map(|class| letter(accepted, class)));
    }
    let mut text = "# What is compared with kubeseal v0.36.6\n\n\
        Written by the suite. In a cell: the number of cases, kubeseal's exit codes in them, and the letters of accepted differences.\n"
        .to_owned();
    for axes in axes {
        for mode in &axes.modes {
            grid(
                &mut text,
                axes,
                &mode.mode,
                &Axes::inputs(mode)
                    .iter()
                    .map(|input| input.class.clone())
                    .collect::<Vec<_>>(),
                &mut fields,
            );
        }
    }
    assert!(
        fields.is_empty(),
        "cases that are in no cell of the table: {:?}",
        fields.keys()
    );
    text += "\n## Accepted differences\n\n";
    for class in accepted {
        writeln!(
            text,
            "* **{}** {}: {}",
            letter(accepted, class),
            class.class,
            class.mark
        )
        .expect("memory");
    }
    text
}

fn grid(
    text: &mut String,
    axes: &Axes,
    mode: &str,
    inputs: &[String],
    fields: &mut BTreeMap<Cell, Field>,
) {
    let (columns, absent): (Vec<_>, Vec<_>) =
        axes.flags.iter().partition(|flags| flags.is_for(mode));
    let heads: Vec<&str> = columns.iter().map(|flags| flags.class.as_str()).collect();
    write!(
        text,
        "\n## {}\n\n| | {} |\n|---|{}\n",
        axes.title(mode),
        heads.join(" | "),
        "---|".repeat(heads.len())
    )
    .expect("memory");
    for input in inputs {
        write!(text, "| {input} |").expect("memory");
        for flags in &columns {
            let cell = Cell {
                mode: axes.title(mode),
                input: input.clone(),
                flags: flags.class.clone(),
            };
            let field = fields
                .remove(&cell)
                .unwrap_or_else(|| panic!("no case is in the cell {cell:?}"));
            let words = [field.cases.to_string() + ":"]
                .into_iter()
                .chain(field.exits)
                .chain(field.letters);
            write!(text, " {} |", words.collect::<Vec<_>>().join(" ")).expect("memory");
        }
        text.push('\n');
    }
    if !absent.is_empty() {
        text.push('\n');
    }
    for flags in absent {
        let because = flags
            .because
            .as_deref()
            .unwrap_or_else(|| panic!("{} is not for {mode}, and nothing says why", flags.class));
        writeln!(text, "No column `{}`: {because}.", flags.class).expect("memory");
    }
}

/// `a` for the first class of the table of differences, and so on.
fn letter(accepted: &[Accepted], class: &Accepted) -> String {
    let at = accepted
        .iter()
        .position(|known| known.class == class.class)
        .expect("a class of this table");
    let letter = char::from(b'a' + u8::try_from(at % 26).expect("below 26"));
    if at < 26 {
        letter.to_string()
    } else {
        format!("{letter}{letter}")
    }
}

const BEGIN: &str = "<!-- accepted differences -->\n";
const END: &str = "<!-- end of accepted differences -->\n";

/// The page for users with the accepted differences between its two markers.
pub(crate) fn on_the_page(page: &str, accepted: &[Accepted]) -> String {
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("the page has a place for the differences");
    let (_, after) = rest
        .split_once(END)
        .expect("the place for the differences has an end");
    let row = |row: &Accepted| {
        format!(
            "| {} | {} | {} | {} |\n",
            row.class, row.ours, row.theirs, row.mark
        )
    };
    let rows: String = accepted.iter().map(row).collect();
    format!(
        "{before}{BEGIN}\n| | `signet` | kubeseal | specification |\n|---|---|---|---|\n{rows}\n{END}{after}"
    )
}
