//! No page of the console breaks a rule of WCAG 2.1 AA that axe-core can see, light or dark, wide or narrow.

use cartable_tests::{
    axe::Axe,
    browser::{Driver, Scheme, Screen},
    walk::Walk,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_page_breaks_a_rule_of_accessibility() {
    let axe = Axe::load().unwrap();
    let walk = Walk::begin().await.unwrap();
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    let mut wrong = vec![];
    let mut pages = vec![("sign-in", "/sign-in".to_owned())];
    pages.extend(walk.pages.iter().cloned());
    for (name, path) in pages {
        if name == "overview" {
            walk.sign_in(&browser).await.unwrap();
        }
        for (screen, scheme) in [(Screen::Desk, Scheme::Light), (Screen::Hand, Scheme::Dark)] {
            browser.set_screen(screen).await.unwrap();
            browser.set_scheme(scheme).await.unwrap();
            browser.goto(&walk.url(&path)).await.unwrap();
            let found = axe.violations(&browser).await.unwrap();
            wrong.extend(found.into_iter().map(|line| format!("{path} ({screen:?}, {scheme:?}): {line}")));
        }
    }
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_breaks_rules_is_found() {
    let axe = Axe::load().unwrap();
    let driver = Driver::start().unwrap();
    let browser = driver.open("fr").await.unwrap();
    // Seven ordinary elements, so that some rules pass, and an image and a field that nobody can know.
    let page = "<!DOCTYPE html><html lang=fr><title>t</title><main><h1>A</h1><ul><li>b</ul><a href=x>c</a>\
                <button>d</button><img src=x><input></main></html>";
    browser.goto(&format!("data:text/html,{}", page.replace(' ', "%20"))).await.unwrap();
    let found = axe.violations(&browser).await.unwrap().join("\n");
    assert!(found.contains("image-alt") && found.contains("label"), "{found}");
}
