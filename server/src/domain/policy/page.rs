//! Holds docs/rules.md to the rules: every flag is explained there, and its table of thresholds is the policy's.

use std::fmt::Write as _;

use super::settings::{Policy, settings};
use crate::domain::flag::FlagCode;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rules.md");
const MARK: &str = "cargo test -p cartable-server rules_page -->\n";

fn table() -> String {
    let defaults = Policy::default();
    let mut table =
        String::from("\n| Réglage · Setting | Valeur · Value | Sens · Meaning | Source |\n| --- | --- | --- | --- |\n");
    for setting in settings() {
        let (section, key, unit, value) = (setting.section, setting.key, setting.unit, setting.value_in(&defaults));
        let (fr, en, source_fr, source) = (setting.fr, setting.en, setting.source_fr, setting.source);
        let _ = writeln!(table, "| `{section}.{key}` | {value} ({unit}) | {fr} *{en}* | {source_fr} *{source}* |");
    }
    table
}

#[test]
fn rules_page_is_current_and_explains_every_flag() {
    let committed = std::fs::read_to_string(PATH).unwrap();
    let (prose, old) = committed.split_once(MARK).unwrap();
    if std::env::var_os("CARTABLE_BLESS").is_some() {
        std::fs::write(PATH, format!("{prose}{MARK}{}", table())).unwrap();
    } else {
        assert!(old == table(), "docs/rules.md is stale: run this test with CARTABLE_BLESS=1");
    }
    for code in FlagCode::ALL {
        assert!(prose.contains(&format!("\n### `{code}` — ")), "docs/rules.md does not explain {code}");
    }
}
