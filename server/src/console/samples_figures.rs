//! Samples of the pages of yearly figures; looked at by the tests of [`super::samples`].

use askama::Template as _;

use super::{
    figures::{FiguresListPage, FiguresPage},
    samples::Samples,
    shell::Section,
};
use crate::domain::{
    figures::{Figures, ListName, Year, fact::Facts, figures, sample::a_year},
    paris,
    policy::Policy,
};

impl Samples<'_> {
    /// Every one of them.
    pub(super) fn figures(&self) -> Vec<(&'static str, askama::Result<String>)> {
        let (some, none) = (self.counted(&self.a_year()), self.counted(&Facts::default()));
        let page = |figures| {
            let title = self.words.with("figures-of", "2026");
            FiguresPage::new(self.shell(Section::Figures, &title), figures, paris::date(self.now))
        };
        let list = |figures, name: ListName| {
            let title = self.words.with_two("figures-list-title", &self.words.said(&name.title()), "2026");
            FiguresListPage::new(self.shell(Section::Figures, &title), figures, name, 0)
        };
        vec![
            ("figures", page(&some).render()),
            ("figures-empty", page(&none).render()),
            ("figures-reused", list(&some, ListName::Reused).render()),
            ("figures-not-reused", list(&some, ListName::NotReused).render()),
            ("figures-orders", list(&some, ListName::Orders).render()),
            ("figures-list-empty", list(&none, ListName::Stock).render()),
        ]
    }

    fn counted(&self, facts: &Facts) -> Figures {
        figures(Year::new(2026, paris::date(self.now)).unwrap(), facts, &Policy::default())
    }

    fn a_year(&self) -> Facts {
        let mut facts = a_year();
        for unit in &mut facts.units {
            unit.serial = self.some("PF2ABCDE");
            unit.model = self.some("Lenovo ThinkPad X13");
            unit.asset_tag = self.some("CD72-004512");
        }
        for lot in &mut facts.lots {
            lot.lot = self.told("Printemps 2026");
            lot.recipient = self.told("Emmaüs Connect");
        }
        facts
    }
}
