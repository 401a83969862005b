//! Configuration: raw TOML → validated settings, after which nothing can be invalid.
//!
//! Command-line arguments win over `config.toml`, which wins over the defaults. The policy of the rules is a file of
//! its own ([`crate::domain::policy`]).

mod documents;
mod mail;
mod webhooks;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
};

use rustls_pki_types::ServerName;
use serde::Deserialize;

pub use self::{
    documents::DocumentSettings,
    mail::{MailSettings, Security},
    webhooks::WebhookSettings,
};

/// The configuration file in the data directory.
pub const FILE: &str = "config.toml";
/// The policy file in the data directory.
pub const POLICY_FILE: &str = "policy.toml";
/// The device port, where nothing else is said: all addresses.
const DEFAULT_GATEWAY: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 8443);
/// The console, where nothing else is said: this host only.
const DEFAULT_CONSOLE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Why the configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}. Run `cartable-server init --data …` first, or check who may read it", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not what it should be; the reason names the line.
    #[error("{}: {reason}", path.display())]
    Content {
        /// Which one.
        path: PathBuf,
        /// Line and reason.
        reason: String,
    },
    /// The console would send passwords in clear over a network.
    #[error(
        "console on {address}: plain HTTP leaves this host, and passwords with it. Either keep it on 127.0.0.1 behind \
         your reverse proxy, give --console-certificate and --console-key, or say --behind-proxy if only a proxy that \
         speaks HTTPS to people can reach this address"
    )]
    PlainConsole {
        /// The address.
        address: SocketAddr,
    },
    /// Half of a TLS identity.
    #[error("console: a certificate and its key come together; give both or none")]
    HalfConsoleTls,
    /// Not a host name or an address.
    #[error(
        "{host:?} is not a host name or an IP address: look at --host, and at `hosts` in the configuration file's sections \
         [gateway] and [webhooks]; an IPv6 address stands there without brackets"
    )]
    Host {
        /// What was given.
        host: String,
    },
    /// E-mails would cross a network in clear.
    #[error(
        "mail: security = \"none\" is only for a mail server on this host, not for {host}; use starttls or implicit"
    )]
    PlainMail {
        /// The mail server.
        host: String,
    },
    /// Not an address.
    #[error("mail: {address:?} is not an e-mail address, such as Cartable <cartable@departement.example>")]
    MailAddress {
        /// What was given.
        address: String,
    },
    /// A user without a password.
    #[error("mail: user needs password_file, or the systemd credential `cartable-mail-password`")]
    NoMailPassword,
    /// Not where a console can be.
    #[error("console: public_url {url:?} is not an address such as https://cartable.example.fr, without a path")]
    PublicUrl {
        /// What was given.
        url: String,
    },
    /// Not a line of a letterhead.
    #[error("documents: {name} is one line of 1 to 120 characters")]
    DocumentLine {
        /// Which one.
        name: &'static str,
    },
}

/// The database's address. May hold a password: `Debug` shows only the kind.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(pub String);

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({}:…)", self.0.split(':').next().unwrap_or_default())
    }
}

/// The server's settings, valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The data directory.
    pub data: PathBuf,
    /// The database.
    pub database: DatabaseUrl,
    /// The file with the key for keys at rest, where `init` was told one.
    pub key_file: Option<PathBuf>,
    /// The device port's address.
    pub gateway: SocketAddr,
    /// The names and addresses by which laptops reach it.
    pub hosts: Vec<String>,
    /// The console's address.
    pub console: SocketAddr,
    /// How the console is secured.
    pub console_transport: Transport,
    /// The console's address as people reach it; QR codes lead there.
    pub console_url: Option<String>,
    /// The policy, where there is a file.
    pub policy: Option<PathBuf>,
    /// Where e-mails are handed in; without it, none are sent.
    pub mail: Option<MailSettings>,
    /// Where webhooks may go.
    pub webhooks: WebhookSettings,
    /// What documents are made with.
    pub documents: DocumentSettings,
}

/// How people's browsers reach the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Plain HTTP that never leaves this host.
    Loopback,
    /// Plain HTTP from a reverse proxy that speaks HTTPS to people.
    BehindProxy,
    /// HTTPS by this server.
    Https {
        /// The certificate chain, PEM.
        certificate: PathBuf,
        /// Its key, PEM.
        key: PathBuf,
    },
}

