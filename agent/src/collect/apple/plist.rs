//! Apple's property lists in XML (plist(5)) as JSON's values. Opens nothing, expands no entity of a document.
//!
//! Dates, binary data and fractions have no use here and become null.

use quick_xml::{
    Reader,
    escape::resolve_xml_entity,
    events::{BytesRef, Event},
};
use serde_json::{Map, Value};

/// A battery's list is four objects deep.
const MOST_DEPTH: usize = 32;

/// The value that the list holds, or what is wrong with it.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(text);
    let mut walk = Walk::default();
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) => walk.open(tag.name().into_inner())?,
            Event::Empty(tag) => {
                walk.open(tag.name().into_inner())?;
                walk.close();
            }
            Event::End(_) => walk.close(),
            Event::Text(words) => walk.said.push_str(&words.xml10_content()),
            Event::CData(words) => walk.said.push_str(&words.xml10_content()),
            Event::GeneralRef(reference) => walk.refer(&reference)?,
            // Each list names Apple's document type, which is not looked at.
            Event::DocType(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    if !walk.open.is_empty() {
        return Err("it ends in the middle".to_owned());
    }
    walk.root.ok_or_else(|| "it holds no value".to_owned())
}

/// An element that is not closed yet.
#[derive(Debug)]
enum Open {
    /// The outermost one.
    Plist,
    Array(Vec<Value>),
    /// With the name that waits for its value.
    Dict(Map<String, Value>, Option<String>),
    /// The name of a value, or a value without others in it.
    Leaf(String),
}

/// Where the reader stands.
#[derive(Debug, Default)]
struct Walk {
    /// Outermost first.
    open: Vec<Open>,
    /// What was said inside the innermost one so far.
    said: String,
    root: Option<Value>,
}

impl Walk {
    fn open(&mut self, name: &str) -> Result<(), String> {
        if self.open.len() >= MOST_DEPTH {
            return Err(format!("it is nested deeper than {MOST_DEPTH} elements"));
        }
        self.said.clear();
        self.open.push(match name {
            "plist" => Open::Plist,
            "array" => Open::Array(Vec::new()),
            "dict" => Open::Dict(Map::new(), None),
            leaf => Open::Leaf(leaf.to_owned()),
        });
        Ok(())
    }

    fn close(&mut self) {
        let said = std::mem::take(&mut self.said);
        let value = match self.open.pop() {
            None | Some(Open::Plist) => return,
            Some(Open::Array(list)) => Value::Array(list),
            Some(Open::Dict(object, _)) => Value::Object(object),
            Some(Open::Leaf(name)) if name == "key" => {
                if let Some(Open::Dict(_, key)) = self.open.last_mut() {
                    *key = Some(said);
                }
                return;
            }
            Some(Open::Leaf(name)) => leaf(&name, said),
        };
        match self.open.last_mut() {
            Some(Open::Array(list)) => list.push(value),
            Some(Open::Dict(object, key)) => {
                if let Some(key) = key.take() {
                    object.insert(key, value);
                }
            }
            Some(Open::Plist) | None => self.root = Some(value),
            Some(Open::Leaf(_)) => {}
        }
    }

    /// A character by its number or one of XML's five names; another entity says nothing, for none is defined.
    fn refer(&mut self, reference: &BytesRef<'_>) -> Result<(), String> {
        if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
            self.said.push(character);
        } else if let Some(characters) = resolve_xml_entity(reference) {
            self.said.push_str(characters);
        }
        Ok(())
    }
}

fn leaf(name: &str, said: String) -> Value {
    match name {
        "string" => Value::String(said),
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "integer" => integer(said.trim()),
        _ => Value::Null,
    }
}

/// Decimal; by some programs hexadecimal.
fn integer(said: &str) -> Value {
    let positive = match said.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => said.parse(),
    };
    match (positive, said.parse::<i64>()) {
        (Ok(number), _) => number.into(),
        (Err(_), Ok(number)) => number.into(),
        (Err(_), Err(_)) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_names_and_entities_are_read() {
        let list = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                    <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
                    <plist version=\"1.0\">\n<array>\n<dict><key>a&amp;b</key><string>x &lt; &#233;</string>\n\
                    <key>n</key><integer size=\"64\">42</integer><key>h</key><integer>0x2a</integer>\
                    <key>m</key><integer>-3</integer><key>t</key><true/><key>d</key><data>AAAA</data>\
                    <key>o</key><dict><key>i</key><integer>1</integer></dict></dict>\n</array>\n</plist>\n";
        let expected = serde_json::json!([
            {"a&b": "x < é", "n": 42, "h": 42, "m": -3, "t": true, "d": null, "o": {"i": 1}}
        ]);
        assert_eq!(parse(list.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for bad in ["", "words", "<plist></plist>", "<plist><dict>", "<plist><dict></array></plist>", "\u{0}"] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(parse(&[0xff, 0xfe]).is_err());
        assert!(parse("<array>".repeat(MOST_DEPTH + 1).as_bytes()).unwrap_err().contains("deeper"));
    }

    #[test]
    fn a_value_without_a_name_and_an_element_in_a_value_are_left_out() {
        let list = "<plist><dict><integer>1</integer><key>a</key><string>x<true/></string></dict></plist>";
        assert_eq!(parse(list.as_bytes()).unwrap(), serde_json::json!({"a": ""}));
    }
}
