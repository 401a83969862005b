//! The list of devices: what the address asks for, and the page that answers it.

use std::fmt::Write as _;

use askama::Template;
use cartable_common::{DeviceId, UtcMillis};
use serde::Deserialize;

use super::{
    component::{Badge, Choice, Pager, When},
    download::Downloads,
    i18n::Words,
    shell::Shell,
};
use crate::{
    domain::{
        device::{DeviceStatus, full_model},
        flag::{FlagCode, Severity},
    },
    store::{
        device_list::{Archived, DeviceQuery, DeviceSort, DeviceSummary, Direction},
        page::{Cursor, Page},
    },
};

/// The list's address, as typed by people and browsers: empty values mean "any".
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) q: String,
    pub(super) status: String,
    pub(super) flag: String,
    pub(super) severity: String,
    pub(super) site: String,
    pub(super) archived: String,
    pub(super) sort: String,
    pub(super) order: String,
    pub(super) after: String,
}

/// An address that asks for something that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nonsense;

/// A value of a closed list, `None` when nothing is asked for.
pub(super) fn optional<T: std::str::FromStr>(text: &str) -> Result<Option<T>, Nonsense> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| Nonsense) }
}

/// Longest search in characters.
const MAX_SEARCH_CHARS: usize = 100;

impl Asked {
    /// The query, if all of it makes sense.
    pub(super) fn query(&self) -> Result<DeviceQuery, Nonsense> {
        let sort = match self.sort.as_str() {
            "" => DeviceSort::default(),
            name => DeviceSort::from_name(name).ok_or(Nonsense)?,
        };
        let after: Option<Cursor> = optional(&self.after)?;
        if after.as_ref().is_some_and(|cursor| !sort.has_key(&cursor.key)) {
            return Err(Nonsense);
        }
        Ok(DeviceQuery {
            search: Some(self.q.chars().take(MAX_SEARCH_CHARS).collect()).filter(|text: &String| !text.is_empty()),
            status: optional(&self.status)?,
            site: optional(&self.site)?,
            flag: optional(&self.flag)?,
            min_severity: optional(&self.severity)?,
            archived: match self.archived.as_str() {
                "" => Archived::Exclude,
                "only" => Archived::Only,
                "all" => Archived::Include,
                _ => return Err(Nonsense),
            },
            sort,
            direction: match self.order.as_str() {
                "" | "asc" => Direction::Ascending,
                "desc" => Direction::Descending,
                _ => return Err(Nonsense),
            },
            after,
            limit: 0,
        })
    }

    fn filtered(&self) -> bool {
        !self.fields().is_empty()
    }

    /// The address of something else about the devices of these filters.
    pub(super) fn link(&self, path: &str) -> String {
        let fields = self.fields();
        let parts: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        address(path, &parts).trim_end_matches(['?', '&']).to_owned()
    }

    /// The filters that say something, as fields of a form.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let all = [
            ("q", &self.q),
            ("status", &self.status),
            ("flag", &self.flag),
            ("severity", &self.severity),
            ("site", &self.site),
            ("archived", &self.archived),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name, value.clone())).collect()
    }

    /// The address of the list with these filters, another sort if given, without the page. Ends in `?` or `&`.
    fn address(&self, path: &str, sort: Option<(DeviceSort, Direction)>) -> String {
        let (sort, order) = match sort {
            Some((sort, Direction::Ascending)) => (sort.as_str(), "asc"),
            Some((sort, Direction::Descending)) => (sort.as_str(), "desc"),
            None => (self.sort.as_str(), self.order.as_str()),
        };
        let parts = [
            ("q", self.q.as_str()),
            ("status", &self.status),
            ("flag", &self.flag),
            ("severity", &self.severity),
            ("site", &self.site),
            ("archived", &self.archived),
            ("sort", sort),
            ("order", order),
        ];
        address(path, &parts)
    }
}

/// `path?name=value&…&` without the empty values.
pub(super) fn address(path: &str, parts: &[(&str, &str)]) -> String {
    let mut address = format!("{path}?");
    for (name, value) in parts.iter().filter(|(_, value)| !value.is_empty()) {
        let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
        // Writing to a String cannot fail.
        let _ = write!(address, "{name}={value}&");
    }
    address
}

/// A field with a closed list of choices.
#[derive(Clone, Debug)]
pub(super) struct Select {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) choices: Vec<Choice>,
}