/// What the command line says instead of the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The database.
    pub database: Option<String>,
    /// The key file.
    pub key_file: Option<PathBuf>,
    /// The device port's address.
    pub gateway: Option<SocketAddr>,
    /// The console's address.
    pub console: Option<SocketAddr>,
    /// The console's certificate chain.
    pub console_certificate: Option<PathBuf>,
    /// The console's key.
    pub console_key: Option<PathBuf>,
    /// A proxy that speaks HTTPS stands in front of the console.
    pub behind_proxy: bool,
    /// The policy.
    pub policy: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    database: Option<String>,
    key_file: Option<PathBuf>,
    policy: Option<PathBuf>,
    gateway: RawGateway,
    console: RawConsole,
    mail: Option<mail::Raw>,
    webhooks: webhooks::Raw,
    documents: documents::Raw,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawGateway {
    address: SocketAddr,
    hosts: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawConsole {
    address: SocketAddr,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    behind_proxy: bool,
    public_url: Option<String>,
}

impl Default for RawGateway {
    fn default() -> Self {
        Self { address: DEFAULT_GATEWAY, hosts: vec!["localhost".to_owned(), "127.0.0.1".to_owned()] }
    }
}

impl Default for RawConsole {
    fn default() -> Self {
        Self { address: DEFAULT_CONSOLE, certificate: None, key: None, behind_proxy: false, public_url: None }
    }
}

impl Settings {
    /// Reads `config.toml` in `data` and puts `overrides` over it.
    pub fn load(data: &Path, overrides: Overrides) -> Result<Self, ConfigError> {
        let path = data.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::File { path: path.clone(), source })?;
        Self::from_toml(&text, data, overrides).map_err(|error| match error {
            ConfigError::Content { reason, .. } => ConfigError::Content { path, reason },
            ConfigError::File { .. }
            | ConfigError::PlainConsole { .. }
            | ConfigError::HalfConsoleTls
            | ConfigError::Host { .. }
            | ConfigError::PlainMail { .. }
            | ConfigError::MailAddress { .. }
            | ConfigError::NoMailPassword
            | ConfigError::PublicUrl { .. }
            | ConfigError::DocumentLine { .. } => error,
        })
    }

    fn from_toml(text: &str, data: &Path, overrides: Overrides) -> Result<Self, ConfigError> {
        let raw: Raw = toml::from_str(text)
            .map_err(|error| ConfigError::Content { path: PathBuf::new(), reason: error.to_string() })?;
        // Relative paths in the file count from where the file lies.
        let placed = |path: PathBuf| data.join(path);
        let database = overrides.database.or(raw.database);
        let console = overrides.console.unwrap_or(raw.console.address);
        let certificate = overrides.console_certificate.or(raw.console.certificate.map(placed));
        let key = overrides.console_key.or(raw.console.key.map(placed));
        let policy = overrides.policy.or(raw.policy.map(placed));
        let default_policy = || Some(data.join(POLICY_FILE)).filter(|path| path.exists());
        Ok(Self {
            data: data.to_owned(),
            database: DatabaseUrl(database.unwrap_or_else(|| default_database(data))),
            key_file: overrides.key_file.or(raw.key_file.map(placed)),
            gateway: overrides.gateway.unwrap_or(raw.gateway.address),
            hosts: valid_hosts(raw.gateway.hosts)?,
            console,
            console_transport: transport(
                console,
                certificate,
                key,
                overrides.behind_proxy || raw.console.behind_proxy,
            )?,
            console_url: raw.console.public_url.as_deref().map(documents::public_url).transpose()?,
            policy: policy.or_else(default_policy),
            mail: raw.mail.map(|mail| mail.read(data)).transpose()?,
            webhooks: raw.webhooks.read(data)?,
            documents: raw.documents.read(data)?,
        })
    }
}

/// SQLite in the data directory.
pub fn default_database(data: &Path) -> String {
    format!("sqlite:{}", data.join("cartable.db").display())
}

/// Checks that every host can stand in a certificate and in an agent's configuration.
pub fn valid_hosts(hosts: Vec<String>) -> Result<Vec<String>, ConfigError> {
    for host in &hosts {
        ServerName::try_from(host.as_str()).map_err(|_| ConfigError::Host { host: host.clone() })?;
    }
    if hosts.is_empty() { Err(ConfigError::Host { host: String::new() }) } else { Ok(hosts) }
}

fn transport(
    address: SocketAddr,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    behind_proxy: bool,
) -> Result<Transport, ConfigError> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Transport::Https { certificate, key }),
        (None, None) if behind_proxy => Ok(Transport::BehindProxy),
        (None, None) if address.ip().to_canonical().is_loopback() => Ok(Transport::Loopback),
        (None, None) => Err(ConfigError::PlainConsole { address }),
        _ => Err(ConfigError::HalfConsoleTls),
    }
}

