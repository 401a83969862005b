//! Photographs of the bench, on both engines: what stands beside the picture is lost, and what is no picture is refused.

use std::{io::Write as _, sync::LazyLock};

use cartable_server::{auth::Role, domain::scope::Scope};
use cartable_tests::{on_both_engines, pages::File, stores::TestStore};

use crate::workshop::{Workshop, number, photograph};

on_both_engines! {
    photographs_lose_what_stands_beside_them,
}

/// A PNG of some kilobytes that unpacks to 216 million bytes: every row is there.
fn bomb() -> &'static [u8] {
    static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 12_000, 6_000);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_filter(png::Filter::NoFilter);
        let mut writer = encoder.write_header().unwrap();
        let mut rows = writer.stream_writer().unwrap();
        let row = vec![0; 12_000 * 3];
        for _ in 0..6_000 {
            rows.write_all(&row).unwrap();
        }
        rows.finish().unwrap();
        drop(writer);
        bytes
    });
    &BOMB
}

async fn photographs_lose_what_stands_beside_them(test: &TestStore) {
    let workshop = Workshop::new(test, 1).await;
    let order = workshop.scan("CD-0001").await;
    let photos = format!("{order}/photos");
    let sent = photograph();
    assert!(sent.windows(12).any(|part| part == b"SECRET-PLACE"));
    let send = async |content: &[u8]| {
        let file = File { name: "IMG_20261129_Lyon.png", content };
        let answer = workshop.refurbisher.upload(&photos, &[], Some(file)).await.unwrap();
        answer.header("location").split("done=").nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(send(b"<svg onload=alert(1)>").await, "bench-no-picture");
    assert!(bomb().len() < 2_000_000, "{}", bomb().len());
    assert_eq!(send(bomb()).await, "bench-no-picture");
    assert_eq!(number(test, "SELECT count(*) FROM work_photo").await, 0);
    assert_eq!(send(&sent).await, "saved");
    let page = workshop.refurbisher.get(&order).await.unwrap().body;
    assert!(!page.contains("IMG_2026"), "nor is its name kept");
    let src = page.split("<img src=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let kept = workshop.refurbisher.get(&src).await.unwrap();
    assert_eq!((kept.header("content-type"), kept.header("x-content-type-options")), ("image/jpeg", "nosniff"));
    assert!(kept.bytes.starts_with(&[0xff, 0xd8]) && !kept.bytes.windows(12).any(|part| part == b"SECRET-PLACE"));
    assert_eq!(number(test, "SELECT width FROM work_photo").await, 1280);
    let referent = workshop.cartable.desk("rosa", Role::Referent, Scope::Everything).await.unwrap();
    assert_eq!(referent.get(&src).await.unwrap().status, 403);
    for _ in 1..8 {
        assert_eq!(send(&sent).await, "saved");
    }
    assert_eq!(send(&sent).await, "bench-too-many-photos");
    let removed = workshop.refurbisher.post(&format!("{src}/remove"), "").await.unwrap();
    assert_eq!(removed.header("location"), format!("{order}?done=saved"));
    assert_eq!(workshop.refurbisher.get(&src).await.unwrap().status, 404);
    assert_eq!(number(test, "SELECT count(*) FROM audit WHERE action = 'work_order.remove_photo'").await, 1);
}
