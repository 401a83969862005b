//! FusionInventory's XML into sections: a pull parser that opens nothing, expands no entity of a document and follows no
//! reference. A document type definition, which no inventory has, is refused.

use quick_xml::{
    Reader,
    escape::resolve_xml_entity,
    events::{BytesRef, Event},
};

use super::{MOST_CHARS, Sections};

/// Depth of the deepest element that is known: `REQUEST/CONTENT/OPERATINGSYSTEM/TIMEZONE/OFFSET` is 5.
const MOST_DEPTH: usize = 16;

/// The sections of `text`, or what is wrong with it; nothing if it is no inventory.
pub(super) fn sections(text: &str) -> Option<Result<Sections, String>> {
    is_request(text)?.then(|| Walk::default().all(text)?.inventory())
}

/// What the message `text` is, as it says itself; nothing if it is no message of an agent.
pub(super) fn query(text: &str) -> Option<String> {
    is_request(text)?.then(|| Walk::default().all(text))?.ok().map(|walk| walk.query)
}

/// Whether the outermost element is that of a message; nothing if there is none.
fn is_request(text: &str) -> Option<bool> {
    // What is no inventory is left to other readers, with whatever is wrong with it.
    let mut reader = Reader::from_str(text);
    let root = loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => break tag.name().into_inner().to_ascii_uppercase(),
            Event::Decl(_) | Event::Comment(_) | Event::Text(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::End(_) | Event::Empty(_) | Event::CData(_) | Event::GeneralRef(_) | Event::Eof => return None,
        }
    };
    Some(root == "REQUEST")
}

/// Where the reader stands, and what it has met.
#[derive(Debug, Default)]
struct Walk {
    /// The open elements, outermost first.
    path: Vec<String>,
    /// What was said inside the innermost one so far.
    said: String,
    /// What kind of message it is.
    query: String,
    found: Sections,
}

impl Walk {
    fn all(mut self, text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(tag) => self.open(tag.name().into_inner())?,
                Event::Empty(tag) => {
                    self.open(tag.name().into_inner())?;
                    self.close();
                }
                Event::End(_) => self.close(),
                Event::Text(words) => self.add(&words.xml10_content()),
                Event::CData(words) => self.add(&words.xml10_content()),
                Event::GeneralRef(reference) => self.refer(&reference)?,
                Event::DocType(_) => return Err("it has a document type definition, which is not read".to_owned()),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                Event::Eof => break,
            }
        }
        if !self.path.is_empty() {
            return Err("it ends in the middle".to_owned());
        }
        Ok(self)
    }

    fn inventory(self) -> Result<Sections, String> {
        if !self.query.eq_ignore_ascii_case("INVENTORY") {
            return Err("it is another message of the agent, not an inventory".to_owned());
        }
        Ok(self.found)
    }

    fn open(&mut self, name: &str) -> Result<(), String> {
        if self.path.len() >= MOST_DEPTH {
            return Err(format!("it is nested deeper than {MOST_DEPTH} elements"));
        }
        self.path.push(name.to_ascii_uppercase());
        self.said.clear();
        if let [_, content, section] = self.path.as_slice()
            && content == "CONTENT"
        {
            self.found.begin(section);
        }
        Ok(())
    }

    fn close(&mut self) {
        let said = std::mem::take(&mut self.said);
        match self.path.as_slice() {
            [_, query] if query == "QUERY" => said.trim().clone_into(&mut self.query),
            [_, content, client] if content == "CONTENT" && client == "VERSIONCLIENT" => {
                said.trim().clone_into(&mut self.found.client);
            }
            [_, content, section, field] if content == "CONTENT" => self.found.say(section, field, &said),
            [_, content, section, field, inner] if content == "CONTENT" => {
                self.found.say(section, &format!("{field}/{inner}"), &said);
            }
            _ => {}
        }
        self.path.pop();
    }

    /// Adds words of the innermost element; more than any field is looked at are not even kept here.
    fn add(&mut self, words: &str) {
        // A character takes four bytes at most, so that MOST_CHARS of them always fit.
        if self.said.len() < MOST_CHARS * 4 {
            self.said.extend(words.chars().take(MOST_CHARS));
        }
    }

    /// A character by its number or one of XML's five names; another entity says nothing, for none is defined.
    fn refer(&mut self, reference: &BytesRef<'_>) -> Result<(), String> {
        if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
            self.add(character.encode_utf8(&mut [0; 4]));
        } else if let Some(character) = resolve_xml_entity(reference) {
            self.add(character);
        }
        Ok(())
    }
}
