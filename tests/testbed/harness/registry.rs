//! A real registry for charts, which keeps what is pushed to it in memory.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// A registry, until it is dropped.
#[derive(Debug)]
pub(crate) struct Registry {
    process: Child,
    /// On `localhost`.
    pub(crate) port: String,
}

impl Registry {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let mut process = Command::new("registry")
            .args(["-port", "0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let port = lines
            .find_map(|line| Some(line.split_once("serving on port ")?.1.to_owned()))
            .unwrap();
        // It logs each request, and would wait for a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, port }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
