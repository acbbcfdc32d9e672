//! The printed table: one row a piece of work, with its ratios to floor and peer. It measures nothing.

use std::fmt;

/// One row. Seconds throughout; `None` prints as a dash.
#[derive(Debug, Default)]
pub(crate) struct Row {
    pub(crate) work: &'static str,
    pub(crate) ours: f64,
    pub(crate) floor: Option<f64>,
    pub(crate) peer: Option<f64>,
    /// CPU time, peak memory and whatever else belongs to the row.
    pub(crate) notes: String,
}

#[derive(Debug, Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn push(&mut self, row: Row) {
        eprintln!("{}", Line(&row));
        self.0.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| work | Signet | floor | ours ÷ floor | peer | ours ÷ peer | CPU, memory, writes |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        self.0
            .iter()
            .try_for_each(|row| writeln!(f, "{}", Line(row)))
    }
}

struct Line<'a>(&'a Row);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = self.0;
        let ratio = |other: Option<f64>| {
            other.map_or_else(
                || "–".to_owned(),
                |other| format!("{:.2}", row.ours / other),
            )
        };
        let time = |time: Option<f64>| time.map_or_else(|| "–".to_owned(), seconds);
        write!(
            f,
            "| {} | {} | {} | {} | {} | {} | {} |",
            row.work,
            seconds(row.ours),
            time(row.floor),
            ratio(row.floor),
            time(row.peer),
            ratio(row.peer),
            row.notes
        )
    }
}

/// `3.2 ms` or `4.81 s`.
pub(crate) fn seconds(time: f64) -> String {
    if time < 1.0 {
        format!("{:.1} ms", time * 1e3)
    } else {
        format!("{time:.2} s")
    }
}

/// The middle one.
pub(crate) fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
