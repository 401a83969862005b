//! From where a person's request comes: counted against when somebody guesses passwords, never stored.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};

/// The address of the client. The listener puts it into each request's extensions with [`ClientAddress::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The client behind a connection from `peer`. `X-Forwarded-For` counts only when the configuration says that a
    /// proxy of ours stands in front, and then only its last entry, which that proxy wrote itself: everything before
    /// it was sent by the client (CVE-2026-46356 in Fleet was this).
    pub fn of(peer: IpAddr, headers: &HeaderMap, behind_proxy: BehindProxy) -> Self {
        let forwarded = match behind_proxy {
            BehindProxy::No => None,
            BehindProxy::Yes => headers
                .get_all("x-forwarded-for")
                .iter()
                .next_back()
                .and_then(|value| value.to_str().ok())
                .and_then(|list| list.rsplit(',').next())
                .and_then(|last| last.trim().parse().ok()),
        };
        Self(forwarded.unwrap_or(peer).to_canonical())
    }

    /// What attempts are counted against: the address, or for IPv6 its /64, which is one subscriber.
    pub fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        }
    }
}

/// Whether a reverse proxy of ours stands in front of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BehindProxy {
    /// The peer of the connection is the client.
    No,
    /// The peer of the connection is our proxy.
    Yes,
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = std::convert::Infallible;
    /// Without the listener's word, all clients count as one: throttling then errs towards refusing.
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<std::net::SocketAddr>>().map(|info| Self(info.0.ip()));
        let given = parts.extensions.get::<Self>().copied();
        Ok(given.or(peer).unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(forwarded: &[&str], behind_proxy: BehindProxy) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        ClientAddress::of("10.0.0.1".parse().unwrap(), &headers, behind_proxy).0.to_string()
    }

    #[test]
    fn a_forged_forwarded_for_is_never_believed() {
        assert_eq!(of(&["1.2.3.4"], BehindProxy::No), "10.0.0.1");
        assert_eq!(of(&["1.2.3.4, 192.0.2.7"], BehindProxy::Yes), "192.0.2.7");
        assert_eq!(of(&["1.2.3.4", "192.0.2.7"], BehindProxy::Yes), "192.0.2.7");
        assert_eq!(of(&["nonsense"], BehindProxy::Yes), "10.0.0.1");
        assert_eq!(of(&[], BehindProxy::Yes), "10.0.0.1");
    }

    #[test]
    fn an_ipv6_subscriber_counts_once() {
        let network = |text: &str| ClientAddress(text.parse().unwrap()).network();
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }
}
