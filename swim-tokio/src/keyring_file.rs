//! Keys as text, and the keyring file: a JSON array of base64 keys, primary first, as Serf's.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use swim_core::keyring::{Key, KeyError, Keyring, KeyringError};

use crate::replace_file::replace_file;

/// The key that `text` is the base64 form of.
pub fn parse_key(text: &str) -> Result<Key, KeyParseError> {
    let bytes = STANDARD.decode(text.trim()).map_err(|_| KeyParseError::NotBase64)?;
    Key::new(&bytes).map_err(KeyParseError::Key)
}

/// The base64 form of `key`.
pub fn format_key(key: &Key) -> String {
    STANDARD.encode(key.as_bytes())
}

/// Reads a keyring file; `None` if there is no such file.
pub fn read_keyring(path: &Path) -> Result<Option<Keyring>, KeyringFileError> {
    let fail = |why| KeyringFileError { path: path.into(), why };
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fail(Why::Io(e))),
    };
    let keys: Vec<String> = serde_json::from_slice(&text).map_err(|e| fail(Why::Json(e)))?;
    let mut ring = Keyring::empty();
    for (index, key) in keys.iter().enumerate() {
        let key = parse_key(key).map_err(|e| fail(Why::Key(index, e)))?;
        ring.add(key).map_err(|e| fail(Why::Ring(e)))?;
    }
    if ring.is_empty() {
        return Err(fail(Why::Empty));
    }
    Ok(Some(ring))
}

/// Replaces a keyring file, or makes it, readable for its owner only.
///
/// The file is never seen half written: the new one is complete on disk before it takes the place
/// of the old one.
pub fn write_keyring(path: &Path, ring: &Keyring) -> Result<(), KeyringFileError> {
    let keys: Vec<_> = ring.keys().map(format_key).collect();
    let text = serde_json::to_string_pretty(&keys).expect("strings are JSON");
    replace_file(path, text.as_bytes())
        .map_err(|e| KeyringFileError { path: path.into(), why: Why::Io(e) })
}

/// Why text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyParseError {
    /// The text is not base64 with padding.
    NotBase64,
    /// The bytes are not a key.
    Key(KeyError),
}

impl fmt::Display for KeyParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64 => f.write_str("a key is written in base64"),
            Self::Key(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for KeyParseError {}

/// Why a keyring file cannot be used. The text never contains a key.
#[derive(Debug)]
pub struct KeyringFileError {
    path: PathBuf,
    why: Why,
}

#[derive(Debug)]
enum Why {
    Io(io::Error),
    Json(serde_json::Error),
    Key(usize, KeyParseError),
    Ring(KeyringError),
    Empty,
    Missing,
}

impl KeyringFileError {
    /// There is no file, and no key to make it with.
    pub(crate) fn missing(path: &Path) -> Self {
        Self { path: path.into(), why: Why::Missing }
    }
}

impl fmt::Display for KeyringFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keyring file {}: ", self.path.display())?;
        match &self.why {
            Why::Io(e) => e.fmt(f),
            Why::Json(e) => {
                write!(f, "no JSON array of base64 keys (line {}, column {})", e.line(), e.column())
            }
            Why::Key(index, e) => write!(f, "key {}: {e}", index + 1),
            Why::Ring(e) => e.fmt(f),
            Why::Empty => f.write_str("it holds no key"),
            Why::Missing => f.write_str("it does not exist, and there is no key to make it with"),
        }
    }
}

impl std::error::Error for KeyringFileError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that goes when the test ends.
    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("swim-{name}-{}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn key(n: u8) -> Key {
        Key::new(&[n; 32]).unwrap()
    }

    #[test]
    fn a_ring_comes_back_in_its_order_and_only_its_owner_reads_the_file() {
        let dir = Dir::new("ring");
        let path = dir.0.join("keys.json");
        assert!(read_keyring(&path).unwrap().is_none());
        for ring in [Keyring::new(key(9)), Keyring::with_keys(key(2), [key(1), key(3)]).unwrap()] {
            write_keyring(&path, &ring).unwrap();
            assert_eq!(read_keyring(&path).unwrap(), Some(ring));
        }
        assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 1, "no temporary file is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_as_serf_writes_it_is_read() {
        let dir = Dir::new("serf");
        let path = dir.0.join("keys.json");
        let keys = ["vb+0fFWl82XyjaWdhU62dbrILQmWj2TAKlmT/a6R6xc=", "QHOYjmYlxSCBhdfiolhtDQ=="];
        let text = format!("[\n  \"{}\",\n  \"{}\"\n]", keys[0], keys[1]);
        fs::write(&path, text).unwrap();
        let ring = read_keyring(&path).unwrap().unwrap();
        assert_eq!(ring.keys().map(|k| k.as_bytes().len()).collect::<Vec<_>>(), [32, 16]);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_in_one_line_without_keys() {
        let dir = Dir::new("bad");
        let path = dir.0.join("keys.json");
        for (text, says) in [
            ("", "no JSON array of base64 keys (line 1, column 0)"),
            ("[]", "it holds no key"),
            ("[\"c2VjcmV0\"]", "key 1: a key has 16, 24 or 32 bytes, not 6"),
            (
                "[\"vb+0fFWl82XyjaWdhU62dbrILQmWj2TAKlmT/a6R6xc=\", \"%\"]",
                "key 2: a key is written in base64",
            ),
        ] {
            fs::write(&path, text).unwrap();
            let e = read_keyring(&path).unwrap_err().to_string();
            assert_eq!(e, format!("keyring file {}: {says}", path.display()));
        }
        let unwritable = dir.0.join("none").join("keys.json");
        assert!(write_keyring(&unwritable, &Keyring::new(key(1))).is_err());
    }
}
