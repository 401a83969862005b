//! Webhooks: which events other systems may be told of, and how an address that is told must look.

use super::verdict::text_enum;

text_enum! {
    /// What happened.
    pub enum EventKind {
        /// A rule raised a flag.
        FlagRaised = "flag.raised",
        /// A rule cleared a flag.
        FlagCleared = "flag.cleared",
        /// A device was set aside for a borrower.
        LoanReserved = "loan.reserved",
        /// The reservation was dropped.
        LoanCancelled = "loan.cancelled",
        /// A device was handed over.
        LoanHandedOver = "loan.handed_over",
        /// A loan was extended.
        LoanExtended = "loan.extended",
        /// A device was taken back.
        LoanReturned = "loan.returned",
        /// A return was undone: the loan goes on as before.
        LoanReturnUndone = "loan.return_undone",
        /// A device was lost.
        LoanLost = "loan.lost",
        /// A device was stolen.
        LoanStolen = "loan.stolen",
        /// A loan was given up.
        LoanWrittenOff = "loan.written_off",
        /// A device changed owner.
        LoanCeded = "loan.ceded",
    }
}

impl EventKind {
    /// The event of a step of a loan, by the step's name. Putting a device back in stock is a step that is not told: the
    /// loan ended with the return.
    #[must_use]
    pub fn of_loan(step: &str) -> Option<Self> {
        format!("loan.{step}").parse().ok()
    }
}

/// Longest address, in characters.
const MAX_URL_CHARS: usize = 500;

/// Where a webhook goes: `https://host[:port]/path`, with a host that the configuration allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host, in small letters; an IPv6 address without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Path and query.
    pub path: String,
}

/// Why an address cannot be told of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// Not `https://…`, or with a user, a fragment, or letters that do not belong there.
    #[error(
        "an address is https://host/path, without a user, a password or a #fragment, in at most {MAX_URL_CHARS} characters"
    )]
    Form,
    /// The configuration does not name the host.
    #[error("this host is not among [webhooks] hosts in config.toml")]
    NotAllowed,
}

impl Target {
    /// Reads an address; its host must be one of `hosts`.
    pub fn parse(url: &str, hosts: &[String]) -> Result<Self, InvalidTarget> {
        let rest = url.strip_prefix("https://").ok_or(InvalidTarget::Form)?;
        let printable =
            |c: char| c.is_ascii_graphic() && !matches!(c, '#' | '\\' | '"' | '<' | '>' | '`' | '{' | '}' | '|' | '^');
        if url.len() > MAX_URL_CHARS || !rest.chars().all(printable) {
            return Err(InvalidTarget::Form);
        }
        let cut = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(cut);
        if authority.contains('@') {
            return Err(InvalidTarget::Form);
        }
        let (host, port) = match authority.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
            Some((host, port)) => (host, port),
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => 443,
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(InvalidTarget::Form)?,
            None => return Err(InvalidTarget::Form),
        };
        let host = host.to_ascii_lowercase();
        if host.is_empty() {
            return Err(InvalidTarget::Form);
        }
        if !hosts.contains(&host) {
            return Err(InvalidTarget::NotAllowed);
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { host, port, path })
    }

    /// The host as a `Host` header has it.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 443 { host } else { format!("{host}:{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_to_a_named_host() {
        let hosts = ["hooks.example".to_owned(), "::1".to_owned()];
        let parsed = |url: &str| Target::parse(url, &hosts);
        let target = parsed("https://HOOKS.example/a?b=c").unwrap();
        assert_eq!((target.host.as_str(), target.port, target.path.as_str()), ("hooks.example", 443, "/a?b=c"));
        assert_eq!(parsed("https://[::1]:8443").unwrap().authority(), "[::1]:8443");
        assert_eq!(parsed("https://hooks.example?x").unwrap().path, "/?x");
        for bad in [
            "http://hooks.example/",
            "https://u:p@hooks.example/",
            "https://hooks.example/#a",
            "https://",
            "https:///a",
            "https://hooks.example:0/",
            "https://hooks.example:x/",
            "https://hooks.example/\u{e9}",
            "https://hooks.example/ a",
        ] {
            assert_eq!(parsed(bad), Err(InvalidTarget::Form), "{bad}");
        }
        for foreign in ["https://evil.example/", "https://hooks.example.evil.example/", "https://169.254.169.254/"] {
            assert_eq!(parsed(foreign), Err(InvalidTarget::NotAllowed), "{foreign}");
        }
    }
}
