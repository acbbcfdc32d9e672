//! Characters as Go's `unicode` package sees them, which goes by general category where Rust goes by derived properties.
//! Maps one character to one character: what full case mapping would lengthen stays as it is.

use unicode_general_category::GeneralCategory::{
    self, ConnectorPunctuation, Control, DashPunctuation, DecimalNumber, FinalPunctuation, Format,
    InitialPunctuation, LineSeparator, LowercaseLetter, ModifierLetter, OpenPunctuation,
    OtherLetter, OtherPunctuation, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate,
    TitlecaseLetter, Unassigned, UppercaseLetter,
};
use unicode_general_category::get_general_category as category;

pub(crate) fn is_letter(character: char) -> bool {
    matches!(
        category(character),
        UppercaseLetter | LowercaseLetter | TitlecaseLetter | ModifierLetter | OtherLetter
    )
}

pub(crate) fn is_digit(character: char) -> bool {
    category(character) == DecimalNumber
}

pub(crate) fn is_upper(character: char) -> bool {
    category(character) == UppercaseLetter
}

pub(crate) fn is_lower(character: char) -> bool {
    category(character) == LowercaseLetter
}

pub(crate) fn is_title(character: char) -> bool {
    category(character) == TitlecaseLetter
}

pub(crate) fn is_punctuation(character: char) -> bool {
    matches!(
        category(character),
        ConnectorPunctuation
            | DashPunctuation
            | FinalPunctuation
            | GeneralCategory::ClosePunctuation
            | InitialPunctuation
            | OpenPunctuation
            | OtherPunctuation
    )
}

/// Letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(crate) fn is_print(character: char) -> bool {
    character == ' '
        || !matches!(
            category(character),
            Control
                | Format
                | Surrogate
                | PrivateUse
                | Unassigned
                | LineSeparator
                | ParagraphSeparator
                | SpaceSeparator
        )
}

pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace()
}

pub(crate) fn to_upper(character: char) -> char {
    single(character, character.to_uppercase())
}

pub(crate) fn to_lower(character: char) -> char {
    match character {
        // It has a simple mapping beside the full one of two characters.
        '\u{130}' => 'i',
        _ => single(character, character.to_lowercase()),
    }
}

/// Upper case at the beginning of a word: the digraphs have a form of their own.
pub(crate) fn to_title(character: char) -> char {
    match character {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        // Georgian letters have capitals, but no titles.
        'ა'..='ჿ' => character,
        _ => to_upper(character),
    }
}

fn single(character: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(single), None) => single,
        _ => character,
    }
}