impl Select {
    /// "Any", then each value under the word of its family.
    pub(super) fn new(
        name: &'static str,
        label: &str,
        family: &str,
        values: &[&str],
        present: &str,
        words: Words,
    ) -> Self {
        let mut choices = vec![Choice { value: String::new(), label: words.say("any"), selected: present.is_empty() }];
        choices.extend(values.iter().map(|value| Choice {
            value: (*value).to_owned(),
            label: words.word(family, value),
            selected: *value == present,
        }));
        Self { name, label: words.say(label), choices }
    }
}

#[derive(Debug)]
struct Head {
    label: String,
    href: Option<String>,
    order: Option<&'static str>,
}

#[derive(Debug)]
struct Row {
    href: String,
    name: String,
    asset_tag: Option<String>,
    model: String,
    system: Option<String>,
    site: Option<(String, String)>,
    status: Badge,
    flags: Vec<Badge>,
    contact: Option<When>,
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "devices.html")]
pub(super) struct DevicesPage {
    shell: Shell,
    search: String,
    selects: Vec<Select>,
    sort: &'static str,
    direction: &'static str,
    filtered: bool,
    heads: Vec<Head>,
    caption: String,
    rows: Vec<Row>,
    pager: Pager,
    downloads: Downloads,
    may_add: bool,
    /// Where something is ordered of all of them.
    orders: Option<String>,
}

impl DevicesPage {
    /// The page for what was asked and found.
    pub(super) fn new(
        shell: Shell,
        asked: &Asked,
        query: &DeviceQuery,
        page: Page<DeviceSummary>,
        now: UtcMillis,
    ) -> Self {
        let words = shell.words;
        let pager = Pager::new(&page, "devices-found", &asked.address("/devices", None), query.after.as_ref(), words);
        Self {
            search: asked.q.clone(),
            selects: selects(asked, words),
            sort: query.sort.as_str(),
            direction: if query.direction == Direction::Ascending { "asc" } else { "desc" },
            filtered: asked.filtered(),
            heads: heads(asked, query, words),
            caption: words.with("devices-caption", &words.word("sorted", query.sort.as_str())),
            rows: page.rows.into_iter().map(|device| row(device, now, words)).collect(),
            pager,
            may_add: shell.may_add_device(),
            orders: None,
            downloads: Downloads::new("/exports/devices", |path| asked.address(path, None), words),
            shell,
        }
    }

    /// With the way to orders to these laptops, where there are any.
    pub(super) fn with_orders(mut self, asked: &Asked) -> Self {
        self.orders = (!self.rows.is_empty()).then(|| asked.link("/devices/orders"));
        self
    }
}

fn selects(asked: &Asked, words: Words) -> Vec<Select> {
    let statuses: Vec<&str> = DeviceStatus::ALL.iter().map(|status| status.as_str()).collect();
    let codes: Vec<&str> = FlagCode::ALL.iter().map(|code| code.as_str()).collect();
    let severities: Vec<&str> = Severity::ALL.iter().rev().map(|severity| severity.as_str()).collect();
    let mut archived =
        Select::new("archived", "devices-archived", "archived", &["only", "all"], &asked.archived, words);
    if let Some(none) = archived.choices.first_mut() {
        none.label = words.say("archived-without");
    }
    vec![
        Select::new("status", "devices-status", "status", &statuses, &asked.status, words),
        Select::new("flag", "devices-flag", "flag", &codes, &asked.flag, words),
        Select::new("severity", "devices-severity", "at-least", &severities, &asked.severity, words),
        archived,
    ]
}

fn heads(asked: &Asked, query: &DeviceQuery, words: Words) -> Vec<Head> {
    let columns = [
        ("devices-serial", Some(DeviceSort::Serial)),
        ("devices-model", Some(DeviceSort::Model)),
        ("devices-site", Some(DeviceSort::Site)),
        ("devices-status", None),
        ("devices-flags", Some(DeviceSort::Severity)),
        ("devices-contact", Some(DeviceSort::Contact)),
    ];
    let head = |(label, sort): (&str, Option<DeviceSort>)| {
        let current = sort == Some(query.sort);
        let order = match query.direction {
            Direction::Ascending => "ascending",
            Direction::Descending => "descending",
        };
        // A column that is sorted by turns round; flags are first asked for worst first.
        let turned = current && query.direction == Direction::Ascending;
        let worst_first = !current && sort == Some(DeviceSort::Severity);
        let direction = if turned || worst_first { Direction::Descending } else { Direction::Ascending };
        let href = sort.map(|sort| asked.address("/devices", Some((sort, direction))));
        Head {
            label: words.say(label),
            href: href.map(|href| href.trim_end_matches('&').to_owned()),
            order: current.then_some(order),
        }
    };
    columns.into_iter().map(head).collect()
}

