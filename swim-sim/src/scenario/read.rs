//! Tables of a TOML text, read key by key, so that an error can name the key, its line and what was
//! expected, and so that no key is passed over.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ScenarioError;
use crate::text;

type Result<T> = core::result::Result<T, ScenarioError>;

/// A table being read.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// What errors call it: `links`, `a crash`.
    title: String,
    text: &'a str,
    start: usize,
    fields: BTreeMap<&'a str, Field<'a>>,
    /// Keys that were asked for; others are unknown.
    asked: Vec<&'static str>,
}

/// A value with its key and place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    key: &'a str,
    key_at: usize,
    value: &'a Spanned<DeValue<'a>>,
    text: &'a str,
}

impl<'a> Section<'a> {
    pub(super) fn new(title: &str, text: &'a str, start: usize, table: &'a DeTable<'a>) -> Self {
        let field = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let name: &'a std::borrow::Cow<'a, str> = key.get_ref();
            (&**name, Field { key: name, key_at: key.span().start, value, text })
        };
        let fields = table.iter().map(field).collect();
        Self { title: title.to_owned(), text, start, fields, asked: Vec::new() }
    }

    /// The value of a key, if it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.asked.push(key);
        self.fields.remove(key)
    }

    /// The value of a key that must be there.
    pub(super) fn need(&mut self, key: &'static str) -> Result<Field<'a>> {
        self.take(key).ok_or_else(|| self.missing(format_args!("needs the key {key}")))
    }

    /// An error about what is not there.
    pub(super) fn missing(&self, what: impl fmt::Display) -> ScenarioError {
        ScenarioError::at(self.text, self.start, format!("{} {what}", self.title))
    }

    /// Every key that is left, for tables whose keys are data.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = (&'a str, Field<'a>)> + use<'a> {
        core::mem::take(&mut self.fields).into_iter()
    }

    pub(super) fn set_title(&mut self, title: String) {
        self.title = title;
    }

    /// Complains of a key that nobody asked for.
    pub(super) fn end(&self) -> Result<()> {
        let first = self.fields.values().min_by_key(|field| field.key_at);
        first.map_or(Ok(()), |field| {
            let (title, asked) = (&self.title, self.asked.join(", "));
            let what = format!("unknown key {} in {title}, which knows {asked}", field.key);
            Err(ScenarioError::at(self.text, field.key_at, what))
        })
    }
}

impl<'a> Field<'a> {
    /// An error that says what was expected instead.
    pub(super) fn wrong(&self, expected: impl fmt::Display) -> ScenarioError {
        let span = self.value.span();
        let source: String = self.text[span.clone()].chars().take(SHOWN).collect();
        let what = format!("{} is {source}, expected {expected}", self.key);
        ScenarioError::at(self.text, span.start, what)
    }

    /// An error in somebody else's words, which name the value.
    pub(super) fn refused(&self, why: impl fmt::Display) -> ScenarioError {
        let what = format!("{}: {why}", self.key);
        ScenarioError::at(self.text, self.value.span().start, what)
    }

    pub(super) fn value(&self) -> &'a DeValue<'a> {
        self.value.get_ref()
    }

    pub(super) fn str(&self, expected: &str) -> Result<&'a str> {
        let DeValue::String(text) = self.value() else { return Err(self.wrong(expected)) };
        Ok(text)
    }

    pub(super) fn integer(&self, min: i64, max: i64) -> Result<i64> {
        let expected = || self.wrong(format_args!("an integer from {min} to {max}"));
        let DeValue::Integer(digits) = self.value() else { return Err(expected()) };
        let value = i64::from_str_radix(digits.as_str(), digits.radix()).map_err(|_| expected())?;
        if (min..=max).contains(&value) { Ok(value) } else { Err(expected()) }
    }

    pub(super) fn number(&self, expected: &str) -> Result<f64> {
        let text = match self.value() {
            DeValue::Float(digits) => digits.as_str(),
            DeValue::Integer(digits) => digits.as_str(),
            _ => return Err(self.wrong(expected)),
        };
        text.parse().map_err(|_| self.wrong(expected))
    }

    pub(super) fn flag(&self) -> Result<bool> {
        self.value().as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    pub(super) fn time(&self) -> Result<Duration> {
        let expected = "a time such as \"500ms\", \"60s\", \"2m\" or \"1h\"";
        text::duration(self.str(expected)?).map_err(|_| self.wrong(expected))
    }

    pub(super) fn share(&self) -> Result<f64> {
        let expected = "a share such as \"5%\" or 0.05, from 0 to 1";
        let share = match self.value() {
            DeValue::String(share) => text::share(share).map_err(|_| self.wrong(expected))?,
            _ => self.number(expected)?,
        };
        if (0.0..=1.0).contains(&share) { Ok(share) } else { Err(self.wrong(expected)) }
    }

    /// One of some words.
    pub(super) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Result<T> {
        let known = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let expected = || self.wrong(format_args!("one of {}", known()));
        let DeValue::String(text) = self.value() else { return Err(expected()) };
        words.iter().find(|(word, _)| word == text).map(|(_, t)| *t).ok_or_else(expected)
    }

    /// The values of an array.
    pub(super) fn list(&self, expected: &str) -> Result<Vec<Self>> {
        let DeValue::Array(values) = self.value() else { return Err(self.wrong(expected)) };
        Ok(values.iter().map(|value| Self { value, ..*self }).collect())
    }

    /// A table.
    pub(super) fn section(&self, title: &str) -> Result<Section<'a>> {
        let DeValue::Table(table) = self.value() else { return Err(self.wrong("a table")) };
        Ok(Section::new(title, self.text, self.value.span().start, table))
    }
}

/// Characters of a wrong value that an error shows.
const SHOWN: usize = 60;
