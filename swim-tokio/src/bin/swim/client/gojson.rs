//! JSON as Go writes it: two blanks for each level, and no character that HTML minds.

use serde::Serialize;

use super::Failure;

pub(super) fn to_json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(|e| Failure::new(format!("Encoding error: {e}")))?;
    // Outside of strings JSON has none of these.
    let escapes = [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ];
    Ok(escapes.into_iter().fold(text, |text, (c, escape)| text.replace(c, escape)))
}

/// The complaint about `-format`.
pub(super) fn unknown_format(format: &str) -> Failure {
    Failure::new(format!("Encoding error: Invalid output format {format:?}"))
}
