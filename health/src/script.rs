//! A health script of the settings: where it stands, and what it says of an object. The one file that touches the Lua machine,
//! with the two below it; none of them reads a file, the environment or a network, and neither can a script.

mod failure;
mod values;

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use mlua::chunk::ChunkMode;
use mlua::debug::HookTriggers;
use mlua::{Lua, LuaOptions, MultiValue, StdLib, VmState};
use serde_json::Value;

use crate::verdict::{Health, unknown};
use failure::Failure;

/// So long may a script run, as in Argo CD.
const TIME: Duration = Duration::from_secs(1);
/// So much may it hold. An object is 1.5 MiB at most, and as tables some ten times that.
const MEMORY_MIB: usize = 64;
/// The clock is read after so many instructions: some microseconds.
const INSTRUCTIONS: u32 = 1_000;
/// What a script finds, written in its own language.
const PRELUDE: &str = include_str!("script/prelude.lua");

/// The source of a script, and how it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    setting: String,
    source: String,
    open_libs: bool,
}

impl Script {
    /// `setting` is the key that holds the source, for messages.
    pub(crate) fn new(setting: String, source: String, open_libs: bool) -> Self {
        Self {
            setting,
            source,
            open_libs,
        }
    }

    /// What it says of an object; `None` when it returns nothing. A script that fails leaves the health unknown.
    pub(crate) fn judge(&self, object: &Value) -> Option<Health> {
        match self.run(object) {
            Ok(health) => health,
            Err(failure) => Some(unknown(failure.at(&self.setting))),
        }
    }

    /// Each run has a machine of its own: nothing that a script leaves behind is found by the next.
    fn run(&self, object: &Value) -> Result<Option<Health>, Failure> {
        let over = Rc::new(Cell::new(false));
        let result = self.evaluate(object, &over);
        match result {
            _ if over.get() => Err(Failure::said(format!(
                "the script ran longer than {} s",
                TIME.as_secs()
            ))),
            Err(mlua::Error::MemoryError(_)) => Err(Failure::said(format!(
                "the script needs more than {MEMORY_MIB} MiB"
            ))),
            Err(error) => Err(Failure::of(&error)),
            Ok(returned) => returned,
        }
    }

    /// The outer error is the machine's, the inner one says that what the script returned is no health.
    fn evaluate(
        &self,
        object: &Value,
        over: &Rc<Cell<bool>>,
    ) -> mlua::Result<Result<Option<Health>, Failure>> {
        let mut libraries = StdLib::TABLE | StdLib::OS;
        if self.open_libs {
            libraries |= StdLib::STRING | StdLib::MATH | StdLib::COROUTINE;
        }
        let lua = Lua::new_with(libraries, LuaOptions::new())?;
        lua.set_memory_limit(MEMORY_MIB * 1024 * 1024)?;
        self.limit_time(&lua, over)?;
        lua.globals()
            .raw_set("obj", values::to_lua(&lua, &values::readable(object))?)?;
        let script = lua
            .load(&*self.source)
            .set_name(format!("={}", failure::CHUNK))
            .set_mode(ChunkMode::Text)
            .into_function()?;
        let mut returned: MultiValue = script.call(())?;
        Ok(values::health(returned.pop_back().as_ref(), &self.setting))
    }

    fn limit_time(&self, lua: &Lua, over: &Rc<Cell<bool>>) -> mlua::Result<()> {
        let end = Instant::now() + TIME;
        let over = Rc::clone(over);
        let check = Rc::new(move || {
            if Instant::now() < end {
                return Ok(());
            }
            over.set(true);
            Err(mlua::Error::runtime("out of time"))
        });
        let checked = Rc::clone(&check);
        let within_time = lua.create_function(move |_, values: MultiValue| {
            checked()?;
            Ok(values)
        })?;
        lua.load(PRELUDE)
            .set_name("=prelude")
            .call::<()>((within_time, self.open_libs))?;
        let triggers = HookTriggers::new().every_nth_instruction(INSTRUCTIONS);
        lua.set_global_hook(triggers, move |_, _| {
            check()?;
            Ok(VmState::Continue)
        })
    }
}
