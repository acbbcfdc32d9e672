//! Documents, once they are read, become manifests: those of one file, or of what a program printed.
//! It reads no file and knows no tool.

use serde_json::Value;

use super::{Manifest, RenderError, limits, manifest::objects};

/// Objects that were read together: those of a file, or of what a program printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    pub manifests: Vec<Manifest>,
    /// The least text that all of it can be written with, aliases written out.
    pub(super) written: usize,
}

/// Where a document was written.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) file: &'a str,
    pub(super) document: usize,
    /// None where a program wrote it.
    pub(super) line: Option<usize>,
}

impl Origin<'_> {
    pub(super) fn refused(self, line: Option<usize>, problem: String) -> RenderError {
        RenderError::Manifest {
            file: self.file.to_owned(),
            document: self.document,
            line,
            problem,
        }
    }
}

impl Batch {
    /// Takes the objects of one document along. One that holds nothing is no document.
    pub(super) fn add(&mut self, origin: Origin<'_>, value: Value) -> Result<(), RenderError> {
        if value.is_null() {
            return Ok(());
        }
        self.written += limits::written(&value);
        limits::hold(self.written, origin.file)?;
        let found = objects(value).map_err(|problem| origin.refused(origin.line, problem))?;
        self.manifests
            .extend(found.into_iter().map(|object| Manifest {
                file: origin.file.to_owned(),
                document: origin.document,
                line: origin.line,
                object,
            }));
        Ok(())
    }
}
