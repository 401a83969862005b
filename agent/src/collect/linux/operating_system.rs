//! The operating system, from os-release and the kernel.

use cartable_common::{
    Text,
    report::{OperatingSystem, OsFamily, Subject, UnreadReason},
};

use super::Source;

pub(super) fn read(source: &Source) -> OperatingSystem {
    let release = source.bytes("etc/os-release").or_else(|_| source.bytes("usr/lib/os-release"));
    let release = release.map(|content| String::from_utf8_lossy(&content).into_owned()).unwrap_or_default();
    let value = |key: &str| os_release(&release, key);
    let name = value("ID");
    if name.is_none() {
        source.missing(Subject::OperatingSystem, UnreadReason::NotPresent, "os-release");
    }
    let system = OperatingSystem {
        family: Some(OsFamily::Linux),
        version: value("VERSION_ID").or_else(|| value("BUILD_ID")).or_else(|| value("VERSION_CODENAME")),
        build: source.word("proc/sys/kernel/osrelease").as_deref().and_then(Text::meaningful),
        architecture: architecture(source),
        reboot_pending: reboot_pending(source, &release),
        name,
    };
    if system.reboot_pending.is_none() {
        source.missing(Subject::OperatingSystem, UnreadReason::Unsupported, "whether a restart is due");
    }
    system
}

/// The value of `key` in os-release(5): shell quoting, one level.
fn os_release(content: &str, key: &str) -> Option<Text> {
    let line = content.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
    Text::meaningful(line.trim().trim_matches(['"', '\'']))
}

/// Kernels since 6.1 tell it in a file; the running one also by a call.
fn architecture(source: &Source) -> Option<Text> {
    let told = source.word("proc/sys/kernel/arch");
    let told = told.or_else(|| {
        let machine = rustix::system::uname().machine().to_string_lossy().into_owned();
        source.is_live().then_some(machine)
    });
    told.as_deref().and_then(Text::meaningful)
}

/// Debian and its children leave a file when a restart is due; others do not say.
fn reboot_pending(source: &Source, release: &str) -> Option<bool> {
    if source.exists("run/reboot-required") || source.exists("var/run/reboot-required") {
        return Some(true);
    }
    let family = ["ID", "ID_LIKE"].map(|key| os_release(release, key));
    let tells = family
        .iter()
        .flatten()
        .any(|names| names.as_str().split(' ').any(|name| matches!(name, "debian" | "ubuntu" | "raspbian")));
    tells.then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(files: &[(&str, &str)]) -> OperatingSystem {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        read(&Source::new(root.path()))
    }

    #[test]
    fn a_linux_mint_waits_for_a_restart() {
        let release = "NAME=\"Linux Mint\"\nVERSION_ID=\"21.3\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n";
        let files = [
            ("etc/os-release", release),
            ("proc/sys/kernel/osrelease", "6.8.0-45-generic\n"),
            ("proc/sys/kernel/arch", "x86_64\n"),
        ];
        let mint = system(&files);
        assert_eq!(mint.name.unwrap().as_str(), "linuxmint");
        assert_eq!(mint.version.unwrap().as_str(), "21.3");
        assert_eq!((mint.build.unwrap().as_str(), mint.architecture.unwrap().as_str()), ("6.8.0-45-generic", "x86_64"));
        assert_eq!(mint.reboot_pending, Some(false));
        assert_eq!(system(&[("etc/os-release", release), ("run/reboot-required", "")]).reboot_pending, Some(true));
    }

    #[test]
    fn a_system_that_does_not_tell_is_not_guessed() {
        let arch = system(&[("usr/lib/os-release", "ID=arch\nBUILD_ID=rolling\n")]);
        assert_eq!((arch.version.unwrap().as_str(), arch.reboot_pending), ("rolling", None));
    }
}
