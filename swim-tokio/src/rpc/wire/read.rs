//! Reading what bodies consist of.

use std::collections::BTreeMap;

use bytes::Bytes;
use swim_core::wire::msgpack::{Reader, Shape};

use super::BadMessage;

/// Reads a struct: a map by names, or an array in the order of `names`, in which the end may be
/// missing. Hands each field to `set`; what is not in `names` is passed over.
pub(super) fn fields<'a>(
    from: &mut Reader<'a>,
    names: &[&'static str],
    mut set: impl FnMut(&'static str, &mut Reader<'a>) -> Result<(), BadMessage>,
) -> Result<(), BadMessage> {
    match from.shape()? {
        Shape::Nil => {}
        Shape::Array(values) => {
            for position in 0..values as usize {
                match names.get(position) {
                    Some(name) => set(name, from)?,
                    None => from.skip()?,
                }
            }
        }
        Shape::Map(pairs) => {
            for _ in 0..pairs {
                let key = from.text()?;
                match names.iter().find(|name| name.as_bytes() == key) {
                    Some(name) => set(name, from)?,
                    None => from.skip()?,
                }
            }
        }
    }
    Ok(())
}

/// Reads a struct of one field.
pub(super) fn single<'a, T: Default>(
    from: &mut Reader<'a>,
    name: &'static str,
    read: impl Fn(&mut Reader<'a>) -> Result<T, BadMessage>,
) -> Result<T, BadMessage> {
    let mut value = T::default();
    fields(from, &[name], |_, from| {
        value = read(from)?;
        Ok(())
    })?;
    Ok(value)
}

pub(super) fn text(from: &mut Reader<'_>) -> Result<String, BadMessage> {
    Ok(String::from_utf8_lossy(from.text()?).into_owned())
}

pub(super) fn bytes(from: &mut Reader<'_>) -> Result<Bytes, BadMessage> {
    Ok(Bytes::copy_from_slice(from.text()?))
}

/// A list; nil is the empty one.
pub(super) fn list<'a, T>(
    from: &mut Reader<'a>,
    mut item: impl FnMut(&mut Reader<'a>) -> Result<T, BadMessage>,
) -> Result<Vec<T>, BadMessage> {
    let mut items = Vec::new();
    // Not allocated by what is announced: every item takes bytes.
    for _ in 0..from.list()?.unwrap_or(0) {
        items.push(item(from)?);
    }
    Ok(items)
}

/// A map with text as keys; `None` for nil.
pub(super) fn opt_map<'a, T>(
    from: &mut Reader<'a>,
    mut value: impl FnMut(&mut Reader<'a>) -> Result<T, BadMessage>,
) -> Result<Option<BTreeMap<String, T>>, BadMessage> {
    let Some(len) = from.map()? else { return Ok(None) };
    (0..len).map(|_| Ok((text(from)?, value(from)?))).collect::<Result<_, _>>().map(Some)
}

/// A map with text as keys; nil is the empty one.
pub(super) fn map<'a, T>(
    from: &mut Reader<'a>,
    value: impl FnMut(&mut Reader<'a>) -> Result<T, BadMessage>,
) -> Result<BTreeMap<String, T>, BadMessage> {
    Ok(opt_map(from, value)?.unwrap_or_default())
}
