//! The `swim-sim` program: see `swim-sim --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    swim_sim::cli::main()
}
