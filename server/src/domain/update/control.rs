//! What a Debian package says of itself: its `control`, checked before it goes into an index that is signed.
//!
//! The index is read by apt as root on every laptop. So a control that is passed on is one stanza of well-formed fields,
//! and what only the index may say (where the file lies, how large it is, its hash) is never taken from it.

use std::fmt::Write as _;

use cartable_common::AgentVersion;

/// The only package that is published.
pub const PACKAGE: &str = "cartable-agent";
/// Longest control in bytes; ours has about 1,200.
pub const MAX_CONTROL_BYTES: usize = 16 * 1024;

/// Fields that the index itself writes.
const OF_THE_INDEX: [&str; 7] = ["filename", "size", "md5sum", "sha1", "sha256", "sha512", "description-md5"];

/// A control, as it goes into an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    text: String,
    version: String,
    architecture: String,
    release: AgentVersion,
}

/// Why a package is not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidControl {
    /// It is no stanza of fields.
    #[error("its control is not one paragraph of \"Name: value\" lines (line {line})")]
    Form {
        /// Which line, from 1.
        line: usize,
    },
    /// It is too long.
    #[error("its control is longer than {MAX_CONTROL_BYTES} bytes")]
    Long,
    /// A field is missing or stands there twice.
    #[error("its control must have the field {0} once")]
    Field(&'static str),
    /// Another package.
    #[error("it is the package {0:?}; only {PACKAGE} is published, as packaging/linux/build makes it")]
    OtherPackage(String),
    /// The version cannot be one of ours.
    #[error("its version {0:?} does not begin with three numbers, such as 0.2.0-1")]
    Version(String),
    /// The architecture is no word.
    #[error("its architecture {0:?} is not a word such as amd64 or arm64")]
    Architecture(String),
}

impl Control {
    /// Reads a package's control.
    pub fn read(text: &str) -> Result<Self, InvalidControl> {
        if text.len() > MAX_CONTROL_BYTES {
            return Err(InvalidControl::Long);
        }
        let fields = fields(text)?;
        let one = |name: &'static str| {
            let mut found = fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
            match (found.next(), found.next()) {
                (Some(field), None) => Ok(field.first),
                (None | Some(_), _) => Err(InvalidControl::Field(name)),
            }
        };
        let (package, version, architecture) = (one("Package")?, one("Version")?, one("Architecture")?);
        if package != PACKAGE {
            return Err(InvalidControl::OtherPackage(package.to_owned()));
        }
        let is_version = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+~-".contains(&byte));
        let release = version.parse().ok().filter(|_| is_version);
        let release = release.ok_or_else(|| InvalidControl::Version(version.to_owned()))?;
        if architecture.is_empty() || !architecture.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(InvalidControl::Architecture(architecture.to_owned()));
        }
        let mut kept = String::with_capacity(text.len());
        for field in fields.iter().filter(|field| !is_of_the_index(field.name)) {
            let _ = writeln!(kept, "{}", field.text);
        }
        Ok(Self { text: kept, version: version.to_owned(), architecture: architecture.to_owned(), release })
    }

    /// Its fields, but those that the index writes, each with a line's end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The version as the package writes it: `0.2.0-1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// `amd64`, `arm64`.
    pub fn architecture(&self) -> &str {
        &self.architecture
    }

    /// The release that it is of.
    pub const fn release(&self) -> AgentVersion {
        self.release
    }
}

struct Field<'a> {
    name: &'a str,
    /// The rest of its first line.
    first: &'a str,
    /// All its lines, without the last one's end.
    text: &'a str,
}

fn is_of_the_index(name: &str) -> bool {
    OF_THE_INDEX.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// The fields of one stanza (Debian Policy 5.1): a name, a colon, a value, and lines that begin with a space.
fn fields(text: &str) -> Result<Vec<Field<'_>>, InvalidControl> {
    let mut fields: Vec<Field<'_>> = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for (number, line) in text.trim_end_matches('\n').split('\n').enumerate() {
        let form = InvalidControl::Form { line: number + 1 };
        let end = at + line.len();
        if line.trim().is_empty() || line.contains(|one: char| one.is_control() && one != '\t') {
            return Err(form);
        }
        if line.starts_with([' ', '\t']) {
            let field = fields.last_mut().ok_or(form)?;
            field.text = &text[start..end];
        } else {
            let (name, value) = line.split_once(':').ok_or_else(|| form.clone())?;
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                return Err(form);
            }
            start = at;
            fields.push(Field { name, first: value.trim(), text: line });
        }
        at = end + 1;
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "Package: cartable-agent\nVersion: 0.2.0-1\nArchitecture: amd64\nDescription: Reads hardware\n .\n of laptops\n";

    #[test]
    fn a_control_goes_into_the_index_without_what_the_index_says() {
        let control = Control::read(GOOD).unwrap();
        assert_eq!((control.text(), control.version(), control.architecture()), (GOOD, "0.2.0-1", "amd64"));
        assert_eq!(control.release(), AgentVersion::new(0, 2, 0));
        let sly = GOOD.replace("Description", "filename: ../../etc/shadow\nSHA256: 00\nSize:\n 1\nDescription");
        assert_eq!(Control::read(&sly).unwrap().text(), GOOD);
    }

    #[test]
    fn what_is_no_control_of_the_agent_is_refused() {
        let with = |from: &str, to: &str| Control::read(&GOOD.replace(from, to)).unwrap_err();
        assert_eq!(with("cartable-agent", "bash"), InvalidControl::OtherPackage("bash".to_owned()));
        assert_eq!(with("0.2.0-1", "1:0.2.0"), InvalidControl::Version("1:0.2.0".to_owned()));
        assert_eq!(with("0.2.0-1", "0.2.0-1/../x"), InvalidControl::Version("0.2.0-1/../x".to_owned()));
        assert_eq!(with("amd64", "amd64 ../x"), InvalidControl::Architecture("amd64 ../x".to_owned()));
        assert_eq!(with("Version: 0.2.0-1\n", ""), InvalidControl::Field("Version"));
        assert_eq!(with("Version:", "version: 0.1.0\nVersion:"), InvalidControl::Field("Version"));
        assert_eq!(with("\nArch", "\n\nArch"), InvalidControl::Form { line: 3 }, "a second stanza");
        assert_eq!(with("Description", "No field"), InvalidControl::Form { line: 4 });
        assert_eq!(Control::read(" x\n"), Err(InvalidControl::Form { line: 1 }));
        assert_eq!(Control::read(&GOOD.replace("of laptops", &"x".repeat(17_000))), Err(InvalidControl::Long));
    }

    proptest! {
        #[test]
        fn whatever_passes_is_one_stanza(text in "(Package: cartable-agent\n)?([A-Za-z-]{1,9}: ?[ -~]{0,20}\n| [ -~]{0,9}\n|\n){0,8}") {
            let whole = format!("Package: cartable-agent\nVersion: 1.0.0\nArchitecture: arm64\n{text}");
            if let Ok(control) = Control::read(&whole) {
                prop_assert!(control.text().ends_with('\n') && !control.text().contains("\n\n"));
                let again = Control::read(control.text());
                prop_assert_eq!(again.as_ref(), Ok(&control));
            }
        }
    }
}
