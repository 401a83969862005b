//! What the laptop runs on and who pays for its network: read when a contact is due, never in between.

use std::{fs, path::Path};

use crate::fairness::{Network, Power};

/// Asks Windows or macOS, or reads the power supplies below `root` (`/sys/class/power_supply`), where a recorded machine has
/// them on any system. Anything odd is "unknown".
#[must_use]
pub fn power(root: &Path) -> Power {
    #[cfg(windows)]
    if root == Path::new("/") {
        return cartable_windows::power_status()
            .map_or(Power::Unknown, |told| judge_windows(told.mains, told.battery, told.percent));
    }
    #[cfg(target_os = "macos")]
    if root == Path::new("/") {
        return macos::told().map_or(Power::Unknown, |words| judge_macos(&words));
    }
    let Ok(folder) = fs::read_dir(root.join("sys/class/power_supply")) else { return Power::Unknown };
    let supplies: Vec<Supply> = folder.flatten().filter_map(|entry| Supply::read(&entry.path())).collect();
    judge(&supplies)
}

/// Asks the system who pays for the network. What it does not say is unknown; macOS is not asked.
#[must_use]
pub fn network() -> Network {
    #[cfg(target_os = "linux")]
    return crate::system_bus::network();
    #[cfg(windows)]
    return cartable_windows::network_cost()
        .map_or(Network::Unknown, |told| judge_windows_cost(told.cost, told.is_roaming));
    #[cfg(not(any(target_os = "linux", windows)))]
    return Network::Unknown;
}

/// What one supply of the laptop itself says. A mouse's battery, an empty bay and an unplugged charger say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Supply {
    /// Current flows from a charger.
    Charger,
    /// A battery of the laptop.
    Battery(Charge),
}

/// How a battery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Charge {
    /// Whether the laptop runs on it.
    drains: bool,
    /// What is left of it.
    percent: Option<u8>,
    /// What it holds when it is full.
    full: Option<Capacity>,
}

/// In millionths, as the kernel counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Capacity {
    WattHours(u64),
    AmpHours(u64),
}

impl Supply {
    fn read(folder: &Path) -> Option<Self> {
        let word = |name: &str| {
            fs::read_to_string(folder.join(name)).ok().map(|text| text.trim().to_ascii_lowercase()).unwrap_or_default()
        };
        if word("scope") == "device" || word("present") == "0" {
            return None;
        }
        if word("type") != "battery" {
            return (word("online") == "1").then_some(Self::Charger);
        }
        let number = |name: &str| word(name).parse::<u64>().ok().filter(|number| *number > 0);
        let charge = || number("charge_full").map(Capacity::AmpHours);
        Some(Self::Battery(Charge {
            drains: word("status") == "discharging",
            percent: word("capacity").parse().ok().filter(|percent| *percent <= 100),
            full: number("energy_full").map(Capacity::WattHours).or_else(charge),
        }))
    }

    const fn battery(self) -> Option<Charge> {
        match self {
            Self::Battery(charge) => Some(charge),
            Self::Charger => None,
        }
    }
}

/// A charger's word counts more than a battery's; without a charger a battery that does not drain is at the mains.
fn judge(supplies: &[Supply]) -> Power {
    if supplies.is_empty() {
        // A desktop, or a kernel that tells nothing.
        return Power::Unknown;
    }
    let batteries: Vec<Charge> = supplies.iter().copied().filter_map(Supply::battery).collect();
    // Of two batteries one rests while the other drains: the laptop runs on both in turn.
    if supplies.contains(&Supply::Charger) || batteries.iter().all(|battery| !battery.drains) {
        return Power::Mains;
    }
    left(&batteries).map_or(Power::Unknown, |percent| Power::Battery { percent })
}

/// What is left in all batteries together, each counted by what it holds; alike where that is not known of all of them in one
/// unit. Nothing where one does not say how full it is.
fn left(batteries: &[Charge]) -> Option<u8> {
    let percents: Vec<u8> = batteries.iter().map(|battery| battery.percent).collect::<Option<_>>()?;
    let in_one_unit = |of: fn(Capacity) -> Option<u64>| -> Option<Vec<u64>> {
        batteries.iter().map(|battery| battery.full.and_then(of)).collect()
    };
    let weights = in_one_unit(Capacity::watt_hours).or_else(|| in_one_unit(Capacity::amp_hours));
    let weights = weights.unwrap_or_else(|| vec![1; percents.len()]);
    let (mut left, mut whole) = (0_u128, 0_u128);
    for (percent, weight) in percents.into_iter().zip(weights) {
        left += u128::from(percent) * u128::from(weight);
        whole += u128::from(weight);
    }
    u8::try_from(left.checked_div(whole)?).ok()
}

