//! What a computer with Windows keeps of the agent's service and of the source of its events, from `service install` until
//! `service uninstall`: read by `reg query` under Wine.

#![cfg(target_os = "linux")]

use cartable_tests::wine::Wine;

/// Where Windows keeps the service.
const SERVICE: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\cartable-agent";
/// Where Windows looks for the words of events (agent/src/windows/events.rs).
const EVENT_SOURCES: &str = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application";

/// The service starts with the computer and says what it is; its events find their words.
pub(crate) fn assert_registered(wine: &Wine) {
    let service = values(wine, SERVICE);
    assert!(service.iter().any(|value| value == "Start REG_DWORD 0x2"), "{service:?}");
    assert!(service.iter().any(|value| value.starts_with("Description REG_SZ ")), "{service:?}");
    let source = values(wine, &source_of_events());
    for expected in
        [r"EventMessageFile REG_EXPAND_SZ %SystemRoot%\System32\EventCreate.exe", "TypesSupported REG_DWORD 0x7"]
    {
        assert!(source.iter().any(|value| value == expected), "{expected}: {source:?}");
    }
}

/// The source of events is gone, and no other program's.
pub(crate) fn assert_no_event_source(wine: &Wine) {
    assert_eq!(wine.registry(&source_of_events()).unwrap(), None);
    assert!(wine.registry(EVENT_SOURCES).unwrap().is_some(), "those of other programs are not removed");
}

/// What `service install` said: Wine refuses two things, takes the recovery actions and keeps none (docs/agent.md).
pub(crate) fn assert_wine_refuses_two_things_alone(said: &str) {
    for (what, is_refused) in [
        ("the description", false),
        ("the delayed start", true),
        ("the recovery actions", false),
        ("recovery after a failure that is no crash", true),
    ] {
        assert_eq!(said.contains(&format!("Windows refused {what}:")), is_refused, "{what}: {said}");
    }
}

fn source_of_events() -> String {
    format!(r"{EVENT_SOURCES}\cartable-agent")
}

fn values(wine: &Wine, key: &str) -> Vec<String> {
    wine.registry(key).unwrap().unwrap_or_else(|| panic!("{key} is missing"))
}
