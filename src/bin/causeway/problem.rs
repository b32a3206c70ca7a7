//! How a run ends: with success, with refusals, or with a problem of one sentence.

use std::io;

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunResult {
    /// Success: exit code 0.
    Good,
    /// Something was refused and reported: exit code 1.
    Bad,
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The command line or its environment is wrong: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The run failed: exit code 1.
    #[error("{0}")]
    Failed(String),
    /// The result could not be written.
    #[error("the result cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl Problem {
    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) | Self::Output(_) => 1,
        }
    }

    /// Whether the reader of the output closed the pipe.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
