//! Whether the environment names a proxy by an address that is one.
//!
//! The HTTP client takes an address that it cannot read for none, and goes straight to the server: whoever wrote it would
//! learn nothing. Judged more strictly than the client does, so that it reads whatever passes. No word of the address is
//! ever told, for a password may stand in it.

use std::{ffi::OsString, net::Ipv6Addr};

/// The variables that count, the first that is set of each pair; the second pair where the first says nothing.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// A variable that names a proxy by what is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{variable} is no address of a proxy; write http://HOST:PORT or http://NAME:PASSWORD@HOST:PORT, in which name and \
     password have %40 for @, %3A for :, %2F for /, %3F for ?, %23 for #, %25 for %"
)]
pub struct InvalidProxy {
    variable: &'static str,
}

impl InvalidProxy {
    /// That `variable` is at fault.
    pub const fn of(variable: &'static str) -> Self {
        Self { variable }
    }
}

/// Refuses an environment whose proxy cannot be used.
pub fn check() -> Result<(), InvalidProxy> {
    check_in(&std::env::var_os::<&'static str>)
}

fn check_in(value_of: &dyn Fn(&'static str) -> Option<OsString>) -> Result<(), InvalidProxy> {
    for names in VARIABLES {
        let set = names.into_iter().find_map(|name| value_of(name).map(|value| (name, value)));
        match set {
            Some((_, value)) if value.is_empty() => {}
            Some((_, value)) if value.to_str().is_some_and(is_address) => return Ok(()),
            Some((variable, _)) => return Err(InvalidProxy::of(variable)),
            None => {}
        }
    }
    Ok(())
}

/// `[http[s]://][NAME[:PASSWORD]@]HOST[:PORT]`, and a path that counts for nothing.
fn is_address(text: &str) -> bool {
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if ["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) => rest,
        Some(_) => return false,
        None => text,
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    // The rest of a password, which began before what looks like a path.
    if path.contains('@') || !path.chars().all(|c| c.is_ascii_graphic()) {
        return false;
    }
    match authority.split_once('@') {
        Some((user, place)) => is_user(user) && is_place(place),
        None => is_place(authority),
    }
}

fn is_user(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:%".contains(c))
}

fn is_place(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) if host.parse::<Ipv6Addr>().is_ok() => ("", rest),
        Some(_) => return false,
        None if text.is_empty() || text.starts_with(':') => return false,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_port = |port: &str| port.chars().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok();
    host.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
        && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_with(variables: &[(&str, &str)]) -> Result<(), InvalidProxy> {
        let value_of = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        check_in(&value_of)
    }

    #[test]
    fn an_address_is_told_from_what_is_none() {
        for good in [
            "http://proxy:3128",
            "HTTP://proxy.college.example:3128/",
            "https://proxy",
            "proxy:3128",
            "127.0.0.1:3128",
            "[::1]:3128",
            "http://nom:mot%2Fde%40passe@proxy:3128",
            "http://nom@proxy",
            "http://proxy:3128/path",
        ] {
            assert_eq!(check_with(&[("HTTPS_PROXY", good)]), Ok(()), "{good}");
        }
        for bad in [
            "not a url",
            " http://proxy:3128",
            "http://user:pw@",
            "http://us:er:s3/cr@et@127.0.0.1:9",
            "http://user:12/x@proxy:3128",
            "http://user:pw#1@proxy:3128",
            "http://user:p@w@proxy:3128",
            "http://user:p[w@proxy:3128",
            "http://proxy:port",
            "http://proxy:+3",
            "http://proxy:99999",
            "http://:3128",
            "http://[proxy]:3128",
            "socks5://proxy:1080",
            "http://",
            "http://école:3128",
        ] {
            assert!(check_with(&[("HTTPS_PROXY", bad)]).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_variable_that_counts_is_named_and_nothing_of_its_value() {
        let words = |variables: &[(&str, &str)]| check_with(variables).unwrap_err().to_string();
        let said = words(&[("all_proxy", "http://us:er:s3/cr@et@127.0.0.1:9")]);
        assert!(said.starts_with("all_proxy is no address"), "{said}");
        assert!(!said.contains("s3") && !said.contains("127"), "{said}");
        assert!(words(&[("https_proxy", "x y"), ("ALL_PROXY", "http://proxy")]).starts_with("https_proxy "));
        // One that is set empty switches off; what another says then counts.
        assert!(words(&[("HTTPS_PROXY", ""), ("ALL_PROXY", "x y")]).starts_with("ALL_PROXY "));
        // What does not count is not judged.
        assert_eq!(check_with(&[("HTTPS_PROXY", "proxy:3128"), ("ALL_PROXY", "x y"), ("HTTP_PROXY", "x y")]), Ok(()));
        assert_eq!(check_with(&[]), Ok(()));
    }
}
