//! Upper and lower case, and the joints of words: camelCase, snake_case, kebab-case.
//! Works on characters; bytes that are no UTF-8 become U+FFFD.

use super::Param::Text as Str;
use super::{Call, CallError, Function, Value, function, text};
use crate::go::unicode::{
    is_digit, is_letter, is_lower, is_punctuation, is_space, is_title, is_upper, to_lower,
    to_title, to_upper,
};
use crate::template::text::runes;

pub(super) const FUNCTIONS: &[Function] = &[
    function("camelcase", &[Str], |call| {
        text(pascal_case(&characters(call)))
    }),
    function("kebabcase", &[Str], |call| {
        text(joined(&characters(call), '-'))
    }),
    function("lower", &[Str], |call| mapped(call, to_lower)),
    function("snakecase", &[Str], |call| {
        text(joined(&characters(call), '_'))
    }),
    function("swapcase", &[Str], swap_case),
    function("title", &[Str], title),
    function("untitle", &[Str], untitle),
    function("upper", &[Str], |call| mapped(call, to_upper)),
];

fn characters(call: &Call<'_>) -> Vec<char> {
    runes(call.text(0)).collect()
}

fn mapped(call: &Call<'_>, map: impl FnMut(char) -> char) -> Result<Value, CallError> {
    text(runes(call.text(0)).map(map).collect::<String>())
}

/// The first character of each word, where anything but letters, digits and `_` is between words.
fn title(call: &Call<'_>) -> Result<Value, CallError> {
    let mut before = ' ';
    mapped(call, |character| {
        let begins = is_separator(before);
        before = character;
        if begins {
            to_title(character)
        } else {
            character
        }
    })
}

fn is_separator(character: char) -> bool {
    match character {
        '\0'..='\u{7f}' => !character.is_ascii_alphanumeric() && character != '_',
        _ => is_space(character),
    }
}

/// The first character after white space.
fn untitle(call: &Call<'_>) -> Result<Value, CallError> {
    let mut begins = true;
    mapped(call, |character| {
        let first = begins && !is_space(character);
        begins = is_space(character);
        if first {
            to_lower(character)
        } else {
            character
        }
    })
}

fn swap_case(call: &Call<'_>) -> Result<Value, CallError> {
    let mut after_space = true;
    mapped(call, |character| {
        if is_upper(character) || is_title(character) {
            after_space = false;
            return to_lower(character);
        }
        if !is_lower(character) {
            after_space = is_space(character);
            return character;
        }
        let first = std::mem::take(&mut after_space);
        if first {
            to_title(character)
        } else {
            to_upper(character)
        }
    })
}

fn is_connector(character: char) -> bool {
    matches!(character, '-' | '_') || is_space(character)
}

/// `some_words here` as `SomeWordsHere`. Connectors at the beginning stay, and of several in a row all but one.
fn pascal_case(characters: &[char]) -> String {
    let leading = characters
        .iter()
        .take_while(|character| is_connector(**character))
        .count();
    let mut out: String = characters[..leading].iter().collect();
    let Some((&first, rest)) = characters[leading..].split_first() else {
        // The library writes the last one twice.
        out.extend(characters.last());
        return out;
    };
    let mut in_capitals = is_upper(first);
    let mut before = to_upper(first);
    for &next in rest {
        let mut current = next;
        if is_connector(before) {
            if is_connector(next) {
                out.push(before);
            } else {
                in_capitals = is_upper(next);
                current = to_upper(next);
            }
        } else {
            if in_capitals && is_upper(next) {
                current = to_lower(next);
            } else {
                in_capitals = false;
            }
            out.push(before);
        }
        before = current;
    }
    out.push(before);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    None,
    Number,
    Capitals,
    Letters,
    Connector,
    Punctuation,
    Other,
}

