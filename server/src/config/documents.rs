//! `[documents]`: in whose name documents are given out, and the templates that replace the built-in ones. And
//! `[console] public_url`, which QR codes lead to.

use std::path::{Path, PathBuf};

use rustls_pki_types::ServerName;
use serde::Deserialize;

use super::ConfigError;

/// Longest name or contact in characters: it stands on one line of a letterhead.
const MAX_CHARS: usize = 120;

/// What documents are made with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentSettings {
    /// The directory of the templates that replace the built-in ones.
    pub templates: Option<PathBuf>,
    /// In whose name: « Département de Valmarin ». Without it, the programme's owner.
    pub issuer: Option<String>,
    /// Whom people write to about their data.
    pub contact: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    templates: Option<PathBuf>,
    issuer: Option<String>,
    contact: Option<String>,
}

impl Raw {
    pub(super) fn read(self, data: &Path) -> Result<DocumentSettings, ConfigError> {
        for (name, text) in [("issuer", &self.issuer), ("contact", &self.contact)] {
            if text.as_deref().is_some_and(|text| !is_line(text)) {
                return Err(ConfigError::DocumentLine { name });
            }
        }
        Ok(DocumentSettings {
            templates: self.templates.map(|path| data.join(path)),
            issuer: self.issuer,
            contact: self.contact,
        })
    }
}

fn is_line(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= MAX_CHARS && !text.contains(char::is_control)
}

/// An address such as `https://cartable.example.fr`, without a path: that of the console, as people reach it.
pub(super) fn public_url(text: &str) -> Result<String, ConfigError> {
    let address = text.trim_end_matches('/').to_owned();
    let refuse = || ConfigError::PublicUrl { url: text.to_owned() };
    let rest = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://")).ok_or_else(refuse)?;
    // An address of IPv6 stands in brackets.
    let (host, port) = match rest.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((host, port)) => (host, Some(port)),
        None => (rest, None),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let sound = ServerName::try_from(bare).is_ok() && port.is_none_or(|port| port.parse::<u16>().is_ok());
    if sound { Ok(address) } else { Err(refuse()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_and_a_host() {
        let read = |text: &str| public_url(text);
        for (good, kept) in [
            ("https://cartable.example.fr", "https://cartable.example.fr"),
            ("https://cartable.example.fr/", "https://cartable.example.fr"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://[::1]:8443", "https://[::1]:8443"),
        ] {
            assert_eq!(read(good).unwrap(), kept);
        }
        for bad in [
            "",
            "cartable.example.fr",
            "ftp://a.example",
            "https://",
            "https://a.example/b",
            "https://u@a.example",
            "https://a.example:x",
            "https://a.example?x",
            "javascript:alert(1)",
            "https://a b",
        ] {
            assert!(matches!(read(bad), Err(ConfigError::PublicUrl { .. })), "{bad}");
        }
    }

    #[test]
    fn a_letterhead_is_one_line() {
        let read = |text: &str| toml::from_str::<Raw>(text).unwrap().read(Path::new("/data"));
        let read_well = read("templates = \"t\"\nissuer = \"Département\"\n").unwrap();
        assert_eq!(read_well.templates, Some(PathBuf::from("/data/t")));
        assert!(matches!(read("issuer = \"a\\nb\""), Err(ConfigError::DocumentLine { name: "issuer" })));
        assert!(matches!(read("contact = \" \""), Err(ConfigError::DocumentLine { name: "contact" })));
    }
}