impl Capacity {
    const fn watt_hours(self) -> Option<u64> {
        match self {
            Self::WattHours(millionths) => Some(millionths),
            Self::AmpHours(_) => None,
        }
    }

    const fn amp_hours(self) -> Option<u64> {
        match self {
            Self::AmpHours(millionths) => Some(millionths),
            Self::WattHours(_) => None,
        }
    }
}

/// The numbers of Windows' `SYSTEM_POWER_STATUS`: mains (0 no, 1 yes), flags of the battery, percent of all batteries.
#[cfg(any(windows, test))]
const fn judge_windows(mains: u8, battery: u8, percent: u8) -> Power {
    /// Set where there is no battery, and where nothing is known of it.
    const NO_BATTERY: u8 = 128;
    match mains {
        1 => Power::Mains,
        0 if battery & NO_BATTERY == 0 && percent <= 100 => Power::Battery { percent },
        _ => Power::Unknown,
    }
}

/// What `pmset -g batt` says: the source in its first line, then a line for each battery and each emergency supply.
#[cfg(any(target_os = "macos", test))]
fn judge_macos(words: &str) -> Power {
    let mut lines = words.lines();
    let source = lines.next().unwrap_or_default();
    if source.contains("'AC Power'") {
        return Power::Mains;
    }
    if !source.contains("'Battery Power'") {
        return Power::Unknown;
    }
    let percent = |line: &str| {
        let mut words = line.split([' ', '\t', ';']);
        words.find_map(|word| word.strip_suffix('%')?.parse::<u8>().ok()).filter(|percent| *percent <= 100)
    };
    let own = lines.find(|line| line.contains("InternalBattery"));
    own.and_then(percent).map_or(Power::Unknown, |percent| Power::Battery { percent })
}

#[cfg(target_os = "macos")]
mod macos {
    use std::{
        io::Read as _,
        process::{Command, Stdio},
        thread,
        time::Duration,
    };

    /// How often it is looked at whether pmset is done, and how long between two looks: two seconds in all. It takes some
    /// hundredths of one.
    const LOOKS: u32 = 100;
    const BETWEEN: Duration = Duration::from_millis(20);

    /// More than pmset says. It fits a pipe, so that the program ends before it is read.
    const MOST: u64 = 4096;

    /// pmset's words about the supplies, none if they do not come.
    pub(super) fn told() -> Option<String> {
        let mut command = Command::new("/usr/bin/pmset");
        command.args(["-g", "batt"]).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().ok()?;
        for _ in 0..LOOKS {
            if matches!(child.try_wait(), Ok(Some(_))) {
                let mut words = String::new();
                child.stdout.take()?.take(MOST).read_to_string(&mut words).ok()?;
                return Some(words);
            }
            thread::sleep(BETWEEN);
        }
        // It hangs: its words are worth no wait, nor is its end, and a failure to end it changes nothing here.
        let _ = child.kill();
        None
    }
}

