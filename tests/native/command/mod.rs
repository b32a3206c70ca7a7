//! The `causeway` command, run as it is used: arguments in; output and exit code out.

mod guide;
mod import_nango;
mod import_nango_calls;
mod import_nango_named;
mod import_openapi;
mod publish;
mod server;
mod trying;
mod validate;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// What a run left behind.
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Its output, when it ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> String {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self.out
    }

    /// What it complained of, when it ended with this code and printed nothing.
    #[track_caller]
    pub fn complaint(self, code: i32) -> String {
        assert_eq!(
            (self.code, self.out.as_str()),
            (code, ""),
            "err: {}",
            self.err
        );
        self.err
    }
}

/// Runs the command with nothing on its standard input.
pub fn causeway<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Run {
    run(args, "", &[])
}

/// Runs the command with this on its standard input, and these variables in addition to its own.
pub fn run<S: AsRef<OsStr>>(
    args: impl IntoIterator<Item = S>,
    input: &str,
    variables: &[(&str, &str)],
) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_causeway"))
        .args(args)
        .env_remove("CAUSEWAY_TOKEN")
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder of one test, gone with it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Puts a file there; its whole path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub fn json(&self, name: &str, value: &Value) -> String {
        self.file(name, &value.to_string())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
