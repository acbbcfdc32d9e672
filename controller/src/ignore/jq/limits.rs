//! How far an expression may go. jaq runs what it is given to the end, so every term is followed by a guard that counts,
//! looks at the clock and weighs what was made; and what may run away without making anything is refused when it is read.
//! It must not know what expressions are for.

use std::cell::Cell;
use std::time::{Duration, Instant};

use jaq_core::box_iter::box_once;
use jaq_core::data::HasLut;
use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::native::{Fun, run};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};
use jaq_core::{Cv, DataT, Error, Exn, Lut, Native};
use jaq_json::Val;

use super::filters::is_permitted;

/// How long an expression may run on one object.
const TIME: Duration = Duration::from_secs(1);
/// So many values may it make on one object: long lists of them are large.
const STEPS: u32 = 1_000_000;
/// The largest of these values as it lies in memory, where an object takes several times its length as text.
const WEIGHT: usize = 8 << 20;
/// Longest expression, and how deep its brackets may be: it is read and run by functions that call themselves.
const LENGTH: usize = 1024;
const DEPTH: usize = 16;
const WORDS: usize = 128;
/// Values in one text: it is weighed when all of them are in it.
const VALUES: usize = 8;

/// Stands behind every term; no expression can name it.
const GUARD: &str = "!guard";
/// Stands behind what is looked up.
const KEY: &str = "!key";

/// Filters over JSON with limits.
pub(super) struct Limited;

impl DataT for Limited {
    type V<'a> = Val;
    type Data<'a> = Run<'a>;
}

/// One run of an expression.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) lut: &'a Lut<Limited>,
    pub(super) limits: &'a Limits,
}

impl<'a> HasLut<'a, Limited> for Run<'a> {
    fn lut(&self) -> &'a Lut<Limited> {
        self.lut
    }
}

/// What is left of one run.
pub(super) struct Limits {
    until: Instant,
    steps: Cell<u32>,
}

impl Limits {
    pub(super) fn new() -> Self {
        Self {
            until: Instant::now() + TIME,
            steps: Cell::new(STEPS),
        }
    }

    pub(super) fn exceeded(&self) -> bool {
        self.steps.get() == 0
    }

    /// Takes one step with a value.
    pub(super) fn step<'a>(&self, value: &Val) -> Result<(), Exn<'a, Val>> {
        self.steps.set(self.steps.get().saturating_sub(1));
        self.permit(weigh(value, WEIGHT).is_some() && Instant::now() < self.until)
    }

    /// Goes on only with what fits. Once exceeded they stay so, whatever the expression catches.
    pub(super) fn permit<'a>(&self, fits: bool) -> Result<(), Exn<'a, Val>> {
        if !fits {
            self.steps.set(0);
        }
        match self.exceeded() {
            true => Err(Error::new(Val::Null).into()),
            false => Ok(()),
        }
    }
}

/// What is left of `room` after a value was put into it.
fn weigh(value: &Val, room: usize) -> Option<usize> {
    let room = room.checked_sub(size_of::<Val>())?;
    match value {
        Val::BStr(text) | Val::TStr(text) => room.checked_sub(text.len()),
        Val::Arr(list) => list.iter().try_fold(room, |room, one| weigh(one, room)),
        Val::Obj(map) => map
            .iter()
            .try_fold(room, |room, (key, one)| weigh(one, weigh(key, room)?)),
        Val::Null | Val::Bool(_) | Val::Num(_) => Some(room),
    }
}

/// The guard itself: what it is given, as long as the limits hold.
pub(super) fn guard() -> Fun<Limited> {
    let run = Native::new(|(context, value): Cv<'_, Limited>| {
        let step = context.data().limits.step(&value);
        box_once(step.map(|()| value))
    });
    let both = run.with_paths(|(context, (value, path)): Cv<'_, Limited, (Val, _)>| {
        let step = context.data().limits.step(&value);
        box_once(step.map(|()| (value, path)))
    });
    (GUARD, Box::new([]), both)
}

/// What may be looked up: of a list an entry or a slice. Looking for a list in a list takes the product of both.
pub(super) fn key() -> Fun<Limited> {
    run::<Limited>((KEY, Box::new([]), |(_, value)| {
        box_once(match value {
            Val::Arr(_) => Err(Error::new(Val::Null).into()),
            value => Ok(value),
        })
    }))
}

/// Refuses a text that is too long or too deep to be read.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.len() > LENGTH {
        return Err(format!("it is longer than {LENGTH} bytes"));
    }
    let mut depth: usize = 0;
    for bracket in text.bytes() {
        match bracket {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            return Err(format!("its brackets are deeper than {DEPTH}"));
        }
    }
    Ok(())
}

/// Refuses words that are too many to be parsed.
pub(super) fn check_words(words: &[Token<&str>]) -> Result<(), String> {
    match count(words) > WORDS {
        true => Err(format!("it has more than {WORDS} words")),
        false => Ok(()),
    }
}

