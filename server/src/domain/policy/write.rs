//! Writes the default policy as a file that explains itself: packaging/policy.toml.

use std::fmt::Write as _;

use crate::domain::wording::Said;

use super::settings::{Policy, sections, settings};

const HEADER: &str = "\
# Politique de Cartable : tous les seuils de ses règles, avec leur valeur d'origine. Une ligne effacée reprend sa valeur
# d'origine. Vérifier avant de redémarrer : cartable-server policy check FICHIER
#
# Cartable's policy: every threshold of its rules, with its default. A line that is deleted takes its default again.
# Check before a restart: cartable-server policy check FILE
#
# Generated from server/src/domain/policy/settings.
# To renew: CARTABLE_BLESS=1 cargo test -p cartable-server policy
";

/// The default policy as a commented file.
pub(super) fn documented() -> String {
    let defaults = Policy::default();
    let mut file = String::from(HEADER);
    for (section, doc) in sections() {
        file.push('\n');
        for line in doc.lines() {
            comment(&mut file, line);
        }
        // Writing to a String cannot fail.
        let _ = writeln!(file, "[{section}]");
        for setting in settings().filter(|setting| setting.section == *section) {
            file.push('\n');
            comment(&mut file, setting.fr);
            comment(&mut file, setting.en);
            let range = setting
                .range
                .as_ref()
                .map_or_else(String::new, |range| format!(", {} – {}", range.start(), range.end()));
            comment(&mut file, &format!("Unité · Unit: {}{range}", setting.unit));
            comment(&mut file, &format!("Source : {}", setting.source_fr));
            comment(&mut file, &format!("Source: {}", setting.source));
            let _ = writeln!(file, "{} = {}", setting.key, setting.value_in(&defaults));
        }
    }
    file
}

fn comment(file: &mut String, line: &str) {
    let _ = writeln!(file, "# {}", line.trim());
}

/// Where the threshold `section.key` comes from, for the evidence of a flag.
pub(crate) fn source_of(path: &str) -> Said {
    let setting = settings().find(|setting| path.split_once('.') == Some((setting.section, setting.key)));
    let (fr, en) = setting.map_or(("", ""), |setting| (setting.source_fr, setting.source));
    Said::new(
        format!("{} (politique, {path})", fr.trim_end_matches('.')),
        format!("{} (policy, {path})", en.trim_end_matches('.')),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_policy_file_is_current_and_is_the_default() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/policy.toml");
        let documented = documented();
        if std::env::var_os("CARTABLE_BLESS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging")).unwrap();
            std::fs::write(path, &documented).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == documented, "packaging/policy.toml is stale: run this test with CARTABLE_BLESS=1");
        assert_eq!(Policy::from_toml(&documented), Ok(Policy::default()));
    }

    #[test]
    fn every_setting_says_what_it_means() {
        for setting in settings() {
            for text in [setting.fr, setting.en, setting.source, setting.source_fr] {
                assert!(text.ends_with('.'), "{}.{}: {text}", setting.section, setting.key);
            }
            if let Some(range) = &setting.range {
                let default: u32 = setting.value_in(&Policy::default()).parse().unwrap();
                assert!(range.contains(&default), "{}.{}", setting.section, setting.key);
            }
        }
    }

    fn refusal(text: &str) -> String {
        Policy::from_toml(text).unwrap_err().to_string()
    }

    #[test]
    fn a_bad_policy_is_refused_with_line_and_reason() {
        insta::assert_snapshot!(
            [
                "[silent]\nwarning_scholl_days = 3",
                "[quiet]\ndays = 3",
                "silent = 3",
                "[silent]\n\nwarning_school_days = \"3\"",
                "[silent]\nwarning_school_days = 0",
                "[silent]\nwarning_school_days = 3.5",
                "[silent]\nwarning_school_days = -4",
                "[silent]\nwarning_school_days = 99999999999999999999",
                "[silent]\ncritical_school_days = 5",
                "[disk]\ncritical_percent = 50\nwarning_percent = 40",
                "[calendar]\nclosures = [\"D 2027-10-23 2027-11-07\"]",
                "[calendar]\nclosures = [\"2027-11-07 2027-10-23\", 4]",
                "[os]\nwindows_10_updates_until = \"2028\"",
                "[silent]\nwarning_school_days 3",
                "[silent]\nwarning_school_days = 3\nwarning_school_days = 4",
                "[battery]\nrelend_percent = 700\nsource = \"me\"",
            ]
            .map(|text| format!("{text}\n→ {}\n", refusal(text)))
            .join("\n")
        );
    }

    proptest! {
        /// Whatever stands in the file, the answer is a policy or a reason.
        #[test]
        fn odd_files_are_refused_with_a_reason(
            section in "[a-z_]{0,8}|silent|disk|calendar|os", key in "warning_percent|closures|windows_10_updates_until|\\PC{0,9}",
            value in "-?[0-9]{1,30}|\\[.{0,20}\\]|\".{0,20}\"|[0-9]{4}-[0-9]{2}-[0-9]{2}|\\PC{0,20}",
        ) {
            if let Err(error) = Policy::from_toml(&format!("[{section}]\n{key} = {value}\n")) {
                prop_assert!(error.problems.iter().all(|problem| problem.line >= 1 && !problem.reason.is_empty()));
                prop_assert!(!error.problems.is_empty());
            }
        }
    }

    #[test]
    fn a_changed_policy_is_read() {
        let policy = Policy::from_toml(
            "[silent]\nwarning_school_days = 5\n[calendar]\nclosures = [\"C 2027-10-23 2027-11-07\"]\n\
             [os]\nwindows_10_updates_until = 2028-10-10\n",
        )
        .unwrap();
        assert_eq!(policy.silent.warning_school_days, 5);
        assert_eq!(policy.os.windows_10_updates_until, jiff::civil::date(2028, 10, 10));
        assert_eq!(policy.calendar.closures.len(), 1);
        assert_eq!(policy.drive, Policy::default().drive);
    }
}
