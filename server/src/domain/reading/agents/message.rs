//! What a message of another system's agent asks, before any of it is read: agents first ask whether an inventory is wanted
//! (PROLOG in XML, CONTACT in JSON), then send it.

use serde::Deserialize;

use super::xml;

/// In what a message is written, and its answer with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// XML: FusionInventory, and GLPI Agent before it knows whom it speaks to.
    Xml,
    /// JSON: GLPI Agent.
    Json,
}

/// What a message asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Whether, how often and of what an inventory is wanted.
    Contact,
    /// To take the inventory that it is.
    Inventory,
    /// Something else that such agents can do, and that nobody wants here.
    Other,
}

/// Longest question in bytes; what is longer is an inventory, or nothing.
const LONGEST_QUESTION: usize = 64 * 1024;

/// The only field of a message in JSON that is looked at.
#[derive(Deserialize)]
struct Action {
    action: Option<String>,
}

/// In what `text` is written and what it asks; nothing where it is no message of such an agent.
#[must_use]
pub fn asked(text: &str) -> Option<(Wording, Asked)> {
    let text = text.trim_start_matches('\u{FEFF}').trim();
    if text.starts_with('<') {
        let is_short = text.len() <= LONGEST_QUESTION;
        let query = if is_short { xml::query(text)? } else { "INVENTORY".to_owned() };
        return Some((Wording::Xml, of_query(&query)));
    }
    if !text.starts_with('{') {
        return None;
    }
    // Older agents name no action in an inventory.
    let Action { action } = serde_json::from_str(text).ok()?;
    let asked = match action.as_deref() {
        None | Some("inventory") => Asked::Inventory,
        Some("contact") => Asked::Contact,
        Some(_) => Asked::Other,
    };
    Some((Wording::Json, asked))
}

fn of_query(query: &str) -> Asked {
    match query.trim().to_ascii_uppercase().as_str() {
        "INVENTORY" => Asked::Inventory,
        "PROLOG" => Asked::Contact,
        _ => Asked::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As fusioninventory-agent 2.6 writes it.
    const PROLOG: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>
<REQUEST>
  <DEVICEID>portable-de-lea-2026-11-24-12-00-00</DEVICEID>
  <QUERY>PROLOG</QUERY>
  <TOKEN>12345678</TOKEN>
</REQUEST>
"#;

    #[test]
    fn questions_and_inventories_are_told_apart_in_both_languages() {
        assert_eq!(asked(PROLOG), Some((Wording::Xml, Asked::Contact)));
        let xml = include_str!("samples/fusioninventory-2.6.xml");
        assert_eq!(asked(xml), Some((Wording::Xml, Asked::Inventory)));
        assert_eq!(asked(&PROLOG.replace("PROLOG", "SNMP")), Some((Wording::Xml, Asked::Other)));
        assert_eq!(asked(r#"{"action":"contact","deviceid":"a"}"#), Some((Wording::Json, Asked::Contact)));
        assert_eq!(asked(r#"{"deviceid":"a","content":{}}"#), Some((Wording::Json, Asked::Inventory)));
        assert_eq!(asked(r#"{"action":"get_params"}"#), Some((Wording::Json, Asked::Other)));
        for nothing in ["", "hello", "[]", "{", "<html></html>", "<REQUEST>", r#"{"action":1}"#] {
            assert_eq!(asked(nothing), None, "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text: String) {
            let _ = asked(&text);
            let _ = asked(&format!("<REQUEST>{text}"));
            let _ = asked(&format!("{{{text}}}"));
        }
    }
}
