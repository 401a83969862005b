//! What strangers write stops nothing: every reader takes the corpus that fuzzing left, and small changes of it.
//!
//! The real thing, `tests/run --fuzz`, builds the server once more for libFuzzer, which takes too long for every run. This
//! runs the same functions (`cartable_tests::foreign_text`) without its sense of direction.

use std::{collections::BTreeSet, path::PathBuf};

use cartable_tests::{
    foreign_text::{TARGETS, Target},
    harness::binaries::workspace,
};
use proptest::{
    prelude::*,
    sample::{Index, select},
};

/// What stands at the edge of what readers expect.
const WORDS: &[&str] = &[
    "-1",
    "0x",
    "1e999",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "null",
    "{}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "\"",
    "\\ud800",
    "\0",
    "\u{202e}",
    "\u{feff}",
    "é",
    "\r\n",
    ";",
    "=",
    "&#0;",
    "&#x10FFFF;",
    "&lol;",
    "<![CDATA[",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "9999-12-31",
    "99999999",
];

/// A small change of a text.
#[derive(Clone, Debug)]
enum Change {
    /// Another byte at a place.
    Byte(Index, u8),
    /// So many bytes less.
    Cut(Index, usize),
    /// So many bytes again, so often.
    Again(Index, usize, usize),
    /// A word put in.
    Word(Index, &'static str),
    /// So many bytes of another text of the kind.
    Foreign(Index, Index, Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(place, byte)| Change::Byte(place, byte)),
        (at(), 1..64_usize).prop_map(|(place, bytes)| Change::Cut(place, bytes)),
        (at(), 1..64_usize, 1..100_usize).prop_map(|(place, bytes, times)| Change::Again(place, bytes, times)),
        (at(), select(WORDS)).prop_map(|(place, word)| Change::Word(place, word)),
        (at(), at(), at(), 1..400_usize)
            .prop_map(|(place, text, from, bytes)| Change::Foreign(place, text, from, bytes)),
    ]
}

fn changed(mut text: Vec<u8>, changes: &[Change], corpus: &[Vec<u8>]) -> Vec<u8> {
    let piece = |text: &[u8], from: usize, bytes: usize| text[from..text.len().min(from + bytes)].to_vec();
    for change in changes {
        let place = |place: &Index| place.index(text.len() + 1);
        let (place, less, more) = match change {
            Change::Byte(at, byte) => (place(at), 1, vec![*byte]),
            Change::Cut(at, bytes) => (place(at), *bytes, Vec::new()),
            Change::Again(at, bytes, times) => (place(at), 0, piece(&text, place(at), *bytes).repeat(*times)),
            Change::Word(at, word) => (place(at), 0, word.as_bytes().to_vec()),
            Change::Foreign(at, other, from, bytes) => {
                let other = &corpus[other.index(corpus.len())];
                (place(at), 0, piece(other, from.index(other.len() + 1), *bytes))
            }
        };
        text.splice(place..text.len().min(place + less), more);
    }
    text
}

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = workspace().join("tests/fuzz/corpus").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{target} has no corpus");
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

#[test]
fn each_reader_has_its_program() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let manifest = std::fs::read_to_string(workspace().join("tests/fuzz/Cargo.toml")).unwrap();
    let built: BTreeSet<String> =
        known.iter().filter(|name| manifest.contains(&format!("\"fuzz_targets/{name}.rs\""))).cloned().collect();
    assert_eq!(built, known, "left: built by tests/fuzz/Cargo.toml");
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(workspace().join("tests/fuzz").join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned()).collect()
    };
    assert_eq!(names("fuzz_targets"), known);
    assert_eq!(names("corpus"), known);
    for name in &known {
        let program = std::fs::read_to_string(workspace().join(format!("tests/fuzz/fuzz_targets/{name}.rs"))).unwrap();
        assert!(program.contains(&format!("foreign_text::{name}(bytes)")), "{name} feeds another reader");
    }
}

#[test]
fn the_kept_corpus_is_read_or_refused() {
    for (name, read) in TARGETS {
        for text in corpus(name) {
            read(&text);
        }
    }
}

#[test]
fn small_changes_of_it_are_read_or_refused() {
    for target in TARGETS {
        changes_are_read_or_refused(target);
    }
}

fn changes_are_read_or_refused((name, read): Target) {
    let corpus = corpus(name);
    let cases = (any::<Index>(), prop::collection::vec(change(), 1..6));
    // What fails becomes a file of the corpus, by hand.
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let outcome = proptest::test_runner::TestRunner::new(config).run(&cases, |(text, changes)| {
        read(&changed(corpus[text.index(corpus.len())].clone(), &changes, &corpus));
        Ok(())
    });
    assert!(outcome.is_ok(), "{name}: {}", outcome.unwrap_err());
}