/// The configuration file that `init` writes.
pub fn documented(hosts: &[String], database: Option<&str>, key_file: Option<&Path>) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let line = |name: &str, value: Option<String>, example: &str| {
        value.map_or_else(|| format!("# {name} = {example}"), |value| format!("{name} = {value}"))
    };
    let hosts: Vec<String> = hosts.iter().map(|host| quoted(host)).collect();
    format!(
        "# Cartable's server. Arguments of `cartable-server serve` win over this file. Paths count from here.\n\
         \n\
         # Where data is kept: SQLite beside this file unless PostgreSQL is named.\n\
         {}\n\
         # The key that seals the private keys at rest. CARTABLE_KEY and the service's credential win over it.\n\
         {}\n\
         # The rules' thresholds.\n\
         # policy = \"{POLICY_FILE}\"\n\
         \n\
         [gateway]\n\
         # Where laptops report. Mutual TLS ends here: no proxy may unwrap it.\n\
         address = \"{DEFAULT_GATEWAY}\"\n\
         # The names and addresses by which laptops reach it; they stand in its certificate.\n\
         hosts = [{}]\n\
         \n\
         [console]\n\
         # Plain HTTP on this host only, for the reverse proxy that serves your HTTPS sites; or HTTPS by this server.\n\
         address = \"{DEFAULT_CONSOLE}\"\n\
         # certificate = \"console.pem\"\n\
         # key = \"console.key\"\n\
         # Only if nothing but a proxy that speaks HTTPS to people can reach the address.\n\
         # behind_proxy = true\n\
         # The address by which people reach it: the QR codes on labels and documents lead there.\n\
         # public_url = \"https://cartable.departement.example\"\n\
         \n\
         # In whose name agreements, receipts and lists are given out, and who is named on the page that families read on\n\
         # their laptops; templates that replace the built-in ones, checked at each start (docs/documents.md).\n\
         # [documents]\n\
         # issuer = \"Département de Valmarin\"\n\
         # contact = \"dpo@departement.example\"\n\
         # templates = \"templates\"\n\
         \n\
         # Where e-mails to families and referents are handed in. Without this section none are sent.\n\
         # [mail]\n\
         # host = \"smtp.example\"\n\
         # security = \"starttls\"   # or \"implicit\"; \"none\" only for a mail server on this host\n\
         # ca_file = \"mail-ca.pem\"   # if an authority of your own signed the mail server's certificate\n\
         # user = \"cartable\"\n\
         # password_file = \"/etc/cartable/mail-password\"\n\
         # from = \"Cartable <cartable@departement.example>\"\n\
         # reply_to = \"prets@departement.example\"\n\
         \n\
         # Which hosts webhooks may tell of events.\n\
         # [webhooks]\n\
         # hosts = [\"tickets.departement.example\"]\n",
        line("database", database.map(quoted), "\"postgres://cartable@database.example/cartable\""),
        line("key_file", key_file.map(|path| quoted(&path.display().to_string())), "\"/etc/cartable/cartable-key\""),
        hosts.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, overrides: Overrides) -> Result<Settings, ConfigError> {
        Settings::from_toml(text, Path::new("/data"), overrides)
    }

    #[test]
    fn what_init_writes_is_read_back() {
        let hosts = vec!["cartable.example".to_owned(), "::1".to_owned()];
        let text = documented(&hosts, Some("postgres://a:\"b@c/d"), Some(Path::new("/etc/key")));
        let settings = parsed(&text, Overrides::default()).unwrap();
        assert_eq!(settings.hosts, hosts);
        assert_eq!(settings.database.0, "postgres://a:\"b@c/d");
        assert_eq!(settings.key_file.as_deref(), Some(Path::new("/etc/key")));
        let plain = parsed(&documented(&hosts, None, None), Overrides::default()).unwrap();
        assert_eq!(plain.database.0, "sqlite:/data/cartable.db");
        assert_eq!(plain.console_transport, Transport::Loopback);
        assert!(!format!("{settings:?}").contains("b@c"), "a password never shows in a log");
    }

    #[test]
    fn a_mistake_is_refused_with_its_line() {
        let error = parsed("[gateway]\nadress = \"0.0.0.0:1\"\n", Overrides::default()).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("adress"), "{error}");
        let error = parsed("[gateway]\naddress = \"nowhere\"\n", Overrides::default()).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
        let error = parsed("[gateway]\nhosts = [\"a b\"]\n", Overrides::default()).unwrap_err();
        assert!(matches!(error, ConfigError::Host { .. }), "{error}");
    }

    #[test]
    fn passwords_never_cross_a_network_in_clear_by_accident() {
        let open = Overrides { console: Some("0.0.0.0:80".parse().unwrap()), ..Overrides::default() };
        let error = parsed("", open.clone()).unwrap_err();
        assert!(matches!(error, ConfigError::PlainConsole { .. }), "{error}");
        let behind = Overrides { behind_proxy: true, ..open.clone() };
        assert_eq!(parsed("", behind).unwrap().console_transport, Transport::BehindProxy);
        let half = Overrides { console_key: Some("k".into()), ..open };
        assert!(matches!(parsed("", half).unwrap_err(), ConfigError::HalfConsoleTls));
    }
}
