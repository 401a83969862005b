//! Until when an operating system gets security updates: a dated table with its sources.
//!
//! What is not in the table is not judged. Table of 24 November 2026; sources: Microsoft lifecycle pages (Windows 10
//! and 11), distro-info-data 0.58+deb12u6 (Debian with its LTS team, Ubuntu standard support), endoflife.date (Linux
//! Mint, macOS), documentation.primtux.fr (PrimTux 8 is built on Ubuntu 22.04).

use cartable_common::report::{OperatingSystem, OsFamily};
use jiff::civil::{Date, date};

use super::{policy::OsPolicy, wording::Said};

/// What the table says of an operating system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    /// Its name for people: `Debian 11`, `Windows 11 23H2`.
    pub name: String,
    /// Its last day of security updates.
    pub until: Date,
    /// The last day for the Education and Enterprise editions, where it is later and the edition is not known.
    pub until_if_education: Option<Date>,
    /// Where the date comes from.
    pub source: Said,
}

/// When support of `system` ends, if the table knows it.
#[must_use]
pub fn support(system: &OperatingSystem, policy: &OsPolicy) -> Option<Support> {
    let name = system.name.as_ref().map(|name| name.as_str().to_lowercase()).unwrap_or_default();
    match system.family? {
        OsFamily::Windows => windows(system, &name, policy),
        OsFamily::Linux => linux(&name, system.version.as_ref()?.as_str()),
        OsFamily::MacOs => mac_os(system.version.as_ref()?.as_str()),
        OsFamily::Unknown => None,
    }
}

/// Build, name, last day of Home and Pro, last day of Education and Enterprise.
type WindowsRelease = (u32, &'static str, Date, Date);

const WINDOWS: [WindowsRelease; 14] = [
    (7601, "Windows 7", date(2020, 1, 14), date(2020, 1, 14)),
    (9600, "Windows 8.1", date(2023, 1, 10), date(2023, 1, 10)),
    (17763, "Windows 10 1809", date(2020, 11, 10), date(2021, 5, 11)),
    (18362, "Windows 10 1903", date(2020, 12, 8), date(2020, 12, 8)),
    (18363, "Windows 10 1909", date(2021, 5, 11), date(2022, 5, 10)),
    (19041, "Windows 10 2004", date(2021, 12, 14), date(2021, 12, 14)),
    (19042, "Windows 10 20H2", date(2022, 5, 10), date(2023, 5, 9)),
    (19043, "Windows 10 21H1", date(2022, 12, 13), date(2022, 12, 13)),
    (19044, "Windows 10 21H2", date(2023, 6, 13), date(2024, 6, 11)),
    (22000, "Windows 11 21H2", date(2023, 10, 10), date(2024, 10, 8)),
    (22621, "Windows 11 22H2", date(2024, 10, 8), date(2025, 10, 14)),
    (22631, "Windows 11 23H2", date(2025, 11, 11), date(2026, 11, 10)),
    (26100, "Windows 11 24H2", date(2026, 10, 13), date(2027, 10, 12)),
    (26200, "Windows 11 25H2", date(2027, 10, 12), date(2028, 10, 10)),
];

/// Windows 10 22H2, whose end a policy may move (extended security updates).
const WINDOWS_10_LAST: u32 = 19045;

fn windows(system: &OperatingSystem, name: &str, policy: &OsPolicy) -> Option<Support> {
    let version = system.version.as_ref().map(|version| version.as_str().to_lowercase()).unwrap_or_default();
    let words = format!("{name} {version}");
    if words.contains("ltsc") || words.contains("ltsb") || words.contains("server") {
        return None; // Other dates, years later.
    }
    let build = system.build.as_ref().and_then(|build| build_number(build.as_str()))?;
    let source = Said::same("learn.microsoft.com/lifecycle");
    if build == WINDOWS_10_LAST {
        let until = policy.windows_10_updates_until;
        return Some(Support { name: "Windows 10 22H2".into(), until, until_if_education: None, source });
    }
    let (_, name, consumer, education) = WINDOWS.into_iter().find(|release| release.0 == build)?;
    let (until, until_if_education) = match edition(&words) {
        Edition::Education => (education, None),
        Edition::Consumer => (consumer, None),
        Edition::NotTold => (consumer, (education > consumer).then_some(education)),
    };
    Some(Support { name: name.into(), until, until_if_education, source })
}

enum Edition {
    Education,
    Consumer,
    NotTold,
}

/// The edition that the words of a Windows name tell. "Pro Education" ends with Pro.
fn edition(words: &str) -> Edition {
    let any = |names: &[&str]| names.iter().any(|name| words.contains(name));
    if any(&["pro education", "professionnel éducation"]) {
        Edition::Consumer
    } else if any(&["education", "éducation", "enterprise", "entreprise"]) {
        Edition::Education
    } else if any(&["home", "famille", "pro", "core", " se"]) {
        Edition::Consumer
    } else {
        Edition::NotTold
    }
}

/// The build in `26100`, `26100.2454` or `10.0.26100.2454`.
fn build_number(text: &str) -> Option<u32> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).find(|number| *number > 7000)
}

