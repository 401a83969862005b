//! Where things lie and what commands are called on this operating system: one table per system, same names.
//!
//! Words for people only name what is here, so that nobody on Windows is sent to systemctl.

#[cfg(not(any(windows, target_os = "macos")))]
pub use elsewhere::*;
#[cfg(target_os = "macos")]
pub use macos::*;
#[cfg(windows)]
pub use windows::*;

#[cfg(not(any(windows, target_os = "macos")))]
mod elsewhere {
    use std::path::PathBuf;

    /// Starts the service, now and at each start of the computer.
    pub const START: &str = "systemctl enable --now cartable-agent";
    /// Stops the service.
    pub const STOP: &str = "systemctl stop cartable-agent";
    /// Keeps the service from starting again.
    pub const DISABLE: &str = "systemctl disable cartable-agent";
    /// Shows the service's log.
    pub const LOG: &str = "journalctl -u cartable-agent";
    /// How a command gets the rights that it needs.
    pub const PRIVILEGED: &str = "sudo";

    /// Where the state lies unless said otherwise.
    pub fn state_folder() -> PathBuf {
        PathBuf::from("/var/lib/cartable-agent")
    }

    /// Where the packaged service publishes what it sent, for everybody to read.
    pub fn public_folder() -> PathBuf {
        PathBuf::from("/run/cartable-agent")
    }
}

/// As packaging/macos/cartable-agent.plist has it: launchd knows the service by its label, `cartable-agent`.
#[cfg(target_os = "macos")]
mod macos {
    use std::path::PathBuf;

    /// Starts the service, now and at each start of the computer.
    pub const START: &str = "launchctl bootstrap system /Library/LaunchDaemons/cartable-agent.plist";
    /// Stops the service until the next start of the computer: launchd would start again what only ended.
    pub const STOP: &str = "launchctl bootout system/cartable-agent";
    /// Keeps the service from starting again.
    pub const DISABLE: &str = "launchctl disable system/cartable-agent";
    /// Shows the service's log.
    pub const LOG: &str = "tail -n 50 /var/log/cartable-agent.log";
    /// How a command gets the rights that it needs.
    pub const PRIVILEGED: &str = "sudo";

    /// Where the service publishes what was sent, for everybody to read.
    pub fn public_folder() -> PathBuf {
        PathBuf::from("/Library/Cartable/shown")
    }

    /// Where the state lies unless said otherwise.
    pub fn state_folder() -> PathBuf {
        PathBuf::from("/Library/Application Support/Cartable")
    }
}

#[cfg(windows)]
mod windows {
    use std::path::PathBuf;

    /// Starts the service; it starts with the computer by itself.
    pub const START: &str = "sc start cartable-agent";
    /// Stops the service.
    pub const STOP: &str = "sc stop cartable-agent";
    /// Keeps the service from starting again.
    pub const DISABLE: &str = "cartable-agent service uninstall";
    /// Shows the service's log.
    pub const LOG: &str =
        "wevtutil qe Application /rd:true /c:20 /f:text /q:*[System[Provider[@Name='cartable-agent']]]";
    /// How a command gets the rights that it needs.
    pub const PRIVILEGED: &str = "run as administrator";

    /// Where the state lies unless said otherwise: `C:\ProgramData\cartable-agent`.
    pub fn state_folder() -> PathBuf {
        std::env::var_os("ProgramData")
            .map_or_else(|| PathBuf::from(r"C:\ProgramData"), PathBuf::from)
            .join("cartable-agent")
    }

    /// Where the service publishes what it sent, for everybody to read: `C:\Program Files\Cartable\public`. Beside the
    /// program everybody may read and nobody but administrators write; in ProgramData any user could have made the folder
    /// before the agent.
    pub fn public_folder() -> PathBuf {
        let program =
            std::env::current_exe().unwrap_or_else(|_| PathBuf::from(r"C:\Program Files\Cartable\cartable-agent.exe"));
        program.with_file_name("public")
    }
}
