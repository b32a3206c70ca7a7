//! How a run ends: well, with a no, or with a problem that is said in one sentence.

use std::io;

/// What came of the work itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunResult {
    /// All is well: exit code 0.
    Good,
    /// Something was refused, and it has been said what: exit code 1.
    Bad,
}

/// Why the work could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The command line, or the environment it is run in: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// What was asked for cannot be had: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// The result could not be written.
    #[error("the result cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Problem {
    /// What the process ends with.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) | Self::Output(_) => 1,
        }
    }

    /// Whether the reader of the result has gone away.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
