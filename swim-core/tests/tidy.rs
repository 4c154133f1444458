//! The house style as a test: what neither rustfmt nor clippy checks. A complaint says
//! `file:line: rule`, and every rule is a short function below.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// What each module of the core may use, besides itself and the crates it depends on.
const LAYERS: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("rng", &["time"]),
    ("ids", &[]),
    ("stats", &[]),
    ("wire", &["ids"]),
    ("keyring", &[]),
    ("envelope", &["wire", "keyring"]),
    ("coordinate", &["time", "rng"]),
    ("member", &["ids"]),
    ("policy", &["ids", "member"]),
    ("config", &["ids", "keyring", "policy", "time"]),
    ("error", &["keyring", "wire"]),
    ("event", &["ids", "member"]),
    ("input", &["config", "event", "ids", "keyring", "member", "time"]),
    ("swim", SWIM_USES),
    ("serf", SERF_USES),
    ("journal", JOURNAL_USES),
    ("testkit", &["*"]),
    ("fuzzing", &["*"]),
    ("tests", &["*"]),
];

const SWIM_USES: &[&str] = &[
    "config", "error", "event", "ids", "input", "keyring", "member", "policy", "rng", "stats",
    "time", "wire",
];

const SERF_USES: &[&str] = &[
    "config",
    "coordinate",
    "error",
    "event",
    "ids",
    "input",
    "keyring",
    "member",
    "rng",
    "swim",
    "time",
    "wire",
];

const JOURNAL_USES: &[&str] = &[
    "config", "error", "event", "ids", "input", "keyring", "member", "policy", "rng", "serf",
    "swim", "time", "wire",
];

/// The modules of `swim`, leaves first: each may use those before it.
const SWIM: &[&str] = &[
    "rules",
    "order",
    "queue",
    "events",
    "verdicts",
    "suspicion",
    "members",
    "sharing",
    "timers",
    "outbox",
    "roster",
    "rumours",
    "above",
    "ctx",
    "refusals",
    "pick",
    "claims",
    "suspects",
    "exchange",
    "relay",
    "pings",
    "merge",
    "probe",
    "transmit",
    "fast_join",
    "upkeep",
    "node",
    "datagram",
    "streams",
    "commands",
    "support",
    "audit",
];

/// What the core may depend on (architecture 2): a new one needs a paragraph in its commit.
const DEPENDENCIES: &[&str] = &[
    "bytes",
    "hashbrown",
    "foldhash",
    "smallvec",
    "libm",
    "crc32fast",
    "rand_core",
    "rand_xoshiro",
    "siphasher",
    "aes-gcm",
    "base64",
    "ring",
    "serde",
    "regex-automata",
];

const COLUMNS_MAX: usize = 100;
/// A file past 400 lines usually holds a second concept; past this many it does.
const LINES_MAX: usize = 600;

#[test]
fn modules_use_only_what_lies_below_them() {
    let mut bad = Complaints::default();
    for file in sources("swim-core/src") {
        let Some((module, rest)) = file.module() else { continue };
        let Some((_, below)) = LAYERS.iter().find(|(name, _)| *name == module) else {
            bad.add(&file, 0, "a module that stands in no layer: see LAYERS in tests/tidy.rs");
            continue;
        };
        for (n, line) in file.code() {
            for used in after(line, "crate::").filter(|used| *used != module && is_module(used)) {
                if !below.contains(&used) && !below.contains(&"*") {
                    bad.add(&file, n, &format!("{module} may not use {used}"));
                }
            }
            if module == "swim" {
                let rank = |name: &str| SWIM.iter().position(|m| *m == name);
                let mine = rank(rest.unwrap_or("mod"));
                for used in after(line, "super::") {
                    if let (Some(mine), Some(used_rank)) = (mine, rank(used))
                        && used_rank > mine
                    {
                        bad.add(&file, n, &format!("swim::{} may not use {used}", SWIM[mine]));
                    }
                }
                if n == 1 && mine.is_none() && rest.is_some_and(|name| name != "mod") {
                    bad.add(&file, n, "a module that stands nowhere in SWIM in tests/tidy.rs");
                }
            }
        }
    }
    bad.none();
}