/// The numbers of Windows' `NL_NETWORK_CONNECTIVITY_HINT`: 1 unrestricted, 2 free up to a fixed amount, 3 each byte is paid
/// for; anything else is not known.
#[cfg(any(windows, test))]
const fn judge_windows_cost(cost: i32, is_roaming: bool) -> Network {
    match cost {
        2 | 3 => Network::Metered,
        _ if is_roaming => Network::Metered,
        1 => Network::Free,
        _ => Network::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn machine(files: &[(&str, &str)]) -> Power {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join("sys/class/power_supply").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        power(root.path())
    }

    #[test]
    fn a_charger_a_battery_and_a_mouse_are_told_apart() {
        let battery =
            [("BAT0/type", "Battery\n"), ("BAT0/status", "Discharging\n"), ("BAT0/capacity", "9\n")].as_slice();
        assert_eq!(machine(battery), Power::Battery { percent: 9 });
        assert_eq!(machine(&[battery, [("AC/type", "Mains"), ("AC/online", "1")].as_slice()].concat()), Power::Mains);
        let unplugged = [("AC/type", "Mains"), ("AC/online", "0")].as_slice();
        assert_eq!(machine(&[battery, unplugged].concat()), Power::Battery { percent: 9 });
        let mouse =
            [("M/type", "Battery"), ("M/scope", "Device"), ("M/status", "Discharging"), ("M/capacity", "2")].as_slice();
        assert_eq!(machine(mouse), Power::Unknown);
        assert_eq!(machine(&[("BAT0/type", "Battery"), ("BAT0/status", "Full")]), Power::Mains);
        assert_eq!(machine(&[]), Power::Unknown);
    }

    #[test]
    fn two_batteries_are_what_is_left_in_both_whichever_of_them_drains() {
        let machine_with = |status: &str, percent: &str, capacities: &[(&str, &str)]| {
            let first = [("BAT0/type", "Battery"), ("BAT0/status", "Discharging"), ("BAT0/capacity", "9")];
            let second = [("BAT1/type", "Battery"), ("BAT1/status", status), ("BAT1/capacity", percent)];
            machine(&[&first[..], &second, capacities].concat())
        };
        for status in ["Unknown", "Not charging", "Full", "Discharging"] {
            let low = machine_with(status, "5", &[]);
            assert_eq!(low, Power::Battery { percent: 7 }, "{status}: the 15 % rule must hold");
            assert_eq!(machine_with(status, "80", &[]), Power::Battery { percent: 44 }, "{status}");
        }
        let energies = [("BAT0/energy_full", "20000000"), ("BAT1/energy_full", "60000000")];
        assert_eq!(machine_with("Unknown", "80", &energies), Power::Battery { percent: 62 }, "the larger counts more");
        let charges = [("BAT0/charge_full", "3000000"), ("BAT1/charge_full", "1000000")];
        assert_eq!(machine_with("Unknown", "80", &charges), Power::Battery { percent: 26 });
        let mixed = [("BAT0/charge_full", "3000000"), ("BAT1/energy_full", "60000000")];
        assert_eq!(machine_with("Unknown", "80", &mixed), Power::Battery { percent: 44 }, "units cannot be added");
        assert_eq!(machine_with("Unknown", "", &[]), Power::Unknown, "what is not known holds nothing back");
    }

    #[test]
    fn windows_numbers_are_a_battery_only_where_it_drains_and_is_known() {
        assert_eq!(judge_windows(0, 4, 3), Power::Battery { percent: 3 }, "critical");
        assert_eq!(judge_windows(0, 0, 50), Power::Battery { percent: 50 }, "neither high nor low");
        assert_eq!(judge_windows(1, 8, 3), Power::Mains, "it charges");
        assert_eq!(judge_windows(1, 128, 255), Power::Mains, "a desktop");
        for (mains, battery, percent) in [(0, 1, 255), (0, 255, 9), (0, 128, 0), (255, 4, 9), (255, 255, 255)] {
            assert_eq!(judge_windows(mains, battery, percent), Power::Unknown, "{mains} {battery} {percent}");
        }
    }

    #[test]
    fn pmset_tells_the_charger_from_the_battery() {
        let line = "\n -InternalBattery-0 (id=1234567)\t9%; discharging; 0:41 remaining present: true\n";
        assert_eq!(judge_macos(&format!("Now drawing from 'Battery Power'{line}")), Power::Battery { percent: 9 });
        assert_eq!(judge_macos(&format!("Now drawing from 'AC Power'{line}")), Power::Mains);
        assert_eq!(judge_macos("Now drawing from 'AC Power'\n"), Power::Mains, "a desktop");
        assert_eq!(judge_macos(&format!("Now drawing from 'UPS Power'{line}")), Power::Unknown);
        for odd in ["", "\n -InternalBattery-0\t(no estimate)\n", "\n -InternalBattery-0\t101%; discharging\n"] {
            assert_eq!(judge_macos(&format!("Now drawing from 'Battery Power'{odd}")), Power::Unknown, "{odd}");
        }
        assert_eq!(judge_macos(""), Power::Unknown);
    }

    #[test]
    fn windows_costs_are_paid_for_where_windows_says_so() {
        let told = |cost| judge_windows_cost(cost, false);
        assert_eq!([told(1), told(2), told(3)], [Network::Free, Network::Metered, Network::Metered]);
        for cost in [0, 4, -1, i32::MAX] {
            assert_eq!(told(cost), Network::Unknown, "{cost}");
        }
        assert_eq!(judge_windows_cost(1, true), Network::Metered, "a foreign operator's, whatever the contract says");
        assert_eq!(judge_windows_cost(0, true), Network::Metered);
    }

    proptest! {
        #[test]
        fn nonsense_from_a_driver_is_never_a_low_battery(status in "[a-zA-Z ]{0,12}", capacity in "-?[0-9a-f]{0,9}") {
            let found = machine(&[("B/type", "Battery"), ("B/status", &status), ("B/capacity", &capacity)]);
            if let Power::Battery { percent } = found {
                prop_assert!(status.trim().eq_ignore_ascii_case("discharging"));
                prop_assert_eq!(Ok(percent), capacity.trim().parse::<u8>());
            }
        }
    }
}
