//! One text with variables in it, in the syntax that Flux knows from shells: `${name}`, defaults, parts, replacements.
//! It knows no objects, and its errors repeat no value.

use globset::{GlobBuilder, GlobMatcher};

use super::{Taken, Variables};

/// Bytes of a value that a pattern is tried on, at each of its characters.
const PATTERN: usize = 4_096;

/// Expressions in one another: people write two or three.
const DEPTH: usize = 16;

/// What the text becomes; the variables that it takes are added to `taken`.
///
/// A `$` in front of anything but `{` stays; `$$` is one `$`, so that `$${name}` comes out as `${name}`.
///
/// # Errors
/// What can't be read as an expression, or a variable that is not set where no default stands beside it.
pub(super) fn expand(
    text: &str,
    variables: &Variables,
    taken: &mut Taken,
) -> Result<String, String> {
    let mut reader = Reader {
        rest: text,
        variables,
        taken,
        depth: 0,
    };
    let mut expanded = String::new();
    while let Some(next) = reader.next() {
        match next {
            '$' if reader.take('$') => expanded.push('$'),
            '$' if reader.take('{') => expanded += &reader.expression()?,
            next => expanded.push(next),
        }
    }
    Ok(expanded)
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    let digit_first = text.starts_with(|first: char| first.is_ascii_digit());
    !text.is_empty() && !digit_first && text.chars().all(in_name)
}

fn in_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

const UNCLOSED: &str = "a ${ has no }";

/// Reads from the front of `rest`.
struct Reader<'a> {
    rest: &'a str,
    variables: &'a Variables,
    taken: &'a mut Taken,
    /// Expressions that one is inside of.
    depth: usize,
}

