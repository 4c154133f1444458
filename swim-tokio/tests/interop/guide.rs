//! The guide for those who come from Serf: whatever `serf` can be told stands in it, and `swim` can
//! be told the same.

use crate::cli::{SWIM, run};
use crate::serf;

const GUIDE: &str = include_str!("../../docs/coming-from-serf.md");

/// The flags that a help text lists, one in each line that begins with one, without dashes.
fn flags(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| {
        let flag = line.trim_start().strip_prefix('-')?.trim_start_matches('-');
        let end = flag.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-');
        let name = &flag[..end.unwrap_or(flag.len())];
        (name.len() > 1 && line.starts_with([' ', '\t'])).then(|| name.to_owned())
    });
    names.collect()
}

/// The row of a command in the guide, or the section about the agent.
fn told(command: &str) -> &'static str {
    if command == "agent" {
        return GUIDE.split("### Configuration files").next().unwrap();
    }
    let row = GUIDE.lines().find(|line| line.starts_with(&format!("| `{command}` | ")));
    row.unwrap_or_else(|| panic!("the guide does not know {command}"))
}

#[test]
fn every_flag_of_either_program_stands_in_the_guide() {
    if !serf::is_there() {
        return;
    }
    let commands = "agent event force-leave info join keygen keys leave members monitor query \
                    reachability rtt tags version";
    let (mut seen, everywhere) = (0, ["rpc-addr", "rpc-auth", "help"]);
    for command in commands.split_whitespace() {
        let help = |program: &str, flag: &str| {
            let output = run(program, &[command, flag], &[]);
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
        };
        let (theirs, ours) = (flags(&help("serf", "-help")), help(SWIM, "--help"));
        for flag in &theirs {
            // Serf's own help calls it outdated, and ours does not show it.
            let known = ours.contains(&format!("--{flag}")) || flag == "role";
            assert!(known, "swim {command} has no -{flag}");
        }
        let ours = flags(&ours);
        let of_its_own = |flag: &&String| command == "agent" || !everywhere.contains(&&***flag);
        for flag in theirs.iter().chain(&ours).filter(of_its_own).filter(|flag| *flag != "help") {
            let row = told(command);
            let found = row.contains(&format!("`-{flag}`"));
            assert!(found, "the guide does not know {command} -{flag}");
        }
        seen += theirs.len();
    }
    assert!(seen > 60, "only {seen} flags in the help texts of serf");
}
