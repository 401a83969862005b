//! The kinds of value a policy setting can have: how each is read from TOML, written back and described.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr};

use cartable_common::version::AgentVersion;
use jiff::civil::Date;
use toml::de::DeValue;

use crate::domain::{
    donation::basis::BasisTerms,
    figures::policy_data::{ImpactFactor, ReuseTarget},
    grade::Grade,
    school_calendar::{Closure, Zone},
};

/// One setting of the policy, with everything a reader should know about it.
pub(super) struct Setting {
    /// The section it stands in.
    pub(super) section: &'static str,
    /// Its name.
    pub(super) key: &'static str,
    /// What it means, in French.
    pub(super) fr: &'static str,
    /// What it means, in English.
    pub(super) en: &'static str,
    /// Its unit, or its form.
    pub(super) unit: &'static str,
    /// The values it may have; only for numbers.
    pub(super) range: Option<RangeInclusive<u32>>,
    /// Where the default comes from.
    pub(super) source: &'static str,
    /// The same in French.
    pub(super) source_fr: &'static str,
    pub(super) read: fn(&mut super::Policy, &DeValue<'_>) -> Result<(), String>,
    pub(super) write: fn(&super::Policy) -> String,
}

impl Setting {
    /// Its value in `policy`, as TOML.
    #[must_use]
    pub(super) fn value_in(&self, policy: &super::Policy) -> String {
        (self.write)(policy)
    }
}

/// A type that a setting may have.
pub(super) trait Value: Sized {
    fn read(value: &DeValue<'_>, range: Option<&RangeInclusive<u32>>) -> Result<Self, String>;
    fn write(&self) -> String;
}

/// What stands there, in words.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text in quotation marks",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with decimals",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    }
}

impl Value for u32 {
    fn read(value: &DeValue<'_>, range: Option<&RangeInclusive<u32>>) -> Result<Self, String> {
        let DeValue::Integer(integer) = value else {
            return Err(format!("must be a whole number without quotation marks, but it is {}", kind(value)));
        };
        let range = range.cloned().unwrap_or(0..=u32::MAX);
        let number = i64::from_str_radix(integer.as_str(), integer.radix());
        number
            .ok()
            .and_then(|number| Self::try_from(number).ok())
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("is {integer}, but must lie between {} and {}", range.start(), range.end()))
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Value for bool {
    fn read(value: &DeValue<'_>, _: Option<&RangeInclusive<u32>>) -> Result<Self, String> {
        let DeValue::Boolean(answer) = value else {
            return Err(format!("must be true or false, without quotation marks, but it is {}", kind(value)));
        };
        Ok(*answer)
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Value for Vec<Grade> {
    fn read(value: &DeValue<'_>, _: Option<&RangeInclusive<u32>>) -> Result<Self, String> {
        let wrong = |found: &str| format!("must be a list of grades such as [\"A\", \"B\"], but {found}");
        let DeValue::Array(entries) = value else { return Err(wrong(&format!("it is {}", kind(value)))) };
        let mut grades: Self = entries
            .iter()
            .map(|entry| match entry.get_ref().as_str() {
                Some(text) => text.parse().map_err(|_| wrong(&format!("holds \"{text}\""))),
                None => Err(wrong(&format!("holds {}", kind(entry.get_ref())))),
            })
            .collect::<Result<_, _>>()?;
        grades.sort_unstable();
        grades.dedup();
        Ok(grades)
    }

    fn write(&self) -> String {
        let grades: Vec<String> = self.iter().map(|grade| format!("\"{grade}\"")).collect();
        format!("[{}]", grades.join(", "))
    }
}

impl Value for AgentVersion {
    fn read(value: &DeValue<'_>, _: Option<&RangeInclusive<u32>>) -> Result<Self, String> {
        let DeValue::String(text) = value else {
            return Err(format!("must be a version in quotation marks such as \"0.1.0\", but it is {}", kind(value)));
        };
        text.parse().map_err(|_| format!("is \"{text}\", but must be a version such as \"0.1.0\""))
    }

    fn write(&self) -> String {
        format!("\"{self}\"")
    }
}

impl Value for Date {
    fn read(value: &DeValue<'_>, _: Option<&RangeInclusive<u32>>) -> Result<Self, String> {
        let DeValue::Datetime(date) = value else {
            return Err(format!(
                "must be a date such as 2028-10-10, without quotation marks, but it is {}",
                kind(value)
            ));
        };
        date.to_string().parse().map_err(|_| format!("is {date}, but must be a date such as 2028-10-10"))
    }

    fn write(&self) -> String {
        self.to_string()
    }
}

impl Value for Vec<Closure> {
    fn read(value: &DeValue<'_>, _: Option<&RangeInclusive<u32>>) -> Result<Self, String> {
        let DeValue::Array(entries) = value else {
            return Err(format!("must be a list such as [\"C 2027-10-23 2027-11-07\"], but it is {}", kind(value)));
        };
        entries
            .iter()
            .map(|entry| {
                let DeValue::String(text) = entry.get_ref() else {
                    return Err(format!("must hold texts in quotation marks, but one is {}", kind(entry.get_ref())));
                };
                closure(text)
            })
            .collect()
    }

    fn write(&self) -> String {
        let entries: Vec<String> = self
            .iter()
            .map(|closure| {
                let zone = closure.zone.map_or(String::new(), |zone| format!("{zone} "));
                format!("\"{zone}{} {}\"", closure.first, closure.last)
            })
            .collect();
        format!("[{}]", entries.join(", "))
    }
}

impl Value for Vec<BasisTerms> {
    fn read(value: &DeValue<'_>, _: Option<&RangeInclusive<u32>>) -> Result<Self, String> {
        let DeValue::Array(entries) = value else {
            return Err(format!("must be a list such as [\"associations 2022-05-09 300\"], but it is {}", kind(value)));
        };
        let mut bases: Self = Self::with_capacity(entries.len());
        for entry in entries {
            let DeValue::String(text) = entry.get_ref() else {
                return Err(format!("must hold texts in quotation marks, but one is {}", kind(entry.get_ref())));
            };
            let terms: BasisTerms = text.parse().map_err(|error| format!("{error}"))?;
            if bases.iter().any(|known| (known.basis, known.from) == (terms.basis, terms.from)) {
                return Err(format!("holds two lines for {} from {}: keep one", terms.basis, terms.from));
            }
            bases.push(terms);
        }
        Ok(bases)
    }

    fn write(&self) -> String {
        let entries: Vec<String> = self.iter().map(|terms| format!("\"{terms}\"")).collect();
        format!("[{}]", entries.join(", "))
    }
}

impl Value for Vec<ReuseTarget> {
    fn read(value: &DeValue<'_>, _: Option<&RangeInclusive<u32>>) -> Result<Self, String> {
        let mut targets: Self = lines(value, "2025 50")?;
        targets.sort_by_key(|target| target.from_year);
        match targets.windows(2).find(|pair| pair[0].from_year == pair[1].from_year) {
            Some(pair) => Err(format!("holds two lines for {}: keep one", pair[0].from_year)),
            None => Ok(targets),
        }
    }

    fn write(&self) -> String {
        written(self)
    }
}

impl Value for Vec<ImpactFactor> {
    fn read(value: &DeValue<'_>, _: Option<&RangeInclusive<u32>>) -> Result<Self, String> {
        let mut factors: Self = lines(value, "laptop 2022-09-09 27000 127000 314")?;
        factors.sort_by_key(|factor| (factor.kind.as_str(), factor.from));
        match factors.windows(2).find(|pair| (pair[0].kind, pair[0].from) == (pair[1].kind, pair[1].from)) {
            Some(pair) => Err(format!("holds two lines for {} from {}: keep one", pair[0].kind.as_str(), pair[0].from)),
            None => Ok(factors),
        }
    }

    fn write(&self) -> String {
        written(self)
    }
}

impl Value for Vec<String> {
    fn read(value: &DeValue<'_>, _: Option<&RangeInclusive<u32>>) -> Result<Self, String> {
        let names: Self = lines(value, "Société Exemple")?;
        let is_name =
            |name: &&String| !name.trim().is_empty() && !name.contains(['"', '\\']) && !name.contains(char::is_control);
        match names.iter().find(|name| !is_name(name)) {
            Some(_) => {
                Err("must hold names in quotation marks, without quotation marks or backslashes in them".to_owned())
            }
            None => Ok(names.iter().map(|name| name.trim().to_owned()).collect()),
        }
    }

    fn write(&self) -> String {
        written(self)
    }
}

/// A list of texts, each read as what it stands for.
fn lines<T: FromStr<Err: Display>>(value: &DeValue<'_>, example: &str) -> Result<Vec<T>, String> {
    let DeValue::Array(entries) = value else {
        return Err(format!("must be a list such as [\"{example}\"], but it is {}", kind(value)));
    };
    let one = |entry: &toml::Spanned<DeValue<'_>>| match entry.get_ref() {
        DeValue::String(text) => text.parse().map_err(|error: T::Err| error.to_string()),
        other @ (DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_)) => Err(format!("must hold texts in quotation marks, but one is {}", kind(other))),
    };
    entries.iter().map(one).collect()
}

/// The list as it stands in the file.
fn written<T: Display>(values: &[T]) -> String {
    let entries: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    format!("[{}]", entries.join(", "))
}

/// A closure written as "C 2027-10-23 2027-11-07", or without a zone when it is for all.
fn closure(text: &str) -> Result<Closure, String> {
    let wrong = || {
        format!(
            "holds \"{text}\", but must hold a first and a last day, with a zone before them if only one has it: \
                 \"C 2027-10-23 2027-11-07\""
        )
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let (zone, days) = match words.as_slice() {
        [zone, days @ ..] if days.len() == 2 => (Some(zone.parse::<Zone>().map_err(|_| wrong())?), days),
        days => (None, days),
    };
    let [first, last] = days else { return Err(wrong()) };
    let (first, last): (Date, Date) = (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
    if last < first {
        return Err(format!("holds \"{text}\", whose last day comes before the first: exchange them"));
    }
    Ok(Closure { zone, first, last })
}