fn count(words: &[Token<&str>]) -> usize {
    let inside = |Token(_, word): &Token<&str>| match word {
        Tok::Block(words) => count(words),
        Tok::Str(parts) => {
            let terms = parts.iter().map(|part| match part {
                StrPart::Term(word) => count(std::slice::from_ref(word)),
                _ => 0,
            });
            terms.sum()
        }
        _ => 0,
    };
    words.iter().map(|word| 1 + inside(word)).sum()
}

/// The term with a guard behind each of its parts, or what in it is not for paths.
pub(super) fn limited<'a>(term: Term<&'a str>) -> Result<Term<&'a str>, String> {
    let boxed = |term: Box<Term<&'a str>>| limited(*term).map(Box::new);
    let all = |terms: Vec<Term<&'a str>>| {
        terms
            .into_iter()
            .map(limited)
            .collect::<Result<Vec<_>, _>>()
    };
    let maybe = |term: Option<Box<Term<&'a str>>>| term.map(boxed).transpose();
    let term = match term {
        Term::Id | Term::Num(_) | Term::Var(_) => return Ok(term),
        Term::Recurse => Term::Recurse,
        Term::Str(None, parts) => Term::Str(None, text(parts)?),
        Term::Arr(inside) => Term::Arr(maybe(inside)?),
        Term::Obj(entries) => {
            let entry =
                |(key, value): (_, Option<_>)| Ok((limited(key)?, value.map(limited).transpose()?));
            Term::Obj(
                entries
                    .into_iter()
                    .map(entry)
                    .collect::<Result<_, String>>()?,
            )
        }
        Term::Neg(of) => Term::Neg(boxed(of)?),
        Term::BinOp(left, operator, right) => {
            Term::BinOp(boxed(left)?, permitted(operator)?, boxed(right)?)
        }
        Term::TryCatch(of, catch) => Term::TryCatch(boxed(of)?, maybe(catch)?),
        Term::IfThenElse(branches, otherwise) => {
            let branch = |(condition, then)| Ok((limited(condition)?, limited(then)?));
            let branches = branches.into_iter().map(branch);
            Term::IfThenElse(branches.collect::<Result<_, String>>()?, maybe(otherwise)?)
        }
        Term::Call("has", key) if key.len() == 1 => {
            Term::Call("has", all(key)?.into_iter().map(looked_up).collect())
        }
        Term::Call(name, arguments) if is_permitted(name, arguments.len()) => {
            Term::Call(name, all(arguments)?)
        }
        Term::Call(name, arguments) => {
            return Err(format!(
                "{name} with {} arguments is not permitted here",
                arguments.len()
            ));
        }
        Term::Path(from, path) => return steps(limited(*from)?, path),
        Term::Str(Some(format), _) => return Err(not_here(format)),
        Term::Label(..) | Term::Break(_) => return Err(not_here("label")),
        Term::Fold(name, ..) => return Err(not_here(name)),
        Term::Def(..) => return Err(not_here("def")),
    };
    Ok(guarded(term))
}

fn guarded(term: Term<&str>) -> Term<&str> {
    followed(term, GUARD)
}

fn looked_up(term: Term<&str>) -> Term<&str> {
    followed(term, KEY)
}

fn followed<'a>(term: Term<&'a str>, by: &'static str) -> Term<&'a str> {
    let by = Term::Call(by, Vec::new());
    Term::BinOp(term.into(), BinaryOp::Pipe(None), by.into())
}

fn not_here(what: &str) -> String {
    format!("{what} is not permitted here")
}

/// One guard behind each step of a path: several that each find much find much more together.
fn steps<'a>(mut term: Term<&'a str>, path: Path<Term<&'a str>>) -> Result<Term<&'a str>, String> {
    for (part, optional) in path.0 {
        let part = match part {
            Part::Index(index) => Part::Index(looked_up(limited(index)?)),
            Part::Range(from, to) => {
                Part::Range(from.map(limited).transpose()?, to.map(limited).transpose()?)
            }
        };
        term = guarded(Term::Path(term.into(), Path(vec![(part, optional)])));
    }
    Ok(term)
}

fn text<'a>(
    parts: Vec<StrPart<&'a str, Term<&'a str>>>,
) -> Result<Vec<StrPart<&'a str, Term<&'a str>>>, String> {
    let terms = parts.iter().filter(|part| matches!(part, StrPart::Term(_)));
    if terms.count() > VALUES {
        return Err(format!("a text has more than {VALUES} values"));
    }
    let part = |part| match part {
        StrPart::Term(term) => limited(term).map(StrPart::Term),
        plain => Ok(plain),
    };
    parts.into_iter().map(part).collect()
}

/// Operators that only look, and make nothing that is much larger than what they are given.
fn permitted(operator: BinaryOp<&str>) -> Result<BinaryOp<&str>, String> {
    match &operator {
        BinaryOp::Pipe(None | Some(Pattern::Var(_)))
        | BinaryOp::Comma
        | BinaryOp::Alt
        | BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::Cmp(_)
        | BinaryOp::Math(Math::Add | Math::Sub) => Ok(operator),
        BinaryOp::Pipe(_) => Err(not_here("a pattern")),
        BinaryOp::Math(math) => Err(not_here(math.as_str())),
        BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
            Err(not_here("an assignment"))
        }
    }
}
