//! Letters to parents, on both engines: one for all the children who share them, none that says to one what is not theirs to
//! know.

use cartable_server::{
    domain::borrower::{Guardian, Identity},
    store::borrower,
};
use cartable_tests::{fleet::at, lent::Lent, on_both_engines, raw::Raw, stores::TestStore};

use crate::notices_delivery::{SEPTEMBER, Stage, in_days};

on_both_engines! {
    one_bad_address_does_not_keep_the_other_parent_from_reading,
    a_letter_whose_answer_never_came_is_repeated_once_under_its_id,
    a_parent_of_three_reads_one_letter,
    whose_address_was_corrected_leaves_the_familys_letter,
}

async fn one_bad_address_does_not_keep_the_other_parent_from_reading(test: &TestStore) {
    let stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    let emails = ["gone@x.example", "p2@x.example", "P2@x.example"];
    let family = lent.family(1, &emails, at(SEPTEMBER, 0, 0)).await.unwrap();
    lent.lend(1, family, in_days(7), at(SEPTEMBER, 0, 0)).await.unwrap();
    stage.mail.refuse("gone@x.example");
    assert_eq!(stage.run().await.sent, 1);
    assert_eq!(stage.recipients(), ["p2@x.example"], "once, and alone in its letter");
    assert!(!stage.mail.taken()[0].data.contains("gone@"), "one parent's address is not the other's to know");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    let shown = "SELECT count(*) FROM message WHERE state = 'sent' AND error LIKE '%550%' AND error NOT LIKE '%@%'";
    assert_eq!(raw.number(shown).await.unwrap(), 1, "the refusal is visible");
}

async fn a_letter_whose_answer_never_came_is_repeated_once_under_its_id(test: &TestStore) {
    let mut stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    // Two children of one family.
    for number in 1..=2_u8 {
        let child = lent.family(number, &["f@x.example"], at(SEPTEMBER, 0, 0)).await.unwrap();
        lent.lend(number.into(), child, in_days(7), at(SEPTEMBER, 0, 0)).await.unwrap();
    }
    stage.crash_after_sending().await;
    for minute in (5..60).step_by(5) {
        stage.set(at(0, 0, minute));
        stage.run().await;
    }
    let taken = stage.mail.taken();
    assert_eq!(taken.len(), 2, "one repeat, and then no more");
    assert_eq!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
    assert_eq!(taken[0].data, taken[1].data, "word for word");
    assert!(taken[0].text().contains("PC-0001") && taken[0].text().contains("PC-0002"), "{}", taken[0].text());
}

async fn a_parent_of_three_reads_one_letter(test: &TestStore) {
    let stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    let parents: [&[&str]; 4] = [
        &["p@x.example", "q@x.example"],
        &["Q@x.example", "p@x.example"],
        &["p@x.example", "q@x.example"],
        &["p@x.example"],
    ];
    for (number, emails) in (1_u8..).zip(parents) {
        let child = lent.family(number, emails, at(SEPTEMBER, 0, 0)).await.unwrap();
        lent.lend(number.into(), child, in_days(7), at(SEPTEMBER, 0, 0)).await.unwrap();
    }
    for minute in [0, 5, 10] {
        stage.set(at(0, 0, minute));
        stage.run().await;
    }
    // The fourth child has one parent: the other one is not told of it.
    assert_eq!(stage.recipients(), ["p@x.example", "p@x.example", "q@x.example"]);
    let taken = stage.mail.taken();
    let (joint, single): (Vec<_>, Vec<_>) = taken.iter().partition(|letter| letter.text().contains("PC-0001"));
    assert_eq!((joint.len(), single.len()), (2, 1));
    for letter in joint {
        let text = letter.text();
        assert!((1..=3).all(|number| text.contains(&format!("PC-{number:04}"))) && !text.contains("PC-0004"), "{text}");
    }
    let text = single[0].text();
    assert!(text.contains("PC-0004") && (1..=3).all(|number| !text.contains(&format!("PC-{number:04}"))), "{text}");
    let mut raw = Raw::connect(test.url()).await.unwrap();
    assert_eq!(raw.number("SELECT count(*) FROM message WHERE state = 'sent'").await.unwrap(), 2);
    assert_eq!(raw.number("SELECT count(*) FROM message").await.unwrap(), 2, "the others went into the first");
    let read = "SELECT count(*) FROM audit WHERE action = 'borrower.identity_read' AND object_kind =";
    assert_eq!(raw.number(&format!("{read} 'borrower'")).await.unwrap(), 4, "everybody who was opened");
    assert_eq!(raw.number(&format!("{read} 'site'")).await.unwrap(), 1, "and the look at who belongs together");
}

async fn whose_address_was_corrected_leaves_the_familys_letter(test: &TestStore) {
    let mut stage = Stage::new(test).await;
    let lent = Lent::new(&test.store, test.url(), &stage.vault, at(SEPTEMBER, 0, 0)).await.unwrap();
    let mut children = Vec::new();
    for number in 1..=3_u8 {
        let child = lent.family(number, &["p@x.example"], at(SEPTEMBER, 0, 0)).await.unwrap();
        lent.lend(number.into(), child, in_days(7), at(SEPTEMBER, 0, 0)).await.unwrap();
        children.push(child);
    }
    stage.crash_after_sending().await;
    let moved = Guardian { name: "Parent".into(), email: Some("new@x.example".into()), phone: None };
    let identity = Identity { name: "Inès Martin".into(), guardians: vec![moved], ..Identity::default() };
    let sealed = stage.vault.seal_identity(children[1], &identity).unwrap();
    let mut tx = test.store.write().await.unwrap();
    borrower::put_identity(&mut tx, children[1], &sealed, at(0, 0, 1)).await.unwrap();
    tx.commit().await.unwrap();
    for minute in (5..60).step_by(5) {
        stage.set(at(0, 0, minute));
        stage.run().await;
    }
    let taken = stage.mail.taken();
    assert_eq!(taken.len(), 3, "the doubtful one, its repeat, and one to the new address");
    assert_eq!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
    let named = |letter: usize, number: u8| taken[letter].text().contains(&format!("PC-{number:04}"));
    assert!((1..=3).all(|number| named(0, number)));
    assert_eq!([1, 2, 3].map(|number| named(1, number)), [true, false, true], "it is no longer theirs to know");
    assert_eq!([1, 2, 3].map(|number| named(2, number)), [false, true, false]);
    assert_eq!(taken[2].to, ["new@x.example"]);
}
