//! What a family reads of those who run the agent: the server's word above that of the installation, told once.

use cartable_common::{Text, protocol::Disclosure};

use crate::support::{Gateway, Laptop, write};

/// What the page on the laptop says.
fn shown(laptop: &Laptop) -> String {
    let nobody = laptop.path("public").to_string_lossy().into_owned();
    laptop.agent(&["show", "--lang", "en", "--public", &nobody]).words
}

fn contact(laptop: &Laptop) {
    let done = laptop.agent(&["once"]);
    assert_eq!(done.code, 0, "{}", done.words);
}

#[test]
fn the_servers_word_stands_above_the_installations_and_is_told_once() {
    let (gateway, laptop) = (Gateway::start(), Laptop::new());
    let roots = laptop.path("roots.pem");
    write(&roots, &gateway.authority.pem);
    let (url, roots) = (gateway.url(), roots.to_string_lossy().into_owned());
    let enrol = ["enrol", "--server", &url, "--token", "a-secret-token", "--roots", &roots];
    let said = ["--organisation", "Mairie de Valmarin", "--contact", "accueil@college.example"];
    let done = laptop.agent(&[enrol.as_slice(), &said].concat());
    assert_eq!(done.code, 0, "{}", done.words);
    contact(&laptop);
    assert!(shown(&laptop).contains("Mairie de Valmarin"), "{}", shown(&laptop));

    let organisation = Text::meaningful("Département de Valmarin");
    let disclosure = Disclosure { organisation, mark: Some(7), ..Disclosure::default() };
    gateway.seen.lock().unwrap().disclosure = Some(disclosure);
    contact(&laptop);
    let page = shown(&laptop);
    assert!(page.contains("Département de Valmarin") && !page.contains("Mairie"), "{page}");
    assert!(page.contains("accueil@college.example"), "what the server leaves open stays: {page}");
    contact(&laptop);
    {
        let seen = gateway.seen.lock().unwrap();
        assert_eq!(seen.check_ins.last().unwrap().disclosure_mark, Some(7));
        assert_eq!(seen.told, 1, "it holds already");
    }

    // Nobody is named any more: taken back, once.
    gateway.seen.lock().unwrap().disclosure = Some(Disclosure::default());
    contact(&laptop);
    contact(&laptop);
    assert!(shown(&laptop).contains("Mairie de Valmarin"));
    assert_eq!(gateway.seen.lock().unwrap().told, 2);
}
