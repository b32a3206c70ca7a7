//! The `causeway` command: checks integration files, publishes them, and tries their expressions and placeholders with
//! the code of the Worker. It stores nothing and has no settings.

mod change;
mod eval;
mod file;
mod gateway;
mod import;
mod input;
mod outcome;
mod problem;
mod publish;
mod render;
mod validate;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use problem::{Problem, RunResult};

/// Works on integration files: checks them, publishes them, and tries their expressions and placeholders.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 success; 1 a file or an expression has errors, or the gateway refuses; 2 the command line is wrong.\nThe guide to integration files is docs/integration-file.md."
)]
struct Command {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Validate(validate::ValidateArgs),
    Publish(publish::PublishArgs),
    Import(import::ImportArgs),
    Eval(eval::EvalArgs),
    Render(render::RenderArgs),
}

fn main() -> ExitCode {
    let command = Command::parse();
    let mut out = io::stdout().lock();
    let outcome = match &command.task {
        Task::Validate(args) => validate::run(args, &mut out),
        Task::Publish(args) => publish::run(args, &mut out),
        Task::Import(args) => import::run(args, &mut out),
        Task::Eval(args) => eval::run(args, &mut out),
        Task::Render(args) => render::run(args, &mut out),
    };
    match outcome {
        Ok(RunResult::Good) => ExitCode::SUCCESS,
        Ok(RunResult::Bad) => ExitCode::FAILURE,
        Err(problem) => {
            report(&problem);
            ExitCode::from(problem.exit_code())
        }
    }
}

/// A closed pipe, as in `causeway … | head`, is not reported.
fn report(problem: &Problem) {
    if !problem.is_closed_pipe() {
        // A failure to write to standard error cannot be reported.
        let _ = writeln!(io::stderr(), "causeway: {problem}");
    }
}
