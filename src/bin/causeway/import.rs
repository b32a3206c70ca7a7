//! `causeway import`: writes integration files, or resources of one, from descriptions that others wrote.

mod document;
mod nango;
mod openapi;
mod report;
mod words;

use std::io::Write;

use clap::{Args, Subcommand};

use crate::problem::{Problem, RunResult};

/// Write integration files from another description of an API
#[derive(Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    source: ImportSource,
}

#[derive(Subcommand)]
enum ImportSource {
    Nango(nango::NangoArgs),
    Openapi(openapi::OpenapiArgs),
}

/// Imports what the arguments name.
pub fn run(args: &ImportArgs, out: &mut impl Write) -> Result<RunResult, Problem> {
    match &args.source {
        ImportSource::Nango(args) => nango::run(args, out),
        ImportSource::Openapi(args) => openapi::run(args, out),
    }
}
