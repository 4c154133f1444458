//! Lines on standard output.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};

/// Prints a line. A reader that has gone ends the program quietly, a full disk with a message.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::say::line(format_args!($($text)*)) };
}
pub(super) use say;

pub(super) fn line(text: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let Err(e) = writeln!(out, "{text}").and_then(|()| out.flush()) else { return };
    if e.kind() == ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    eprintln!("error: cannot print: {e}");
    std::process::exit(1);
}
