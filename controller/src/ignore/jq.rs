//! jq paths, run by jaq: each names places of an object, as in `del(…)`. One runs for a second at most, and for so many steps.
//! What it finds out of values is nobody's business: an expression that does not fit an object finds nothing in it.

mod filters;
mod limits;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use jaq_core::load::{Arena, File, Lexer, Loader, Parser, parse::Def};
use jaq_core::{Compiler, Ctx, Filter, Vars};
use jaq_json::Val;
use serde::Deserialize as _;
use serde_json::Value;

use super::fields::{Path, Step};
use limits::{Limited, Limits, Run};

/// How long an Application that it overran for leaves it alone: many objects may have it, and each would take its second.
const RESTS: Duration = Duration::from_secs(60);

/// The name under which the expression is compiled, and what runs it.
const IGNORED: &str = "ignored";
const PROGRAM: &str = "path(ignored)";

/// Expressions in use, by their texts: rules are read at every look at an Application, and compiling takes its time.
static IN_USE: Mutex<BTreeMap<String, Weak<Expression>>> = Mutex::new(BTreeMap::new());

/// A compiled jq path.
pub(super) struct Expression {
    filter: Filter<Limited>,
    /// For which Applications, and when: nobody's object stops the rules of others.
    overran: Mutex<BTreeMap<String, Instant>>,
}

/// It was not done within its limits.
#[derive(Debug)]
pub(super) struct TooLong;

impl Expression {
    /// The compiled expression, or what in it can't be used.
    pub(super) fn of(text: &str) -> Result<Arc<Self>, String> {
        let known = || IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(expression) = known().get(text).and_then(Weak::upgrade) {
            return Ok(expression);
        }
        let expression = Arc::new(Self::parse(text)?);
        let mut known = known();
        known.retain(|_, expression| expression.strong_count() > 0);
        known.insert(text.to_owned(), Arc::downgrade(&expression));
        Ok(expression)
    }

    fn parse(text: &str) -> Result<Self, String> {
        limits::check(text)?;
        let tokens = Lexer::new(text).lex().map_err(|errors| {
            let first = errors.first();
            let first = first.map(|(expected, found)| unexpected(text, expected.as_str(), found));
            first.unwrap_or_default()
        })?;
        limits::check_words(&tokens)?;
        let term = Parser::new(&tokens).parse(|parser| parser.term());
        let term = term.map_err(|errors| {
            let first = errors.first().map(|(expected, found)| {
                let found = found.map_or("", |token| token.0);
                unexpected(text, expected.as_str(), found)
            });
            first.unwrap_or_default()
        })?;
        let term = limits::limited(term)?;
        let mut definitions: Vec<Def<&str>> = filters::definitions();
        definitions.push(Def {
            name: IGNORED,
            args: Vec::new(),
            body: term,
        });
        let arena = Arena::default();
        let main = File {
            code: PROGRAM,
            path: (),
        };
        let modules = Loader::new(definitions).load(&arena, main);
        let modules = modules.map_err(|_| "it can't be read".to_owned())?;
        let filter = Compiler::default()
            .with_funs(filters::native().chain([limits::guard(), limits::key()]))
            .compile(modules)
            .map_err(|errors| {
                let undefined = errors.into_iter().flat_map(|(_, undefined)| undefined);
                let names: Vec<_> = undefined.map(|(name, _)| name).collect();
                format!("{} is not defined", names.join(", "))
            })?;
        Ok(Self {
            filter,
            overran: Mutex::default(),
        })
    }

    /// Where it points to in an object of an Application.
    pub(super) fn paths(&self, object: &Value, application: &str) -> Result<Vec<Path>, TooLong> {
        if self.resting().contains_key(application) {
            return Err(TooLong);
        }
        let limits = Limits::new();
        // Whatever else waits for this thread goes on meanwhile.
        let found = tokio::task::block_in_place(|| self.run(object, &limits));
        if limits.exceeded() {
            let now = Instant::now();
            self.resting().insert(application.to_owned(), now);
            return Err(TooLong);
        }
        // As `del` does: it removes all or, where the expression does not fit the object, nothing.
        Ok(found.unwrap_or_default())
    }

    fn resting(&self) -> MutexGuard<'_, BTreeMap<String, Instant>> {
        let mut overran = self.overran.lock().unwrap_or_else(PoisonError::into_inner);
        overran.retain(|_, at| at.elapsed() < RESTS);
        overran
    }

    fn run(&self, object: &Value, limits: &Limits) -> Option<Vec<Path>> {
        let run = Run {
            lut: &self.filter.lut,
            limits,
        };
        let input = Val::deserialize(object).ok()?;
        let context = Ctx::<Limited>::new(run, Vars::new([]));
        let found = self.filter.id.run((context, input));
        let mut paths = Vec::new();
        for path in found {
            paths.extend(places(object, &path.ok()?));
        }
        Some(paths)
    }
}

/// What does not fit in an expression, by where it stands: the text may be a value that is compared with.
fn unexpected(text: &str, expected: &str, found: &str) -> String {
    let before = found.as_ptr().addr().checked_sub(text.as_ptr().addr());
    let before = before.and_then(|length| text.get(..length));
    match before.filter(|_| !found.is_empty()) {
        Some(before) => format!(
            "expected {expected} at letter {}",
            before.chars().count() + 1
        ),
        None => format!("expected {expected}, found the end"),
    }
}

/// The places that a path of jq names: several where it ends in a slice, none where nothing stands.
fn places(object: &Value, path: &Val) -> Vec<Path> {
    let Val::Arr(steps) = path else {
        return Vec::new();
    };
    let mut found = vec![(Path::new(), object)];
    for step in steps.iter() {
        let inside = found.into_iter().flat_map(|place| enter(place, step));
        found = inside.collect();
    }
    let places = found.into_iter().map(|(path, _)| path);
    places.filter(|path| !path.is_empty()).collect()
}

/// From a place, the places inside of it that a step of jq means.
fn enter<'a>((path, value): (Path, &'a Value), step: &Val) -> Vec<(Path, &'a Value)> {
    let steps = these(step, value).into_iter();
    let entered = steps.filter_map(|step| {
        let inside = step.of(value)?;
        Some((path.iter().cloned().chain([step]).collect(), inside))
    });
    entered.collect()
}

fn these(step: &Val, value: &Value) -> Vec<Step> {
    let list = value.as_array().map_or(0, Vec::len);
    match step {
        Val::TStr(name) => {
            let name = String::from_utf8_lossy(name).into_owned();
            vec![Step::Field(name)]
        }
        Val::Num(number) => {
            let index = number.as_isize().and_then(|index| from_end(index, list));
            index.map(Step::Index).into_iter().collect()
        }
        Val::Obj(slice) => {
            let bound =
                |name: &str, default: usize| match slice.get(&Val::utf8_str(name.to_owned())) {
                    Some(Val::Num(number)) => {
                        let index = number.as_isize().unwrap_or_default();
                        from_end(index, list).unwrap_or(0).min(list)
                    }
                    _ => default,
                };
            (bound("start", 0)..bound("end", list))
                .map(Step::Index)
                .collect()
        }
        _ => Vec::new(),
    }
}

/// A negative index counts from the end.
fn from_end(index: isize, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(index.unsigned_abs()),
    }
}

#[cfg(test)]
mod tests;
