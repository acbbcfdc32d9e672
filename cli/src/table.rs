//! Tables as kubectl prints them, one line for each row. Must not shorten or colour anything.

/// Between columns, as kubectl has it.
const GAP: usize = 3;

/// Rows below their heading, columns as wide as their widest cell.
pub(crate) fn write(heading: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut lines = vec![
        heading
            .iter()
            .map(|cell| (*cell).to_owned())
            .collect::<Vec<_>>(),
    ];
    lines.extend(rows.map(|row| row.iter().map(|cell| cell.replace('\n', " ")).collect()));
    let width = |column: usize| {
        lines
            .iter()
            .filter_map(|line| Some(line.get(column)?.chars().count()))
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<String> = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:0$}", width + GAP))
            .collect();
        text.push_str(cells.concat().trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_row_is_one_aligned_line_without_spaces_at_its_end() {
        let rows = [
            vec!["ü".to_owned(), String::new()],
            vec!["long".to_owned(), "x\ny".to_owned()],
        ];
        assert_eq!(
            super::write(&["A", "B"], rows.into_iter()),
            "A      B\nü\nlong   x y\n"
        );
    }
}
