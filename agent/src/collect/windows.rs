//! Windows: what WMI and the registry say, asked in a process of its own.
//!
//! WMI costs 10 MB of memory and hangs where a drive or a driver does. So the agent starts itself once more, with the
//! command `wmi`, in the idle class, and reads one line of JSON per class as they come: what came before the time limit
//! counts. Only the properties listed in [`wmi::CLASSES`] are kept. At last it asks the batteries' drivers, which some laptops'
//! WMI does not speak for. What the values mean is [`super::wmi`]'s.
//!
//! A recorded machine has those lines in `ROOT/cartable-recorded/wmi.jsonl`.

use std::{collections::BTreeMap, io::Write as _, path::Path, time::Duration};

use ::wmi::{AuthLevel, Variant, WMIConnection, WMIError};
use cartable_common::report::UnreadReason;
use tokio::process::Command;
use windows_registry::LOCAL_MACHINE;

use super::{
    Found,
    foreign::{self, NoAnswer},
    wmi::{self, Answer, Answers, Class},
};

const RECORDED: &str = r"cartable-recorded\wmi.jsonl";

/// Longest wait for all answers together. A healthy machine takes a second or two.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Largest answer read; a laptop's is below 10 KB.
const ANSWER_LIMIT: u64 = 256 * 1024;

/// Reads all but the drives' own health.
pub(super) async fn machine(root: &Path) -> Found {
    let answers = if root == Path::new("/") {
        match ask(TIME_LIMIT).await {
            Ok((lines, late)) => Answers::parse(&lines, late),
            Err(why) => Answers::none(why.reason(), &format!("WMI {why}")),
        }
    } else {
        match std::fs::read(root.join(RECORDED)) {
            Ok(lines) => Answers::parse(&lines, UnreadReason::NotPresent),
            Err(_) => Answers::none(UnreadReason::NotPresent, "not recorded"),
        }
    };
    wmi::found(&answers)
}

/// Starts a program so that nobody notices: no window, after everything else. It gets the little that Windows'
/// libraries ask of their environment.
pub(super) fn quiet(command: &mut Command) {
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    const IDLE_PRIORITY_CLASS: u32 = 0x40;
    command.creation_flags(CREATE_NO_WINDOW | IDLE_PRIORITY_CLASS).env_clear();
    for name in ["SystemRoot", "windir", "SystemDrive", "ProgramData"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}

/// The lines of the other process, and why those that are missing are.
async fn ask(limit: Duration) -> Result<(Vec<u8>, UnreadReason), NoAnswer> {
    let mut command = Command::new(std::env::current_exe()?);
    quiet(&mut command);
    command.arg("wmi");
    let mut lines = Vec::new();
    match foreign::read(&mut command, limit, ANSWER_LIMIT, &mut lines).await {
        Ok(()) => Ok((lines, UnreadReason::ToolFailed)),
        Err(why) if lines.is_empty() => Err(why),
        Err(why) => Ok((lines, why.reason())),
    }
}

/// Prints what WMI and the registry say, one class per line: the other process.
pub fn print_answers() -> std::io::Result<()> {
    // Refused, it is still in the idle class that it was started in.
    let _ = cartable_windows::go_to_background();
    let mut stdout = std::io::stdout().lock();
    let mut say = |name: &str, answer: Answer| -> std::io::Result<()> {
        writeln!(stdout, "{}", serde_json::to_string(&BTreeMap::from([(name, answer)]))?)?;
        stdout.flush()
    };
    say(wmi::REGISTRY, registry())?;
    let mut open: Option<(&str, Result<WMIConnection, i32>)> = None;
    for class in wmi::CLASSES {
        let connection = match open.take() {
            Some((namespace, connection)) if namespace == class.namespace => connection,
            _ => connect(class.namespace).map_err(|error| number(&error)),
        };
        say(class.name, answer(class, &connection))?;
        open = Some((class.namespace, connection));
    }
    say(wmi::BATTERIES, batteries())
}

/// What the batteries' drivers say, under the names that WMI's classes have for it.
fn batteries() -> Answer {
    let rows = cartable_windows::batteries().into_iter().zip(0_u32..).map(|(battery, instance)| {
        serde_json::json!({
            "InstanceName": instance.to_string(),
            "Capabilities": battery.capabilities,
            "Chemistry": battery.chemistry,
            "CycleCount": battery.cycle_count,
            "DesignedCapacity": battery.designed_capacity,
            "DeviceName": battery.model,
            "FullChargedCapacity": battery.full_charged_capacity,
            "ManufactureName": battery.manufacturer,
        })
    });
    serde_json::from_value(rows.collect()).map_or(Answer::Failed { hresult: wmi::UNREADABLE }, Answer::Rows)
}

/// BitLocker's namespace answers nobody whose calls are not encrypted.
fn connect(namespace: &str) -> Result<WMIConnection, WMIError> {
    let connection = WMIConnection::with_namespace_path(namespace)?;
    connection.set_proxy_blanket(AuthLevel::PktPrivacy)?;
    Ok(connection)
}

fn answer(class: &Class, connection: &Result<WMIConnection, i32>) -> Answer {
    let connection = match connection {
        Ok(connection) => connection,
        Err(error) => return Answer::Failed { hresult: *error },
    };
    let rows: Result<Vec<BTreeMap<String, Variant>>, WMIError> = connection.raw_query(class.query());
    match rows {
        Ok(rows) => {
            let kept: Vec<BTreeMap<&str, Variant>> = rows.into_iter().map(|row| kept(class, row)).collect();
            serde_json::to_value(kept)
                .and_then(serde_json::from_value)
                .map_or(Answer::Failed { hresult: wmi::UNREADABLE }, Answer::Rows)
        }
        Err(error) => Answer::Failed { hresult: number(&error) },
    }
}

/// The listed properties of a row, by the names of the list: WMI minds no case.
fn kept(class: &Class, row: BTreeMap<String, Variant>) -> BTreeMap<&'static str, Variant> {
    let own = |name: &str| class.properties.iter().copied().find(|known| known.eq_ignore_ascii_case(name));
    row.into_iter().filter_map(|(name, value)| Some((own(&name)?, value))).collect()
}

/// Windows' number of an error.
fn number(error: &WMIError) -> i32 {
    if let WMIError::HResultError { hres } = error { *hres } else { wmi::UNREADABLE }
}

/// What only the registry tells: the build with its updates, Secure Boot, and whether updates wait for a restart.
fn registry() -> Answer {
    const VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    const SECURE_BOOT: &str = r"SYSTEM\CurrentControlSet\Control\SecureBoot\State";
    // Keys that exist as long as a restart is due.
    const PENDING: [&str; 2] = [
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
        r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
    ];
    let text = |name: &str| LOCAL_MACHINE.open(VERSION).and_then(|key| key.get_string(name)).ok();
    let number = |path: &str, name: &str| LOCAL_MACHINE.open(path).and_then(|key| key.get_u32(name)).ok();
    let values = serde_json::json!({
        "CurrentBuild": text("CurrentBuild"),
        "DisplayVersion": text("DisplayVersion"),
        "RebootPending": PENDING.iter().any(|path| LOCAL_MACHINE.open(path).is_ok()),
        "SecureBoot": number(SECURE_BOOT, "UEFISecureBootEnabled"),
        "UBR": number(VERSION, "UBR"),
    });
    serde_json::from_value(values).map_or(Answer::Failed { hresult: wmi::UNREADABLE }, |row| Answer::Rows(vec![row]))
}
