//! Figures that want a process of their own: the binary runs itself again and reads what that says.

use std::collections::BTreeMap;
use std::process::Command;

use swim_benches::counting;

/// What a child process counted, by key.
pub(crate) struct Counted(BTreeMap<String, f64>);

impl Counted {
    /// Runs this binary as the child for `what`.
    pub(crate) fn of(what: &str) -> Self {
        let binary = std::env::current_exe().expect("a running binary has a path");
        let output = Command::new(binary).args([CHILD, what]).output().expect("it can be run");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the child for {what} failed: {said}");
        let text = String::from_utf8_lossy(&output.stdout);
        let pairs = text.lines().filter_map(|line| line.split_once('\t'));
        Self(pairs.filter_map(|(key, value)| Some((key.into(), value.parse().ok()?))).collect())
    }

    pub(crate) fn get(&self, key: &str) -> Option<f64> {
        self.0.get(key).copied()
    }
}

/// If this process is a child, does what it is for; whether it was one.
pub(crate) fn run(args: &[String]) -> bool {
    let [flag, what] = args else { return false };
    if flag != CHILD {
        return false;
    }
    counting::start();
    let mut tell = |key: String, value: f64| println!("{key}\t{value}");
    match what.as_str() {
        "packets" => crate::packets::count(&mut tell),
        "wire" => crate::wire::count(&mut tell),
        memory => crate::memory::measure(memory, &mut tell),
    }
    true
}

const CHILD: &str = "--child";
