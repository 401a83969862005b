//! Samples of one order to many laptops; looked at by the tests of [`super::samples`].

use askama::Template as _;
use cartable_common::DeviceId;
use uuid::Uuid;

use super::{
    device_action_bulk::{BulkPage, Shown, Wanted},
    device_list,
    samples::Samples,
    shell::Section,
};
use crate::{
    domain::{
        device_action::{Kind, Order},
        device_action_bulk::{LeftOut, Tally},
        paris,
    },
    store::device_action_bulk::Seen,
};

impl Samples<'_> {
    pub(super) fn bulk_orders(&self) -> Vec<(&'static str, askama::Result<String>)> {
        let mut tally = Tally::default();
        tally.extend([Ok(()), Err(LeftOut::Changed), Err(LeftOut::Before)]);
        vec![
            ("orders", self.orders_to(Shown::Nothing).render()),
            ("orders-wrong", self.orders_to(Shown::Problem("orders-too-many")).render()),
            ("orders-preview", self.orders_to(Shown::Preview(self.seen())).render()),
            ("orders-given", self.orders_to(Shown::Given(tally)).render()),
        ]
    }

    /// A notice that can be given, and one device for each reason.
    fn seen(&self) -> Vec<Seen> {
        let today = paris::date(self.now);
        let notice = Order::new(Kind::ReturnNotice, Some(today), Some("Collège Les Tilleuls"), today).unwrap();
        let left = LeftOut::ALL.iter().map(|why| Err(*why));
        let all = std::iter::once(Ok(notice)).chain(left);
        (1_u128..).zip(all).map(|(number, outcome)| (DeviceId(Uuid::from_u128(number)), outcome)).collect()
    }

    fn orders_to(&self, shown: Shown) -> BulkPage {
        let kinds: Vec<Kind> = Kind::ALL.iter().copied().filter(|kind| kind.goes_to_many()).collect();
        let asked = device_list::Asked { q: self.told("tilleuls"), ..device_list::Asked::default() };
        let wanted = Wanted {
            kind: Kind::ReturnNotice.as_str().to_owned(),
            place: self.told("Collège Les Tilleuls, CDI"),
            due_by: "2027-07-02".to_owned(),
        };
        let shell = self.shell(Section::Devices, &self.words.say("orders-many"));
        BulkPage::new(shell, &asked, wanted, &kinds, shown)
    }
}