#[test]
fn the_core_depends_on_little_and_on_no_std() {
    let mut bad = Complaints::default();
    let manifest = File::read("swim-core/Cargo.toml");
    let mut section = "";
    for (n, line) in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
        let is_entry =
            section == "[dependencies]" && !name.is_empty() && !line.starts_with(['#', '[']);
        if is_entry && !DEPENDENCIES.contains(&name) {
            bad.add(&manifest, n, &format!("{name} is no dependency that was agreed on"));
        }
    }
    for file in sources("swim-core/src") {
        let in_tests = file.module().is_some_and(|(module, _)| module == "tests");
        for (n, line) in file.code().filter(|_| !in_tests) {
            if line.contains("std::") {
                bad.add(&file, n, "std in the core");
            }
            if ["println!", "eprintln!", "print!("].iter().any(|print| line.contains(print)) {
                bad.add(&file, n, "the core prints nothing");
            }
        }
    }
    bad.none();
}

#[test]
fn files_are_short_and_lines_are_narrow() {
    let mut bad = Complaints::default();
    let mut long = String::new();
    for file in all_sources() {
        let count = file.lines().count();
        if count > LINES_MAX {
            bad.add(&file, count, &format!("more than {LINES_MAX} lines"));
        } else if count > 400 {
            let _ = writeln!(long, "{}: {count} lines; is there a second concept?", file.name);
        }
        for (n, line) in file.lines() {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX && is_breakable(line) {
                bad.add(&file, n, &format!("{columns} columns, more than {COLUMNS_MAX}"));
            }
            if line.ends_with([' ', '\t']) {
                bad.add(&file, n, "blanks at the end");
            }
        }
    }
    print!("{long}");
    bad.none();
}

#[test]
fn nothing_is_left_for_later() {
    let mut bad = Complaints::default();
    let words = ["TO\x44O", "FIX\x4dE", "XX\x58", "dbg\x21(", "todo\x21(", "unimplemented\x21("];
    for file in all_sources() {
        for (n, line) in file.lines() {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                bad.add(&file, n, &format!("{word} on the main branch"));
            }
            let attribute = line.trim_start().starts_with("#[") || line.starts_with("#![");
            if attribute && line.contains("allow(") {
                bad.add(
                    &file,
                    n,
                    "write #[expect(.., reason = \"..\")], which notices its own end",
                );
            }
        }
    }
    bad.none();
}

#[test]
fn files_say_what_they_are() {
    let mut bad = Complaints::default();
    for file in all_sources() {
        if !file.text.starts_with("//!") && file.lines().any(|(_, line)| is_public(line)) {
            bad.add(&file, 1, "no module documentation");
        }
    }
    bad.none();
}

/// Meaning, default and whether a reload changes it; a number has a range too, and says what it
/// costs to make it smaller and larger, a flag what one of its values does. Whether that is all of
/// the cost is for a reader to judge.
#[test]
fn knobs_are_documented() {
    let mut bad = Complaints::default();
    let files: Vec<File> = sources("swim-core/src").collect();
    let (mut knobs, mut docs) = (0, String::new());
    for (file, (n, line)) in files.iter().flat_map(|f| f.lines().map(move |line| (f, line))) {
        let line = line.trim();
        if let Some(text) = line.strip_prefix("///") {
            docs.push_str(text);
            continue;
        }
        let reload = line.ends_with(", RELOAD;");
        if reload || line.ends_with(", FIXED;") {
            knobs += 1;
            let flag = line.contains(": bool");
            let range = !flag && !line.contains(": Option");
            let wanted = [
                ("Default ", true),
                (" to ", range),
                ("maller", range),
                ("arger", range),
                ("Reloadable", reload),
                ("Fixed.", !reload),
            ];
            for (text, _) in wanted.iter().filter(|(text, due)| *due && !docs.contains(text)) {
                bad.add(file, n, &format!("the knob's documentation does not say {text:?}"));
            }
            if flag && !docs.contains("True ") && !docs.contains("False ") {
                bad.add(file, n, "the flag's documentation does not say what one value costs");
            }
        }
        docs.clear();
    }
    assert!(knobs > 20, "found only {knobs} knobs: has the form of the table changed?");
    bad.none();
}

