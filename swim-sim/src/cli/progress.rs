//! How far a run has come, on a terminal.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on standard error that counts to `len`; invisible if that is no terminal.
pub(super) fn bar(len: u64, unit: &'static str) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(len), target);
    let template = format!("{{wide_bar}} {{pos}}/{{len}} {unit}  {{msg}}");
    bar.with_style(ProgressStyle::with_template(&template).expect("the template is valid"))
}