/// Distribution, version, last day. Debian counts its LTS team's years.
const LINUX: [(&str, &str, Date); 22] = [
    ("debian", "9", date(2022, 6, 30)),
    ("debian", "10", date(2024, 6, 30)),
    ("debian", "11", date(2026, 8, 31)),
    ("debian", "12", date(2028, 6, 30)),
    ("debian", "13", date(2030, 6, 30)),
    ("ubuntu", "16.04", date(2021, 4, 30)),
    ("ubuntu", "18.04", date(2023, 5, 31)),
    ("ubuntu", "20.04", date(2025, 5, 29)),
    ("ubuntu", "22.04", date(2027, 6, 1)),
    ("ubuntu", "23.04", date(2024, 1, 25)),
    ("ubuntu", "23.10", date(2024, 7, 11)),
    ("ubuntu", "24.04", date(2029, 5, 31)),
    ("ubuntu", "24.10", date(2025, 7, 10)),
    ("ubuntu", "25.04", date(2026, 1, 15)),
    ("ubuntu", "25.10", date(2026, 7, 9)),
    ("ubuntu", "26.04", date(2031, 5, 29)),
    ("linuxmint", "18", date(2021, 4, 30)),
    ("linuxmint", "19", date(2023, 4, 30)),
    ("linuxmint", "20", date(2025, 4, 30)),
    ("linuxmint", "21", date(2027, 4, 30)),
    ("linuxmint", "22", date(2029, 4, 30)),
    ("primtux", "8", date(2027, 6, 1)),
];

/// The Linux of the table that is supported longest: what an old machine can still be given.
#[must_use]
pub fn latest_linux() -> Support {
    named(LINUX.into_iter().max_by_key(|(_, _, until)| *until).unwrap_or(LINUX[0]))
}

fn linux(name: &str, version: &str) -> Option<Support> {
    let found = LINUX.into_iter().find(|(distribution, release, _)| {
        name.split_whitespace().next() == Some(*distribution) && is_release(version, release)
    });
    found.map(named)
}

fn named((distribution, release, until): (&str, &str, Date)) -> Support {
    let (shown, source) = match distribution {
        "ubuntu" => ("Ubuntu", Said::same("distro-info-data, ubuntu.csv")),
        "linuxmint" => ("Linux Mint", Said::same("endoflife.date/linuxmint")),
        "primtux" => ("PrimTux", Said::new("PrimTux 8 repose sur Ubuntu 22.04", "PrimTux 8 is built on Ubuntu 22.04")),
        _ => ("Debian", Said::same("distro-info-data, debian.csv (LTS)")),
    };
    Support { name: format!("{shown} {release}"), until, until_if_education: None, source }
}

/// Apple publishes no dates: a release has ended when the third one after it came out.
const MAC_OS: [(&str, Date); 6] = [
    ("10.13", date(2020, 12, 1)),
    ("10.14", date(2021, 10, 25)),
    ("10.15", date(2022, 9, 12)),
    ("11", date(2023, 9, 26)),
    ("12", date(2024, 9, 16)),
    ("13", date(2025, 9, 15)),
];

fn mac_os(version: &str) -> Option<Support> {
    let (release, until) = MAC_OS.into_iter().find(|(release, _)| is_release(version, release))?;
    let source =
        Said::new("endoflife.date/macos, d'après l'usage d'Apple", "endoflife.date/macos, from Apple's practice");
    Some(Support { name: format!("macOS {release}"), until, until_if_education: None, source })
}

/// Whether `version` is `release` or one of its point releases: `12.4` and `12 (bookworm)` are of `12`, `120` is not.
fn is_release(version: &str, release: &str) -> bool {
    version.trim().strip_prefix(release).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cartable_common::Text;

    fn ends(family: OsFamily, name: &str, version: &str, build: &str) -> Option<(String, Date, Option<Date>)> {
        let system = OperatingSystem {
            family: Some(family),
            name: Text::meaningful(name),
            version: Text::meaningful(version),
            build: Text::meaningful(build),
            ..OperatingSystem::default()
        };
        support(&system, &OsPolicy::default()).map(|found| (found.name, found.until, found.until_if_education))
    }

    #[test]
    fn linux_by_name_and_version() {
        let debian = ends(OsFamily::Linux, "debian", "12", "6.1.0-28-amd64").unwrap();
        assert_eq!(debian, ("Debian 12".into(), date(2028, 6, 30), None));
        assert_eq!(ends(OsFamily::Linux, "Ubuntu", "22.04.5 LTS", "").unwrap().0, "Ubuntu 22.04");
        assert_eq!(ends(OsFamily::Linux, "linuxmint", "21.3", "").unwrap().0, "Linux Mint 21");
        assert_eq!(ends(OsFamily::Linux, "debian", "120", ""), None);
        assert_eq!(ends(OsFamily::Linux, "nixos", "25.05", ""), None);
    }

    #[test]
    fn windows_by_build_and_edition() {
        let home = date(2025, 11, 11);
        let education = date(2026, 11, 10);
        let windows = |version, build| ends(OsFamily::Windows, "windows", version, build).unwrap();
        assert_eq!(windows("11 Education 23H2", "10.0.22631.4460"), ("Windows 11 23H2".into(), education, None));
        assert_eq!(windows("11 Pro Education 23H2", "22631.4460"), ("Windows 11 23H2".into(), home, None));
        assert_eq!(windows("11", "22631"), ("Windows 11 23H2".into(), home, Some(education)));
        assert_eq!(windows("10 Professionnel", "19045").1, date(2025, 10, 14));
        assert_eq!(ends(OsFamily::Windows, "windows", "10 Enterprise LTSC", "17763"), None);
        assert_eq!(ends(OsFamily::Windows, "windows", "12", "30000"), None);
    }

    #[test]
    fn mac_os_by_version() {
        assert_eq!(ends(OsFamily::MacOs, "macos", "13.7.8", "").unwrap().0, "macOS 13");
        assert_eq!(ends(OsFamily::MacOs, "macos", "26.3", ""), None);
    }
}
