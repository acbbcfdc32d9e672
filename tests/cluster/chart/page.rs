//! The tables of the chart's page: `| name | default | meaning |`. A name stands for itself and all that is below it.

use serde_json::Value;

use crate::cases::leaves;

/// Every value has a row, every row has a value, and the default in it is the value's.
pub(crate) fn check(page: &str, defaults: &Value) {
    let rows: Vec<(&str, &str)> = page.lines().filter_map(row).collect();
    for (name, default) in &rows {
        let value = defaults.pointer(&format!("/{}", name.replace('.', "/")));
        let value = value.ok_or(name).expect("a row names a value");
        let is_map = value.as_object().is_some_and(|map| !map.is_empty());
        let expected = if is_map {
            String::new()
        } else {
            format!("`{value}`")
        };
        assert_eq!(*default, expected, "default of {name}");
    }
    let explained = |path: &Vec<String>| {
        let above = (1..=path.len()).map(|length| path[..length].join("."));
        above
            .into_iter()
            .any(|name| rows.iter().any(|row| row.0 == name))
    };
    let unexplained = leaves(defaults, defaults)
        .into_iter()
        .filter(|path| !explained(path));
    let unexplained: Vec<_> = unexplained.collect();
    assert!(unexplained.is_empty(), "{unexplained:?}");
}

/// Name and default of a row; of other lines nothing.
fn row(line: &str) -> Option<(&str, &str)> {
    let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
    Some((cells.next()?.strip_suffix('`')?, cells.next()?))
}
