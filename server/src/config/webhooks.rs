//! `[webhooks]`: which hosts may be told of events. Without it, none.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ConfigError;

/// Where webhooks may go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookSettings {
    /// The hosts that may be told, as they stand in addresses.
    pub hosts: Vec<String>,
    /// Whether addresses of this host itself may be told; for tests.
    pub loopback: bool,
    /// An authority that is trusted besides the system's, PEM.
    pub authority: Option<Vec<u8>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    hosts: Vec<String>,
    allow_loopback: bool,
    ca_file: Option<PathBuf>,
}

impl Raw {
    pub(super) fn read(self, data: &Path) -> Result<WebhookSettings, ConfigError> {
        let hosts = if self.hosts.is_empty() { Vec::new() } else { super::valid_hosts(self.hosts)? };
        let authority = self.ca_file.map(|path| {
            let path = data.join(path);
            std::fs::read(&path).map_err(|source| ConfigError::File { path, source })
        });
        Ok(WebhookSettings {
            hosts: hosts.into_iter().map(|host| host.to_ascii_lowercase()).collect(),
            loopback: self.allow_loopback,
            authority: authority.transpose()?,
        })
    }
}