/// Words in lower case, joined by a connector.
fn joined(characters: &[char], connector: char) -> String {
    let mut out = String::new();
    let mut words = Words(characters);
    let (mut sort, mut word) = words.next();
    while !words.0.is_empty() {
        if sort != Word::Connector {
            push_lower(&mut out, sort, word, connector);
        }
        let (before, last) = (sort, word);
        (sort, word) = words.next();
        match before {
            Word::Number => {
                (sort, word) = push_letters(&mut out, &mut words, sort, word, connector);
                if !matches!(sort, Word::None | Word::Punctuation | Word::Connector) {
                    out.push(connector);
                }
            }
            Word::Connector => push_lower(&mut out, before, last, connector),
            Word::Punctuation => {}
            _ if sort != Word::Number => {
                if !matches!(sort, Word::Connector | Word::Punctuation) {
                    out.push(connector);
                }
            }
            _ if words.0.is_empty() => {}
            _ => {
                let number = word;
                (sort, word) = words.next();
                if sort == Word::Letters {
                    out.push(connector);
                    push_lower(&mut out, Word::Number, number, connector);
                    (sort, word) = push_letters(&mut out, &mut words, sort, word, connector);
                    if !matches!(sort, Word::None | Word::Connector | Word::Punctuation) {
                        out.push(connector);
                    }
                } else {
                    push_lower(&mut out, Word::Number, number, connector);
                    if !matches!(sort, Word::Connector | Word::Punctuation) {
                        out.push(connector);
                    }
                }
            }
        }
    }
    push_lower(&mut out, sort, word, connector);
    out
}

/// Writes letters and numbers as they come, and gives the word after them.
fn push_letters<'a>(
    out: &mut String,
    words: &mut Words<'a>,
    mut sort: Word,
    mut word: &'a [char],
    connector: char,
) -> (Word, &'a [char]) {
    while matches!(sort, Word::Letters | Word::Number) {
        push_lower(out, sort, word, connector);
        (sort, word) = words.next();
    }
    (sort, word)
}

fn push_lower(out: &mut String, sort: Word, word: &[char], connector: char) {
    if !matches!(sort, Word::Capitals | Word::Connector) {
        out.extend(word);
        return;
    }
    out.extend(word.iter().map(|&character| match character {
        _ if is_connector(character) => connector,
        _ if is_upper(character) => to_lower(character),
        _ => character,
    }));
}

/// What is left to split into words.
struct Words<'a>(&'a [char]);

impl<'a> Words<'a> {
    fn next(&mut self) -> (Word, &'a [char]) {
        let Some(&first) = self.0.first() else {
            return (Word::None, &[]);
        };
        let sort = sort_of(first);
        let run = |from: usize, goes_on: fn(char) -> bool| {
            from + self.0[from..]
                .iter()
                .take_while(|character| goes_on(**character))
                .count()
        };
        let length = match sort {
            Word::Connector => run(1, is_connector),
            Word::Punctuation => run(1, is_punctuation),
            Word::Number => run(1, char::is_numeric),
            Word::Letters => run(1, is_plain_letter),
            Word::Capitals => match self.0.get(1) {
                Some(second) if is_upper(*second) => {
                    let capitals = run(1, is_upper);
                    // The last capital begins the word that follows.
                    let follows = self.0.get(capitals).is_some_and(|next| is_alphabet(*next));
                    capitals - usize::from(follows)
                }
                _ => run(1, is_plain_letter),
            },
            Word::Other | Word::None => run(1, |character| sort_of(character) == Word::Other),
        };
        let (word, rest) = self.0.split_at(length);
        self.0 = rest;
        (sort, word)
    }
}

fn sort_of(character: char) -> Word {
    match character {
        _ if is_connector(character) => Word::Connector,
        _ if is_punctuation(character) => Word::Punctuation,
        _ if is_upper(character) => Word::Capitals,
        _ if is_alphabet(character) => Word::Letters,
        _ if is_digit(character) || character.is_numeric() => Word::Number,
        _ => Word::Other,
    }
}

fn is_plain_letter(character: char) -> bool {
    is_alphabet(character) && !is_upper(character)
}

/// Letters but Chinese characters.
fn is_alphabet(character: char) -> bool {
    is_letter(character)
        && !matches!(character,
            '\u{4e00}'..='\u{9fcc}' | '\u{3400}'..='\u{4d85}' | '\u{20000}'..='\u{2b81d}')
}
