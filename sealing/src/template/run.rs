//! What the functions of one rendering share: the surroundings, the dicts they make, and a budget.
//! Knows no template and no function.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use k8s_openapi::jiff::Timestamp;
use regex::bytes::Regex;

use super::functions::CallError;
use super::text::Text;
use super::value::{Dict, Value};

/// What all calls and nodes of one template may produce together, in bytes: a guard against templates that double a
/// text in each round of a loop, or their own calls in each call.
const MAX_WORK: usize = 64 << 20;

/// What a value costs of [`MAX_WORK`] besides its text, about its size in memory.
const ELEMENT_WORK: usize = 32;

/// Rounds of all `range` loops of one template together.
const MAX_ROUNDS: usize = 1_000_000;

/// One rendering, at a moment.
pub(super) struct Run<'a> {
    now: Timestamp,
    /// Whether the result would be another at another moment or with other dice.
    varies: Cell<bool>,
    /// Fills a buffer with random bytes, and says whether it could.
    pub(super) fill: &'a dyn Fn(&mut [u8]) -> bool,
    work: Cell<usize>,
    rounds: Cell<usize>,
    /// Regular expressions that are compiled, by their source.
    expressions: RefCell<BTreeMap<Text, Regex>>,
    /// Every dict, to be emptied at the end: one that holds itself would never go.
    dicts: RefCell<Vec<Dict>>,
}

impl<'a> Run<'a> {
    pub(super) fn new(now: Timestamp, fill: &'a dyn Fn(&mut [u8]) -> bool) -> Self {
        Self {
            now,
            varies: Cell::new(false),
            fill,
            work: Cell::new(0),
            rounds: Cell::new(0),
            expressions: RefCell::default(),
            dicts: RefCell::default(),
        }
    }

    /// The moment of the rendering; who asks for it varies.
    pub(super) fn now(&self) -> Timestamp {
        self.vary();
        self.now
    }

    /// Says that the result would be another the next time.
    pub(super) fn vary(&self) {
        self.varies.set(true);
    }

    pub(super) fn varies(&self) -> bool {
        self.varies.get()
    }

    /// Makes a dict.
    pub(super) fn dict(&self, entries: BTreeMap<Text, Value>) -> Value {
        let dict: Dict = Rc::new(RefCell::new(entries));
        self.dicts.borrow_mut().push(Rc::clone(&dict));
        Value::Dict(dict)
    }

    /// A regular expression, compiled once.
    pub(super) fn expression(
        &self,
        source: &Text,
        compile: impl FnOnce() -> Result<Regex, CallError>,
    ) -> Result<Regex, CallError> {
        let known = self.expressions.borrow().get(source).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let compiled = compile()?;
        let mut expressions = self.expressions.borrow_mut();
        expressions.insert(source.clone(), compiled.clone());
        Ok(compiled)
    }

    /// Takes so many bytes of work from the budget.
    pub(super) fn spend(&self, work: usize) -> Result<(), CallError> {
        let total = self
            .work
            .get()
            .saturating_add(work)
            .saturating_add(ELEMENT_WORK);
        self.work.set(total);
        if total > MAX_WORK {
            Err(CallError::TooMuch)
        } else {
            Ok(())
        }
    }

    /// Takes what a new value holds by itself; what it shares with others was paid for with them.
    pub(super) fn pay_for(&self, value: &Value) -> Result<(), CallError> {
        self.spend(match value {
            Value::Text(text) => text.len(),
            Value::List(list) => list.items().iter().map(own_work).sum(),
            Value::Dict(dict) => dict.borrow().values().map(own_work).sum(),
            Value::Texts(texts) => texts.values().map(|text| text.len() + ELEMENT_WORK).sum(),
            _ => 0,
        })
    }

    /// Counts a round of a loop.
    pub(super) fn count_round(&self) -> Result<(), CallError> {
        self.rounds.set(self.rounds.get() + 1);
        if self.rounds.get() > MAX_ROUNDS {
            return Err(CallError::TooOften);
        }
        Ok(())
    }
}

fn own_work(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len() + ELEMENT_WORK,
        _ => ELEMENT_WORK,
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        for dict in self.dicts.borrow().iter() {
            dict.borrow_mut().clear();
        }
    }
}
