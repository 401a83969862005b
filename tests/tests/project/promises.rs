//! What the project's texts must not promise, for each contact of an agent tells the server otherwise: at which hours a
//! laptop is on. Families read some of these texts, and a loan is signed below one.

use cartable_tests::workspace::files;

/// Words that promised it once, taken apart, so that this file passes its own test.
const PROMISES: [[&str; 2]; 4] =
    [["heures d’uti", "lisation"], ["hours o", "f use"], ["ni us", "age"], ["no us", "age"]];

/// Texts in which it is said instead, and how.
const SAID: [(&str, &str); 5] = [
    ("server/locales/fr/shell.ftl", "Le serveur voit tout de même quand"),
    ("server/locales/en/shell.ftl", "The server does see when"),
    ("docs/guide.fr.md", "Le serveur voit tout de même quand"),
    ("docs/guide.en.md", "The server does see when"),
    ("server/documents/agreement.typ", "Le serveur voit quand l’appareil transmet"),
];

#[test]
fn no_text_promises_that_the_server_does_not_learn_when_a_laptop_is_on() {
    let files = files().unwrap();
    for file in &files {
        let text = file.text.as_deref().unwrap_or_default().replace('\'', "’");
        for promise in PROMISES {
            assert!(!text.contains(&promise.concat()), "{}: \"{}\"", file.path, promise.concat());
        }
    }
    for (path, words) in SAID {
        let file = files.iter().find(|file| file.path == path).unwrap();
        assert!(file.text.as_deref().unwrap_or_default().contains(words), "{path} does not say it");
    }
}
