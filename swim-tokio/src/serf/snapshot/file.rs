//! Reading the file at the start, and replacing it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use swim_core::serf::snapshot::{Replay, Snapshot};

/// What was in the file, and the file, at whose end further lines belong.
pub(crate) struct Found {
    pub(crate) snapshot: Snapshot,
    pub(crate) file: File,
}

/// Opens the file, or makes it. A line that a crash cut off is taken away, so that the next one is
/// not lost, too; that, and lines that say nothing, are a warning in the log.
pub(crate) fn open(path: &Path, rejoins: bool) -> io::Result<Found> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(e),
    };
    let replay = Replay::read(&bytes, rejoins);
    let Replay { snapshot, whole_bytes, torn_bytes, bad_lines, bad_line_numbers, whole_lines } =
        replay;
    let file = append_to(path)?;
    if torn_bytes > 0 {
        tracing::warn!(
            "snapshot {}: line {}: the last {torn_bytes} bytes are no whole line",
            path.display(),
            whole_lines + 1
        );
        file.set_len(whole_bytes as u64)?;
    }
    if bad_lines > 0 {
        let numbers: Vec<_> = bad_line_numbers.iter().map(u64::to_string).collect();
        let more = if bad_lines > numbers.len() as u64 { ", ..." } else { "" };
        tracing::warn!(
            "snapshot {}: {bad_lines} lines say nothing and were passed over: {}{more}",
            path.display(),
            numbers.join(", ")
        );
    }
    Ok(Found { snapshot, file })
}

/// Replaces the file by one with this text. Whenever it is interrupted, the old file is there or
/// the new one, whole.
pub(super) fn replace(path: &Path, text: &[u8]) -> io::Result<File> {
    let temp = temp_of(path);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = with_mode(&mut options).open(&temp)?;
    file.write_all(text)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temp, path)?;
    append_to(path)
}

fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    with_mode(&mut options).open(path)
}

/// As with Serf: there is nothing secret in it.
fn with_mode(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o644);
    options
}

fn temp_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".compact");
    name.into()
}