impl Reader<'_> {
    /// What stands between `${` and `}`, both of which are taken.
    fn expression(&mut self) -> Result<String, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("more than {DEPTH} variables stand in one another"));
        }
        let value = self.operation();
        self.depth -= 1;
        value
    }

    fn operation(&mut self) -> Result<String, String> {
        if self.take('#') {
            let name = self.name()?;
            self.close(&name)?;
            return Ok(self.value(&name)?.chars().count().to_string());
        }
        let name = self.name()?;
        match self.next() {
            Some('}') => self.value(&name),
            Some('=') => self.default(&name),
            Some(':') if self.take('=') || self.take('-') => self.default(&name),
            Some(':') if self.rest.starts_with(['?', '+']) => Err(unknown(&name)),
            Some(':') => self.part(&name),
            Some('^') if self.take('^') => self.cased(&name, str::to_uppercase),
            Some('^') => self.cased(&name, |value| first(value, str::to_uppercase)),
            Some(',') if self.take(',') => self.cased(&name, str::to_lowercase),
            Some(',') => self.cased(&name, |value| first(value, str::to_lowercase)),
            Some('#') => self.without_prefix(&name),
            Some('%') => self.without_suffix(&name),
            Some('/') => self.replaced(&name),
            Some(_) => Err(unknown(&name)),
            None => Err(UNCLOSED.to_owned()),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        let end = self.rest.find(|character| !in_name(character));
        let name = &self.rest[..end.unwrap_or(self.rest.len())];
        self.rest = &self.rest[name.len()..];
        if is_name(name) {
            Ok(name.to_owned())
        } else {
            let expected = "expected a name of letters, digits and underscores behind ${";
            Err(format!("{expected}; a ${{ that is no variable is $${{"))
        }
    }

    /// The value of a variable that must be set.
    fn value(&mut self, name: &str) -> Result<String, String> {
        let value = self.set(name)?;
        value.ok_or_else(|| format!("variable {name} is not set"))
    }

    fn set(&mut self, name: &str) -> Result<Option<String>, String> {
        let Some(value) = self.variables.value(name) else {
            return Ok(None);
        };
        self.taken.names.insert(name.to_owned());
        self.taken.write(value.len())?;
        Ok(Some(value.to_owned()))
    }

    /// `${name:=default}`: used also when the variable is set to nothing.
    fn default(&mut self, name: &str) -> Result<String, String> {
        let (default, _) = self.words(&['}'])?;
        let value = self.set(name)?.filter(|value| !value.is_empty());
        Ok(value.unwrap_or(default))
    }

    /// `${name:position}` and `${name:position:length}`, in characters; negative ones count from the end.
    fn part(&mut self, name: &str) -> Result<String, String> {
        let (position, end) = self.words(&[':', '}'])?;
        let length = match end {
            ':' => Some(self.words(&['}'])?.0),
            _ => None,
        };
        let number = |text: &str| {
            let text = text.trim();
            let expected = || format!("variable {name}: a position or length is no number");
            text.parse::<isize>().map_err(|_| expected())
        };
        let value: Vec<char> = self.value(name)?.chars().collect();
        let from_end = |count: isize| value.len().saturating_sub(count.unsigned_abs());
        let index = |count: isize, base: usize| match usize::try_from(count) {
            Ok(count) => base.saturating_add(count).min(value.len()),
            Err(_) => from_end(count),
        };
        let start = index(number(&position)?, 0);
        let end = match length {
            Some(length) => index(number(&length)?, start),
            None => value.len(),
        };
        Ok(value[start..end.max(start)].iter().collect())
    }

    fn cased(&mut self, name: &str, change: impl Fn(&str) -> String) -> Result<String, String> {
        self.close(name)?;
        Ok(change(&self.value(name)?))
    }

    /// `${name#pattern}`, and `##` for as much as possible.
    fn without_prefix(&mut self, name: &str) -> Result<String, String> {
        let longest = self.take('#');
        let pattern = self.pattern(name)?;
        let value = self.short(name)?;
        let ends = value.char_indices().map(|(at, c)| at + c.len_utf8());
        let mut matching = ends.filter(|&end| pattern.is_match(&value[..end]));
        let cut = if longest {
            matching.next_back()
        } else {
            matching.next()
        };
        Ok(value[cut.unwrap_or(0)..].to_owned())
    }

    /// `${name%pattern}`, and `%%` for as much as possible.
    fn without_suffix(&mut self, name: &str) -> Result<String, String> {
        let longest = self.take('%');
        let pattern = self.pattern(name)?;
        let value = self.short(name)?;
        let starts = value.char_indices().map(|(at, _)| at);
        let mut matching = starts.filter(|&start| pattern.is_match(&value[start..]));
        let cut = if longest {
            matching.next()
        } else {
            matching.next_back()
        };
        Ok(value[..cut.unwrap_or(value.len())].to_owned())
    }

    /// A value that a pattern can be tried on.
    fn short(&mut self, name: &str) -> Result<String, String> {
        let value = self.value(name)?;
        match value.len() > PATTERN {
            true => Err(format!(
                "variable {name} is longer than the {PATTERN} bytes that a pattern is tried on"
            )),
            false => Ok(value),
        }
    }

    /// A pattern of `*`, `?` and `[…]`, up to the `}`.
    fn pattern(&mut self, name: &str) -> Result<GlobMatcher, String> {
        let (pattern, _) = self.words(&['}'])?;
        let glob = GlobBuilder::new(&pattern).build();
        let glob = glob.map_err(|_| format!("variable {name}: a pattern can't be read"))?;
        Ok(glob.compile_matcher())
    }

    /// `${name/text/other}`: the first place; `//` all, `/#` at the beginning, `/%` at the end.
    fn replaced(&mut self, name: &str) -> Result<String, String> {
        let where_ = match self.rest.chars().next() {
            Some(mode @ ('/' | '#' | '%')) => {
                self.next();
                Some(mode)
            }
            _ => None,
        };
        let (text, end) = self.words(&['/', '}'])?;
        if end == '}' {
            return Err(format!("variable {name}: expected ${{{name}/text/other}}"));
        }
        let (other, _) = self.words(&['}'])?;
        let value = self.value(name)?;
        if !text.is_empty() {
            let places = value.matches(&text).count();
            self.taken.write(places.saturating_mul(other.len()))?;
        }
        Ok(match where_ {
            Some('/') if !text.is_empty() => value.replace(&text, &other),
            Some('#') => match value.strip_prefix(&text) {
                Some(rest) => other + rest,
                None => value,
            },
            Some('%') => match value.strip_suffix(&text) {
                Some(rest) => rest.to_owned() + &other,
                None => value,
            },
            _ if text.is_empty() => value,
            _ => value.replacen(&text, &other, 1),
        })
    }

    /// Text and expressions up to one of the characters that `end` them, which is taken; `\/` and `\\` hide one.
    fn words(&mut self, end: &[char]) -> Result<(String, char), String> {
        let mut words = String::new();
        while let Some(next) = self.next() {
            match next {
                '$' if self.take('$') => words.push('$'),
                '$' if self.take('{') => words += &self.expression()?,
                '\\' if self.rest.starts_with(['/', '\\']) => words.extend(self.next()),
                next if end.contains(&next) => return Ok((words, next)),
                next => words.push(next),
            }
        }
        Err(UNCLOSED.to_owned())
    }

    fn close(&mut self, name: &str) -> Result<(), String> {
        if self.take('}') {
            return Ok(());
        }
        Err(match self.rest.is_empty() {
            true => UNCLOSED.to_owned(),
            false => unknown(name),
        })
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn take(&mut self, expected: char) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

fn unknown(name: &str) -> String {
    format!("what follows ${{{name} is none of }}, :=, :-, =, :position, ^, ^^, `,`, `,,`, #, %, /")
}

fn first(value: &str, change: impl Fn(&str) -> String) -> String {
    let length = value.chars().next().map_or(0, char::len_utf8);
    change(&value[..length]) + &value[length..]
}

#[cfg(test)]
mod tests;
