//! `[mail]`: the server that takes Cartable's e-mails. Without it nothing is sent and notices wait.

use std::{
    env, fmt,
    net::IpAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::ConfigError;

/// Name of the password among the credentials of a systemd service.
const CREDENTIAL: &str = "cartable-mail-password";

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Begins in clear and must become TLS: port 587.
    Starttls,
    /// TLS from the first byte: port 465.
    Implicit,
    /// None; only to a mail server on this host.
    None,
}

impl Security {
    const fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

/// Where e-mails are handed in.
#[derive(Clone, PartialEq, Eq)]
pub struct MailSettings {
    /// The mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who signs in there, with which password.
    pub login: Option<(String, String)>,
    /// Whom the e-mails come from: an address, with or without a name.
    pub from: String,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// An authority that is trusted besides the system's, PEM.
    pub authority: Option<Vec<u8>>,
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.login.as_ref().map(|(user, _)| user);
        write!(f, "MailSettings({}:{} {:?}, {user:?}, from {:?})", self.host, self.port, self.security, self.from)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    host: String,
    port: Option<u16>,
    #[serde(default = "starttls")]
    security: Security,
    user: Option<String>,
    password_file: Option<PathBuf>,
    from: String,
    reply_to: Option<String>,
    ca_file: Option<PathBuf>,
}

const fn starttls() -> Security {
    Security::Starttls
}

impl Raw {
    /// The settings, with what the files hold. Relative paths count from `data`.
    pub(super) fn read(self, data: &Path) -> Result<MailSettings, ConfigError> {
        if self.security == Security::None && !is_this_host(&self.host) {
            return Err(ConfigError::PlainMail { host: self.host });
        }
        for address in std::iter::once(&self.from).chain(&self.reply_to) {
            if !looks_like_an_address(address) {
                return Err(ConfigError::MailAddress { address: address.clone() });
            }
        }
        let password = self.password_file.map(|path| data.join(path)).or_else(credential);
        let login = match (self.user, password) {
            (None, _) => None,
            (Some(user), Some(path)) => Some((user, read(&path)?.trim().to_owned())),
            (Some(_), None) => return Err(ConfigError::NoMailPassword),
        };
        let authority = self.ca_file.map(|path| read(&data.join(path)).map(String::into_bytes)).transpose()?;
        let port = self.port.unwrap_or_else(|| self.security.port());
        let Self { host, security, from, reply_to, .. } = self;
        Ok(MailSettings { host, port, security, login, from, reply_to, authority })
    }
}

impl MailSettings {
    /// The domain of the sender's address: the right side of every Message-ID.
    pub fn domain(&self) -> &str {
        self.from.rsplit('@').next().unwrap_or_default().trim_end_matches('>').trim()
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })
}

fn credential() -> Option<PathBuf> {
    env::var_os("CREDENTIALS_DIRECTORY")
        .map(|directory| Path::new(&directory).join(CREDENTIAL))
        .filter(|it| it.exists())
}

fn is_this_host(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Whether `text` is `name@domain` or `Name <name@domain>`; the mail library parses it fully.
fn looks_like_an_address(text: &str) -> bool {
    let address = text.rsplit('<').next().unwrap_or_default().trim().trim_end_matches('>');
    let (name, domain) = address.split_once('@').unwrap_or_default();
    let sound =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control() || c == '@');
    sound(name) && sound(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<MailSettings, ConfigError> {
        toml::from_str::<Raw>(text).unwrap().read(Path::new("/nowhere"))
    }

    #[test]
    fn ports_follow_the_protection_and_clear_text_stays_on_this_host() {
        let from = "from = \"Cartable <cartable@dep.example>\"\n";
        let mail = parsed(&format!("host = \"mail.example\"\n{from}")).unwrap();
        assert_eq!((mail.port, mail.security, mail.domain()), (587, Security::Starttls, "dep.example"));
        assert_eq!(parsed(&format!("host = \"m\"\nsecurity = \"implicit\"\n{from}")).unwrap().port, 465);
        let plain = |host: &str| parsed(&format!("host = \"{host}\"\nsecurity = \"none\"\n{from}"));
        assert_eq!(plain("127.0.0.1").unwrap().port, 25);
        assert!(matches!(plain("10.0.0.1"), Err(ConfigError::PlainMail { .. })));
        assert!(matches!(plain("localhost.evil.example"), Err(ConfigError::PlainMail { .. })));
    }

    #[test]
    fn a_user_needs_a_password_and_a_sender_an_address() {
        let text = "host = \"m\"\nfrom = \"a@b\"\nuser = \"cartable\"\n";
        assert!(matches!(parsed(text), Err(ConfigError::NoMailPassword)));
        assert!(matches!(parsed("host = \"m\"\nfrom = \"nobody\"\n"), Err(ConfigError::MailAddress { .. })));
        assert!(matches!(parsed("host = \"m\"\nfrom = \"a@b\\nBcc: c@d\"\n"), Err(ConfigError::MailAddress { .. })));
    }

    #[test]
    fn a_password_is_read_from_its_file_and_never_printed() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("password"), "geheim\n").unwrap();
        let text = "host = \"m\"\nfrom = \"a@b\"\nuser = \"cartable\"\npassword_file = \"password\"\n";
        let mail = toml::from_str::<Raw>(text).unwrap().read(directory.path()).unwrap();
        assert_eq!(mail.login, Some(("cartable".to_owned(), "geheim".to_owned())));
        assert!(!format!("{mail:?}").contains("geheim"));
    }
}
