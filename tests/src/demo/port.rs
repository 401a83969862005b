//! Which ports the demo takes: the ones asked for or remembered, with clear words where another program has them.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::bail;

/// The console's port where nothing else is said and it is free.
const USUAL_CONSOLE: u16 = 8080;

/// The console's port: `asked` or an error; else the remembered one, the usual one, or any that is free.
pub fn console(asked: Option<u16>, remembered: u16) -> anyhow::Result<u16> {
    if let Some(port) = asked {
        if !is_free(port) {
            bail!("port {port} is used by another program: choose another with --port, or --port 0 for a free one");
        }
        return Ok(port);
    }
    Ok([remembered, USUAL_CONSOLE].into_iter().find(|&port| port != 0 && is_free(port)).unwrap_or(0))
}

/// The device port: always the remembered one, because enrolled agents know it.
pub fn gateway(remembered: u16) -> anyhow::Result<u16> {
    if remembered != 0 && !is_free(remembered) {
        bail!(
            "port {remembered} is used by another program, and this fleet's agents know their server by it: \
             stop that program, or start a new fleet with --data DIR"
        );
    }
    Ok(remembered)
}

/// The port in `http://127.0.0.1:PORT`.
pub fn of_address(url: &str) -> u16 {
    url.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(0)
}

fn is_free(port: u16) -> bool {
    port == 0 || TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_port_is_told_or_avoided() {
        let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = busy.local_addr().unwrap().port();
        assert!(console(Some(port), 0).unwrap_err().to_string().contains("used by another program"));
        assert_ne!(console(None, port).unwrap(), port);
        assert!(gateway(port).unwrap_err().to_string().contains("--data"));
        drop(busy);
        assert_eq!(console(Some(port), 0).unwrap(), port);
        assert_eq!(gateway(port).unwrap(), port);
        assert_eq!(of_address(&format!("http://127.0.0.1:{port}/")), port);
    }
}
