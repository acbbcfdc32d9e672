//! A command line in a file of cases: environment, then arguments, with quotes as in a shell.
//! It must not know what the words mean.

/// What stands before the arguments, and the arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CommandLine {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) arguments: Vec<String>,
}

impl CommandLine {
    pub(crate) fn parse(text: &str) -> Self {
        let mut line = Self::default();
        for word in words(text) {
            match variable(&word).filter(|_| line.arguments.is_empty()) {
                Some((name, value)) => line.environment.push((name.to_owned(), value.to_owned())),
                None => line.arguments.push(word),
            }
        }
        line
    }

    /// This line with another's words behind its own.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            environment: [self.environment.clone(), other.environment.clone()].concat(),
            arguments: [self.arguments.clone(), other.arguments.clone()].concat(),
        }
    }

    /// Whether any word names something in this folder.
    pub(crate) fn mentions(&self, folder: &str) -> bool {
        let values = self.environment.iter().map(|(_, value)| value);
        self.arguments
            .iter()
            .chain(values)
            .any(|word| word.contains(folder))
    }
}

/// `NAME=value`, where the name is written as names of variables are.
fn variable(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let capital = |c: char| c.is_ascii_uppercase() || c == '_';
    (!name.is_empty() && name.chars().all(capital)).then_some((name, value))
}

/// Splits at spaces outside of single quotes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    for c in text.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' | '\n' if !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
