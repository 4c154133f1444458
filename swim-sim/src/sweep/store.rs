//! The folder of a sweep: the sweep itself, and a file of lines for each shard.
//!
//! A line is written at once and ends with a newline, so that a process that is killed leaves at
//! most one line without an end. Whoever goes on cuts it off and runs that cell again.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::row::Row;
use super::shard::Shard;

/// A folder to which one shard of a sweep adds what it finds.
#[derive(Debug)]
pub(crate) struct Store {
    path: PathBuf,
    file: File,
}

/// What is already known: for each run, the line that tells of it.
pub(crate) type Found = BTreeMap<u64, (Row, String)>;

impl Store {
    /// Opens a folder, or makes it, to go on with a sweep of this text and so many runs.
    pub(crate) fn open(dir: &Path, sweep: &str, cells: u64, shard: Shard) -> Result<Self, String> {
        fs::create_dir_all(dir).map_err(|e| told(dir, &e))?;
        let copy = dir.join(SWEEP);
        match fs::read_to_string(&copy) {
            Ok(old) if old == sweep => {}
            Ok(old) => return Err(other_sweep(&copy, &old, sweep)),
            Err(_) => write_whole(&copy, sweep)?,
        }
        let path = dir.join(format!("runs-{}-of-{}.jsonl", shard.index, shard.of));
        let open = File::options().read(true).append(true).create(true).open(&path);
        let file = open.map_err(|e| told(&path, &e))?;
        match file.try_lock() {
            // Some network file systems have no locks.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(format!("{}: another process is at this shard", path.display()));
            }
        }
        let whole = lines(&path, cells)?.1;
        file.set_len(whole).map_err(|e| told(&path, &e))?;
        Ok(Self { path, file })
    }

    /// Adds what a run has shown.
    pub(crate) fn add(&mut self, row: &Row) -> Result<(), String> {
        let mut line = serde_json::to_vec(row).expect("a row is plain data");
        line.push(b'\n');
        self.file.write_all(&line).map_err(|e| told(&self.path, &e))
    }
}

/// What the shards in a folder have found, whoever wrote it; an end that is still being written is
/// left out.
pub(crate) fn gather(dir: &Path, cells: u64, found: &mut Found) -> Result<(), String> {
    let entries = fs::read_dir(dir).map_err(|e| told(dir, &e))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    let runs = |path: &&PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        name.is_some_and(|name| name.starts_with("runs-") && name.ends_with(".jsonl"))
    };
    for path in paths.iter().filter(runs) {
        for (row, line) in lines(path, cells)?.0 {
            let cell = row.cell;
            if let Some((_, old)) = found.insert(cell, (row, line.clone()))
                && old != line
            {
                return Err(format!(
                    "{}: run {cell} has another result elsewhere; were two versions of the program \
                     at work?\n  {old}\n  {line}",
                    path.display()
                ));
            }
        }
    }
    Ok(())
}

/// The sweep that a folder holds results of.
pub(crate) fn sweep_of(dir: &Path) -> Result<String, String> {
    let path = dir.join(SWEEP);
    fs::read_to_string(&path).map_err(|e| told(&path, &e))
}

/// The whole lines of a file, and how many bytes they are.
fn lines(path: &Path, cells: u64) -> Result<(Vec<(Row, String)>, u64), String> {
    let bytes = fs::read(path).map_err(|e| told(path, &e))?;
    let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    let mut rows = Vec::new();
    for (i, line) in bytes[..whole].split_inclusive(|&b| b == b'\n').enumerate() {
        let row = serde_json::from_slice::<Row>(line).ok().filter(|row| row.cell < cells);
        let row = row.ok_or_else(|| {
            let (path, line) = (path.display(), i + 1);
            format!("{path}: line {line} is no result of this sweep; without it, it is run again")
        })?;
        let text = String::from_utf8_lossy(line).trim_end().to_owned();
        rows.push((row, text));
    }
    Ok((rows, whole as u64))
}

/// Writes a file that is there whole or not at all.
pub(super) fn write_whole(path: &Path, text: &str) -> Result<(), String> {
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let written = fs::write(&draft, text).and_then(|()| fs::rename(&draft, path));
    written.map_err(|e| told(path, &e))
}

fn told(path: &Path, e: &std::io::Error) -> String {
    format!("{}: {e}", path.display())
}

fn other_sweep(path: &Path, old: &str, new: &str) -> String {
    let same = old.lines().zip(new.lines()).take_while(|(a, b)| a == b).count();
    format!(
        "{} is another sweep, from line {} on; choose another --out, or remove the folder",
        path.display(),
        same + 1
    )
}

/// The copy of the sweep in its folder.
const SWEEP: &str = "sweep.toml";
