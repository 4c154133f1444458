//! Serf's way of writing flags: one dash or two, `-flag value` or `-flag=value`, and no flags
//! behind the first argument that is none.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

/// Rewrites what stands behind a command for the parser: `--flag=value`, and a `--` before what is
/// no flag.
pub(super) fn rewrite(
    command: &Command,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Vec<OsString>, String> {
    let (mut args, mut out) = (args.into_iter(), Vec::new());
    while let Some(arg) = args.next() {
        let Some((name, value)) = flag(&arg) else {
            if arg != "--" {
                out.push("--".into());
            }
            out.push(arg);
            break;
        };
        let long = |long: &str| format!("--{long}");
        let known = command.get_arguments().find(|known| is_called(known, name));
        match (known, value) {
            (None, _) if matches!(name, "h" | "help") => out.push("--help".into()),
            (None, _) => return Err(format!("flag provided but not defined: -{name}")),
            (Some(known), value) if is_bool(known) => {
                let text = value.unwrap_or("true");
                let on = parse_bool(text).ok_or_else(|| {
                    format!("invalid boolean value {text:?} for -{name}: parse error")
                })?;
                match known.get_action() {
                    ArgAction::SetTrue if !on => {}
                    ArgAction::SetTrue => out.push(long(name).into()),
                    _ => out.push(format!("--{name}={on}").into()),
                }
            }
            (Some(_), Some(value)) => out.push(format!("--{name}={value}").into()),
            (Some(_), None) => {
                let value =
                    args.next().ok_or_else(|| format!("flag needs an argument: -{name}"))?;
                let mut flag = OsString::from(format!("--{name}="));
                flag.push(value);
                out.push(flag);
            }
        }
    }
    out.extend(args);
    Ok(out)
}

/// Name and value of a flag.
fn flag(arg: &OsString) -> Option<(&str, Option<&str>)> {
    let text = arg.to_str()?.strip_prefix('-')?;
    let text = text.strip_prefix('-').unwrap_or(text);
    if text.is_empty() {
        return None;
    }
    Some(match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    })
}

fn is_called(arg: &Arg, name: &str) -> bool {
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    arg.get_long() == Some(name) || aliases.contains(&name)
}

fn is_bool(arg: &Arg) -> bool {
    let takes_none = arg.get_num_args().is_some_and(|range| range.min_values() == 0);
    matches!(arg.get_action(), ArgAction::SetTrue) || takes_none
}

/// As Go reads them.
fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