/// A hazard that a comment cites stands in `docs/deviations.md`.
#[test]
fn hazards_are_accounted_for() {
    let mut bad = Complaints::default();
    let table = File::read("swim-core/docs/deviations.md");
    let files: Vec<File> = all_sources().collect();
    let rows: Vec<&str> = table.text.lines().filter_map(|line| line.split('|').nth(1)).collect();
    for file in &files {
        for (n, line) in file.lines().filter(|(_, line)| line.contains("//")) {
            for number in hazards(line) {
                if !rows.iter().any(|row| row.trim() == number) {
                    bad.add(file, n, &format!("hazard {number} has no row in {}", table.name));
                }
            }
        }
    }
    bad.none();
}

/// The tests that tables name exist, and each of the 95 rows of what Serf does names one.
#[test]
fn tables_name_tests_that_exist() {
    let mut bad = Complaints::default();
    let files: Vec<File> = all_sources().collect();
    let acceptance = File::read("swim-tokio/docs/serf-acceptance.md");
    let is_row =
        |line: &&str| line.split('|').nth(1).is_some_and(|n| n.trim().parse::<u32>().is_ok());
    let rows = acceptance.text.lines().filter(is_row);
    let held = rows.filter(|line| line.split('|').nth(3).is_some_and(|tests| tests.contains('`')));
    assert_eq!(held.count(), 95, "{}", acceptance.name);
    let others = ["swim-core/docs/deviations.md", "swim-tokio/docs/pools.md"].map(File::read);
    for table in others.iter().chain([&acceptance]) {
        for (n, line) in table.lines().filter(|(_, line)| line.starts_with('|')) {
            for name in line.split('`').skip(1).step_by(2).filter(|name| is_test_name(name)) {
                let def = format!("fn {name}(");
                if !files.iter().any(|file| file.text.contains(&def)) {
                    bad.add(table, n, &format!("there is no test {name}"));
                }
            }
        }
    }
    bad.none();
}

/// The page that says where things are names no file that is not there.
#[test]
fn the_architecture_names_what_is_there() {
    let mut bad = Complaints::default();
    let page = File::read("swim-core/docs/architecture.md");
    let mut named = 0;
    for (n, line) in page.lines() {
        let words = line.split([' ', ',', '`', '(', ')']);
        for path in words.filter(|word| word.starts_with("src/") || word.starts_with("swim/")) {
            named += 1;
            let within = if path.starts_with("src/") { "swim-core" } else { "swim-core/src" };
            if !root().join(within).join(path).exists() {
                bad.add(&page, n, &format!("there is no {path}"));
            }
        }
    }
    assert!(named > 20, "found only {named} paths: has the form of the page changed?");
    bad.none();
}

#[test]
fn fuzz_targets_are_one_call() {
    let mut bad = Complaints::default();
    let crates = sources("swim-core/src").chain(sources("swim-tokio/src"));
    let functions = crates.filter(|file| file.name.contains("fuzzing"));
    let functions: String = functions.map(|file| file.text).collect();
    for target in sources("fuzz/fuzz_targets") {
        let name = target.stem().to_owned();
        if !functions.contains(&format!("pub fn {name}(")) {
            bad.add(&target, 0, &format!("no module fuzzing has a function {name}"));
        }
        if target.lines().count() > 12 {
            bad.add(&target, 0, "a target calls one function and does nothing else");
        }
    }
    bad.none();
}

