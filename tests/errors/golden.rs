//! Compares what errors say with `tests/errors/NAME.txt`: texts that no command of `signet` can be brought to say.
//! `TRYCMD=overwrite` writes down what they say now. It must not know how they were provoked.

use std::error::Error;
use std::iter::successors;
use std::path::Path;

use snapbox::data::{Data, DataFormat};

pub(crate) fn assert_said(name: &str, errors: &[&dyn Error]) {
    let said: Vec<String> = errors.iter().map(|error| text(*error)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../tests/errors/{name}.txt"));
    let assert = snapbox::Assert::new().action_env("TRYCMD");
    assert.eq(
        said.join("\n"),
        Data::read_from(&path, Some(DataFormat::Text)),
    );
}

fn text(error: &dyn Error) -> String {
    let causes = successors(error.source(), |&error| error.source());
    causes.fold(format!("{error}\n"), |said, cause| {
        format!("{said}caused by: {cause}\n")
    })
}
