//! The file in which an agent keeps its tags: a JSON object of text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use crate::replace_file::replace_file;

/// Reads a file of tags; `None` if there is no such file.
///
/// # Errors
///
/// [`TagsFileError`] names the file.
pub fn read_tags(path: &Path) -> Result<Option<BTreeMap<String, String>>, TagsFileError> {
    let fail = |why| TagsFileError { path: path.into(), why };
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fail(e.to_string())),
    };
    let tags = serde_json::from_slice(&text);
    tags.map(Some).map_err(|e| fail(format!("no JSON object of text: {e}")))
}

/// Replaces a file of tags, or makes it, readable for its owner only. It is never seen half
/// written.
///
/// # Errors
///
/// [`TagsFileError`] names the file.
pub fn write_tags(path: &Path, tags: &BTreeMap<String, String>) -> Result<(), TagsFileError> {
    let text = serde_json::to_string_pretty(tags).expect("text is JSON");
    let written = replace_file(path, text.as_bytes());
    written.map_err(|e| TagsFileError { path: path.into(), why: e.to_string() })
}

/// A file of tags that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagsFileError {
    path: PathBuf,
    why: String,
}

impl fmt::Display for TagsFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tags file {}: {}", self.path.display(), self.why)
    }
}

impl std::error::Error for TagsFileError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_survive_in_a_file_for_their_owner() {
        let path = std::env::temp_dir().join(format!("swim-tags-{}.json", std::process::id()));
        let tags = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".into(), "\"".into())]);
        assert_eq!(read_tags(&path).unwrap(), None);
        write_tags(&path, &tags).unwrap();
        let (text, read) = (fs::read_to_string(&path), read_tags(&path));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, "[]").unwrap();
        let wrong = read_tags(&path).unwrap_err().to_string();
        fs::remove_file(&path).unwrap();
        assert_eq!(text.unwrap(), "{\n  \"a\": \"1\",\n  \"b\": \"\\\"\"\n}");
        assert_eq!(read.unwrap(), Some(tags));
        assert!(wrong.contains("no JSON object of text"), "{wrong}");
    }
}
