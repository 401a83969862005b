//! The address of a Cartable server's device port, as typed by a technician.

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// An `https://HOST[:PORT]` address; never another scheme, a path, a query or a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerUrl(Url);

/// An address that cannot be a device port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not the address of a Cartable server: {why}; write https://HOST:PORT")]
pub struct InvalidServerUrl {
    text: String,
    why: &'static str,
}

impl ServerUrl {
    /// The full address of `path` on the server.
    pub(crate) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(path);
        url
    }

    /// The address as text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }
}

impl std::fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for ServerUrl {
    type Err = InvalidServerUrl;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |why| InvalidServerUrl { text: text.chars().take(200).collect(), why };
        let url = Url::parse(text.trim()).map_err(|_| refuse("it is not an address"))?;
        if url.scheme() != "https" {
            return Err(refuse("it does not begin with https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("it holds a name or a password"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse("something follows the port"));
        }
        Ok(Self(url))
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = InvalidServerUrl;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> Self {
        url.as_str().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_https_address_is_a_server() {
        let good: ServerUrl = " https://parc.example.fr:8443/ ".parse().unwrap();
        assert_eq!(good.as_str(), "https://parc.example.fr:8443");
        assert_eq!(good.join("/v1/enrol").as_str(), "https://parc.example.fr:8443/v1/enrol");
        for bad in [
            "parc.example.fr",
            "http://parc.example.fr",
            "https://u:p@parc.example.fr",
            "https://a/b",
            "https://a/?q",
            "https://a/#f",
            "",
        ] {
            let error = bad.parse::<ServerUrl>().unwrap_err().to_string();
            assert!(error.ends_with("write https://HOST:PORT"), "{error}");
        }
    }
}