/// The README and the crate's documentation teach the same drive loop.
#[test]
fn the_drive_loop_is_the_same_everywhere() {
    let polls = |file: &File| {
        let polls = file.text.lines().flat_map(|line| after(line, "node.poll_"));
        polls.map(str::to_owned).collect::<Vec<_>>()
    };
    let (readme, docs) = (File::read("README.md"), File::read("swim-core/src/lib.rs"));
    assert_eq!(polls(&readme), ["transmit", "exchange", "event", "timeout"]);
    assert_eq!(polls(&docs), polls(&readme));
}

#[derive(Default)]
struct Complaints(String);

impl Complaints {
    fn add(&mut self, file: &File, line: usize, rule: &str) {
        let _ = writeln!(self.0, "{}:{line}: {rule}", file.name);
    }

    #[track_caller]
    fn none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0);
    }
}

struct File {
    /// Relative to the root of the workspace.
    name: String,
    text: String,
}

impl File {
    fn read(name: &str) -> Self {
        let text = fs::read_to_string(root().join(name)).expect(name);
        Self { name: name.to_owned(), text }
    }

    /// Lines with their numbers, from 1.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(i, line)| (i + 1, line))
    }

    /// Lines without comments, up to the tests at the end of the file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let in_tests = |line: &str| line.starts_with("#[cfg(") && line.contains("test");
        let code = self.lines().take_while(move |(_, line)| !in_tests(line));
        code.map(|(n, line)| (n, line.split("//").next().unwrap_or_default()))
    }

    fn stem(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// The module of the core that this file is part of, and the module in that.
    fn module(&self) -> Option<(&str, Option<&str>)> {
        let mut path = self.name.strip_prefix("swim-core/src/")?.split('/');
        let module = path.next()?.trim_end_matches(".rs");
        (module != "lib").then(|| (module, path.next().map(|rest| rest.trim_end_matches(".rs"))))
    }
}

fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
}

fn is_public(line: &str) -> bool {
    let items = ["pub fn ", "pub struct ", "pub enum ", "pub trait ", "pub const fn "];
    items.iter().any(|item| line.trim_start().starts_with(item))
}

/// Neither a row of a table, nor one long word, nor a string.
fn is_breakable(line: &str) -> bool {
    let text = line.trim_start_matches(['/', '!', ' ']);
    !text.starts_with('|') && !text.contains('"') && text.contains(' ')
}

/// Names of tests are whole claims, so they have many words.
fn is_test_name(text: &str) -> bool {
    let is_name = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    is_name && text.matches('_').count() >= 3
}

/// The identifiers that follow `prefix` in `line`.
fn after<'a>(line: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    line.split(prefix).skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// The numbers in "hazard 3", "hazards 3 and 13" and "hazards 1, 2 and 3".
fn hazards(line: &str) -> impl Iterator<Item = &str> {
    let cited = line.split_once("azard").map_or("", |(_, rest)| rest.trim_start_matches('s'));
    let end = cited.find([')', '.', ':', ';']).unwrap_or(cited.len());
    let words = cited[..end].split([' ', ',']).filter(|word| !word.is_empty() && *word != "and");
    words.take_while(|word| word.parse::<u32>().is_ok())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn all_sources() -> impl Iterator<Item = File> {
    let folders = ["swim-core", "swim-tokio", "swim-sim", "fuzz", "benches", ".ci"];
    folders.into_iter().flat_map(sources)
}

/// The Rust files in a folder, in order of their names; none if there is no such folder.
fn sources(folder: &str) -> impl Iterator<Item = File> + use<> {
    let (root, mut names, mut folders) = (root(), Vec::new(), vec![PathBuf::from(folder)]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(root.join(&folder)) else { continue };
        for entry in entries.flatten() {
            let path = folder.join(entry.file_name());
            if path.ends_with("target") {
                continue;
            }
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                names.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    names.sort();
    names.into_iter().map(|name| File::read(&name))
}
