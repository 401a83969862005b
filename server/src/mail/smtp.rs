//! Hands letters to a mail server over SMTP, one recipient at a time, over one connection for a run.
//!
//! What went wrong is told apart by what may be done about it: nothing left, try later ([`Trouble::Postponed`]); refused
//! for good ([`Trouble::Refused`]); nobody knows ([`Trouble::InDoubt`]). No address stands in an error's text.

use std::time::{Duration, UNIX_EPOCH};

use cartable_common::UtcMillis;
use lettre::{
    Address, Message,
    address::Envelope,
    message::{Mailbox, header::ContentType},
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        extension::ClientId,
    },
};

use super::letter::Letter;
use crate::{
    config::{MailSettings, Security},
    domain::notice::MALFORMED_ADDRESS,
};

/// How long a connection may take to be made, secured and signed in.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// How long one letter may take. Mail servers may think for minutes about the end of the data (RFC 5321, 4.5.3.2.6),
/// but a doubt costs only a repeat under the same Message-ID.
const LETTER_LIMIT: Duration = Duration::from_mins(3);

/// Why mail cannot be set up as configured.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The sender's or the answers' address cannot be read.
    #[error("mail: {what} {text:?}: {why}")]
    Address {
        /// Which one.
        what: &'static str,
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// The trusted authority cannot be read, or TLS cannot be set up.
    #[error("mail: TLS: {0}")]
    Tls(String),
}

/// Why a letter did not go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// The mail server cannot be reached, or does not let Cartable in: nothing can be sent now.
    #[error("the mail server cannot be used: {0}")]
    Unreachable(String),
    /// The mail server does not take this letter now.
    #[error("put off by the mail server: {0}")]
    Postponed(String),
    /// The mail server will never take this letter.
    #[error("refused by the mail server: {0}")]
    Refused(String),
    /// The connection broke while the letter was handed over.
    #[error("the connection broke, and whether the letter was taken is not known: {0}")]
    InDoubt(String),
}

/// Knows the mail server and the sender.
#[derive(Clone)]
pub struct Mailer {
    settings: MailSettings,
    from: Mailbox,
    reply_to: Option<Mailbox>,
    tls: Option<TlsParameters>,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mailer({:?})", self.settings)
    }
}

/// A connection to the mail server, signed in.
pub struct Link {
    connection: AsyncSmtpConnection,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Link")
    }
}

/// A letter on its way to one address.
#[derive(Clone, Copy)]
pub struct Parcel<'a> {
    /// The Message-ID, without angle brackets.
    pub mail_id: &'a str,
    /// The address.
    pub to: &'a str,
    /// What it says.
    pub letter: &'a Letter,
    /// What it is dated.
    pub dated: UtcMillis,
}

