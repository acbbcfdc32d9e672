//! Values of variables, and where each is from. They may be secret: nothing here prints one.

use std::{collections::BTreeMap, fmt};

use zeroize::Zeroizing;

use super::expression::is_name;

/// Variables of one Application, by their names. One that is added later wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    of: BTreeMap<String, Variable>,
}

#[derive(Clone, PartialEq, Eq)]
struct Variable {
    value: Zeroizing<String>,
    origin: Origin,
}

/// Where a value is from, which decides where it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The Application, or a ConfigMap: it may go anywhere.
    Plain,
    /// A Secret of this name: it may go into Secrets only.
    Secret(String),
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} (value hidden)", self.origin)
    }
}

impl Variables {
    /// Sets a variable. Line ends at the end of the value are left out, since editors and `echo` leave them behind. A key
    /// that no expression can name is left out: a ConfigMap may hold more than variables.
    pub fn set(&mut self, name: &str, value: &str, origin: Origin) {
        if is_name(name) {
            let value = Zeroizing::new(value.trim_end_matches(['\n', '\r']).to_owned());
            self.of.insert(name.to_owned(), Variable { value, origin });
        }
    }

    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.of.get(name).map(|variable| variable.value.as_str())
    }

    /// The Secret that a variable is from; none for what is not secret.
    pub(super) fn secret(&self, name: &str) -> Option<&str> {
        match &self.of.get(name)?.origin {
            Origin::Secret(secret) => Some(secret),
            Origin::Plain => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_printed() {
        let mut variables = Variables::default();
        variables.set("password", "hunter2", Origin::Secret("db".to_owned()));
        let printed = format!("{variables:?}");
        assert!(printed.contains("password"), "{printed}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }

    #[test]
    fn what_no_expression_can_name_is_left_out_and_line_ends_are_cut() {
        let mut variables = Variables::default();
        for (name, value) in [("ca.crt", "x"), ("1st", "x"), ("pem", "a\nb\r\n\n")] {
            variables.set(name, value, Origin::Plain);
        }
        assert_eq!(variables.of.keys().collect::<Vec<_>>(), ["pem"]);
        assert_eq!(variables.value("pem"), Some("a\nb"));
    }
}
