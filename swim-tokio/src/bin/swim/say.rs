//! Lines on standard output.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};

/// Prints a line. A reader that has gone ends the program quietly, a full disk with a message.
macro_rules! say {
    ($($text:tt)*) => { $crate::say::text(format_args!("{}\n", format_args!($($text)*))) };
}
pub(crate) use say;

/// Prints text as it is.
pub(crate) fn text(text: Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let Err(e) = out.write_fmt(text).and_then(|()| out.flush()) else { return };
    if e.kind() == ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    eprintln!("swim: cannot print: {e}");
    std::process::exit(1);
}