impl Mailer {
    /// Checks what can be checked without a connection.
    pub fn new(settings: MailSettings) -> Result<Self, MailError> {
        let mailbox = |what: &'static str, text: &str| {
            text.parse::<Mailbox>().map_err(|why| MailError::Address {
                what,
                text: text.to_owned(),
                why: why.to_string(),
            })
        };
        let from = mailbox("from", &settings.from)?;
        let reply_to = settings.reply_to.as_deref().map(|text| mailbox("reply_to", text)).transpose()?;
        let tls = match settings.security {
            Security::None => None,
            Security::Starttls | Security::Implicit => Some(tls(&settings)?),
        };
        Ok(Self { settings, from, reply_to, tls })
    }

    /// The right side of every Message-ID.
    pub fn domain(&self) -> &str {
        self.settings.domain()
    }

    /// How letters are signed: the sender's name, or its address.
    pub fn signature(&self) -> String {
        self.from.name.clone().unwrap_or_else(|| self.from.email.to_string())
    }

    /// Connects and signs in.
    pub async fn connect(&self) -> Result<Link, Trouble> {
        let unreachable = |error: String| Trouble::Unreachable(error);
        match tokio::time::timeout(CONNECT_LIMIT, self.connect_now()).await {
            Ok(Ok(link)) => Ok(link),
            Ok(Err(error)) => Err(unreachable(said(&error))),
            Err(_) => Err(unreachable(format!("no answer within {} seconds", CONNECT_LIMIT.as_secs()))),
        }
    }

    async fn connect_now(&self) -> Result<Link, SmtpError> {
        let settings = &self.settings;
        let hello = ClientId::Domain(self.domain().to_owned());
        let server = (settings.host.as_str(), settings.port);
        let from_start = self.tls.clone().filter(|_| settings.security == Security::Implicit);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_LIMIT), &hello, from_start, None).await?;
        if let (Some(tls), Security::Starttls) = (&self.tls, settings.security) {
            // A server that does not offer it is an error: no password and no letter leaves in clear.
            connection.starttls(tls.clone(), &hello).await?;
        }
        if let Some((user, password)) = &settings.login {
            connection.auth(DEFAULT_MECHANISMS, &Credentials::new(user.clone(), password.clone())).await?;
        }
        Ok(Link { connection })
    }

    /// Hands a letter over. After [`Trouble::InDoubt`] the connection must not be used again.
    pub async fn send(&self, link: &mut Link, parcel: Parcel<'_>) -> Result<(), Trouble> {
        let to: Address = parcel.to.trim().parse().map_err(|_| Trouble::Refused(MALFORMED_ADDRESS.to_owned()))?;
        let message = self.message(parcel).map_err(|error| Trouble::Refused(error.to_string()))?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to])
            .map_err(|error| Trouble::Refused(error.to_string()))?;
        match tokio::time::timeout(LETTER_LIMIT, link.connection.send(&envelope, &message.formatted())).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(Trouble::Refused(said(&error))),
            Ok(Err(error)) if error.is_transient() => Err(Trouble::Postponed(said(&error))),
            // The library itself refuses: an address or a text that this server cannot take.
            Ok(Err(error)) if error.is_client() => Err(Trouble::Refused(said(&error))),
            Ok(Err(error)) => Err(Trouble::InDoubt(said(&error))),
            Err(_) => Err(Trouble::InDoubt(format!("no answer within {} seconds", LETTER_LIMIT.as_secs()))),
        }
    }

    fn message(&self, parcel: Parcel<'_>) -> Result<Message, lettre::error::Error> {
        let to: Address = parcel.to.trim().parse().map_err(|_| lettre::error::Error::MissingTo)?;
        let dated = UNIX_EPOCH + Duration::from_millis(parcel.dated.get().unsigned_abs());
        let mut builder = Message::builder()
            .message_id(Some(format!("<{}>", parcel.mail_id)))
            .date(dated)
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(parcel.letter.subject.as_str())
            // So that holiday answers don't come back (RFC 3834).
            .raw_header(auto_submitted());
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        builder.header(ContentType::TEXT_PLAIN).body(parcel.letter.text.clone())
    }
}

impl Link {
    /// Whether another letter may be handed over it.
    pub fn is_sound(&self) -> bool {
        !self.connection.has_broken()
    }

    /// Takes leave.
    pub async fn close(mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(5), self.connection.abort()).await;
    }
}

fn auto_submitted() -> lettre::message::header::HeaderValue {
    let name = lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted");
    lettre::message::header::HeaderValue::new(name, "auto-generated".to_owned())
}

fn tls(settings: &MailSettings) -> Result<TlsParameters, MailError> {
    let wrong = |error: SmtpError| MailError::Tls(error.to_string());
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.authority {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(wrong)?);
    }
    builder.build_rustls().map_err(wrong)
}

/// An error as it is stored and shown: in one line, short, and without addresses, which mail servers like to repeat.
fn said(error: &SmtpError) -> String {
    without_addresses(&error.to_string())
}

/// `text` with every word that holds an `@` replaced.
#[must_use]
pub fn without_addresses(text: &str) -> String {
    const LONGEST: usize = 200;
    let words = text.split_whitespace().map(|word| if word.contains('@') { "…" } else { word });
    let line = words.collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer() -> Mailer {
        Mailer::new(MailSettings {
            host: "127.0.0.1".into(),
            port: 25,
            security: Security::None,
            login: None,
            from: "Département du Val <cartable@val.example>".into(),
            reply_to: Some("prets@val.example".into()),
            authority: None,
        })
        .unwrap()
    }

    #[test]
    fn a_message_has_one_recipient_its_own_id_and_no_second_header() {
        let letter = Letter { subject: "À rendre\r\nBcc: evil@x.example".into(), text: "Ligne 1\nFin".into() };
        let parcel =
            Parcel { mail_id: "abc@val.example", to: " p@x.example ", letter: &letter, dated: UtcMillis::default() };
        let formatted = String::from_utf8(mailer().message(parcel).unwrap().formatted()).unwrap();
        let headers = formatted.split("\r\n\r\n").next().unwrap();
        assert!(headers.contains("Message-ID: <abc@val.example>"), "{headers}");
        assert!(headers.contains("To: p@x.example") && headers.contains("Auto-Submitted: auto-generated"), "{headers}");
        assert!(!headers.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{headers}");
        assert_eq!(mailer().signature(), "Département du Val");
    }

    #[test]
    fn errors_name_nobody() {
        let text = "permanent error (550): 5.1.1 <ines.martin@x.example>: no such\r\nuser";
        assert_eq!(without_addresses(text), "permanent error (550): 5.1.1 … no such user");
    }
}
