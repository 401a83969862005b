//! The named values of one answer, as WMI and the programs of macOS give them: an object that may hold anything.

use cartable_common::Text;
use serde_json::{Map, Value};

/// One instance, or none at all. A value that is absent, null or of another kind is `None`.
#[derive(Clone, Copy)]
pub(super) struct Row<'a>(pub(super) Option<&'a Map<String, Value>>);

impl<'a> Row<'a> {
    fn value(self, name: &str) -> Option<&'a Value> {
        self.0?.get(name)
    }

    pub(super) fn word(self, name: &str) -> Option<&'a str> {
        self.value(name)?.as_str().map(str::trim).filter(|word| !word.is_empty())
    }

    pub(super) fn text(self, name: &str) -> Option<Text> {
        self.word(name).and_then(Text::meaningful)
    }

    /// WMI gives numbers of 64 bits as text, as some drivers do all others.
    pub(super) fn number<T: TryFrom<u64>>(self, name: &str) -> Option<T> {
        number(self.value(name)?)
    }

    pub(super) fn truth(self, name: &str) -> Option<bool> {
        self.value(name)?.as_bool()
    }
}

/// What only WMI gives.
impl Row<'_> {
    /// The first number of a list.
    pub(super) fn first_of<T: TryFrom<u64>>(self, name: &str) -> Option<T> {
        number(self.value(name)?.as_array()?.first()?)
    }

    /// A single character, which WMI gives as its number or as text.
    pub(super) fn letter(self, name: &str) -> Option<char> {
        let value = self.value(name)?;
        let letter = match value.as_str() {
            Some(text) => text.chars().next(),
            None => number(value).and_then(|code: u32| char::from_u32(code)),
        };
        letter.filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_uppercase())
    }
}

/// What only the programs of macOS give: objects in objects.
impl<'a> Row<'a> {
    /// The objects of a list; a single one is a list of one.
    pub(super) fn list(value: &'a Value) -> Vec<Self> {
        match value {
            Value::Array(list) => list.iter().filter_map(Value::as_object).map(|object| Self(Some(object))).collect(),
            Value::Object(object) => vec![Self(Some(object))],
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
        }
    }

    /// The objects of the list `name`.
    pub(super) fn rows(self, name: &str) -> Vec<Self> {
        self.value(name).map(Self::list).unwrap_or_default()
    }

    /// The object `name`.
    pub(super) fn row(self, name: &str) -> Self {
        Self(self.value(name).and_then(Value::as_object))
    }
}

fn number<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    T::try_from(number?).ok()
}