/// What a device is called: its serial number, else its label, else the end of its identifier.
pub(super) fn device_name(serial: Option<&str>, asset_tag: Option<&str>, id: DeviceId) -> String {
    serial.or(asset_tag).map_or_else(
        || {
            let id = id.to_string();
            format!("…{}", id.get(id.len().saturating_sub(12)..).unwrap_or_default())
        },
        str::to_owned,
    )
}

/// Maker and model, or that they are not known.
pub(super) fn model_name(manufacturer: Option<&str>, model: Option<&str>, words: Words) -> String {
    full_model(manufacturer, model).unwrap_or_else(|| words.say("unknown-model"))
}

/// A system's name and version; agents report short names in small letters (`debian`, `windows`).
pub(super) fn system_name(name: Option<&str>, version: Option<&str>) -> Option<String> {
    let mut text = [name, version].into_iter().flatten().collect::<Vec<_>>().join(" ");
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Some(text).filter(|text| !text.is_empty())
}

fn row(device: DeviceSummary, now: UtcMillis, words: Words) -> Row {
    let system = system_name(device.os_name.as_deref(), device.os_version.as_deref());
    Row {
        href: format!("/devices/{}", device.id),
        name: device_name(device.serial_number.as_deref(), device.asset_tag.as_deref(), device.id),
        asset_tag: device.asset_tag,
        model: model_name(device.manufacturer.as_deref(), device.model.as_deref(), words),
        system,
        site: device.site.map(|site| (site.name, words.with_two("site-place", &site.uai, &site.commune))),
        status: match device.archived_at {
            Some(_) => Badge::new(super::component::Tone::Plain, words.say("archived")),
            None => Badge::status(device.status, words),
        },
        flags: device.flags.iter().map(|(code, of)| Badge::new(*of, words.word("flag", code.as_str()))).collect(),
        contact: device.last_contact_at.map(|at| When::relative(at, now, words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::page::CursorKey;

    #[test]
    fn what_no_list_knows_is_refused_and_nothing_else() {
        let ask = |change: fn(&mut Asked)| {
            let mut asked = Asked::default();
            change(&mut asked);
            asked.query().is_ok()
        };
        assert!(ask(|_| ()));
        assert!(ask(|asked| asked.sort = "model".into()));
        assert!(!ask(|asked| asked.sort = "password".into()));
        assert!(!ask(|asked| asked.status = "' OR 1=1".into()));
        assert!(!ask(|asked| asked.after = "zzz".into()));
        assert!(ask(|asked| asked.q = "' OR 1=1 --".into()));
        let number = Cursor { key: CursorKey::Number(3), id: uuid::Uuid::nil() };
        let asked = Asked { after: number.to_string(), ..Asked::default() };
        assert_eq!(asked.query().unwrap_err(), Nonsense, "a cursor of another sort");
    }

    #[test]
    fn makers_and_systems_are_called_as_people_call_them() {
        let words = Words::of(crate::domain::language::Language::French);
        let model = |maker, model| model_name(maker, model, words);
        assert_eq!(model(Some("Dell Inc."), Some("Latitude 5320")), "Dell Latitude 5320");
        assert_eq!(model(None, None), "Modèle inconnu");
        assert_eq!(system_name(Some("windows"), Some("11 Education")).as_deref(), Some("Windows 11 Education"));
        assert_eq!(system_name(Some("élan"), None).as_deref(), Some("élan"));
        assert_eq!(system_name(None, None), None);
    }

    #[test]
    fn an_address_carries_values_as_data() {
        assert_eq!(address("/devices", &[("q", "a&b=\"<é"), ("site", "")]), "/devices?q=a%26b%3D%22%3C%C3%A9&");
        let asked = Asked { q: "a&b".into(), sort: "model".into(), after: "x".into(), ..Asked::default() };
        assert_eq!(asked.link("/devices/orders"), "/devices/orders?q=a%26b", "the filters alone");
        assert_eq!(Asked::default().link("/devices/orders"), "/devices/orders");
    }
}
