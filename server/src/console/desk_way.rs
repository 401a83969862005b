//! The way from the hand-over desk to the form of a new borrower, and back with the borrower's reference. The addresses
//! on it hold what was scanned and the reference that was drawn, never who anybody is.

use serde::Deserialize;

use super::device_list::address;
use crate::domain::borrower::Reference;

/// What the field that says where somebody comes from holds on the way from the desk.
const HAND_OVER: &str = "hand-over";

/// A hand-over that waits until its borrower is recorded; nothing where somebody comes from elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct DeskWay {
    /// Where it leads back to.
    desk: String,
    /// The device that was scanned.
    pub(super) code: String,
    /// The programme that was chosen.
    pub(super) programme: String,
}

impl DeskWay {
    /// The way from a hand-over with this device and programme.
    pub(super) fn from_hand_over(code: &str, programme: &str) -> Self {
        Self { desk: HAND_OVER.to_owned(), code: code.trim().to_owned(), programme: programme.to_owned() }
    }

    /// What the fields of the form carry along; nothing for somebody who does not come from the desk.
    pub(super) fn fields(&self) -> Vec<(&'static str, &str)> {
        if !self.leads_back() {
            return Vec::new();
        }
        vec![("desk", HAND_OVER), ("code", &self.code), ("programme", &self.programme)]
    }

    /// Whether a hand-over waits.
    pub(super) fn leads_back(&self) -> bool {
        self.desk == HAND_OVER
    }

    /// The form of a new borrower.
    pub(super) fn to_new_borrower(&self) -> String {
        address("/borrowers/new", &self.fields())
    }

    /// The hand-over as it was left.
    pub(super) fn back(&self) -> String {
        address("/hand-over", &[("code", &self.code), ("programme", &self.programme)])
    }

    /// The hand-over with the borrower that was recorded.
    pub(super) fn back_with(&self, borrower: &Reference) -> String {
        let reference = borrower.to_string();
        let parts =
            [("code", &*self.code), ("borrower", &*reference), ("programme", &*self.programme), ("done", "saved")];
        address("/hand-over", &parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leads_back_to_the_desk_and_nowhere_else() {
        let way = DeskWay::from_hand_over(" CD-1&x=//evil ", "p");
        assert_eq!(way.to_new_borrower(), "/borrowers/new?desk=hand%2Dover&code=CD%2D1%26x%3D%2F%2Fevil&programme=p&");
        let reference: Reference = "B-7K3M-Q2ZD".parse().unwrap();
        let back = "/hand-over?code=CD%2D1%26x%3D%2F%2Fevil&borrower=B%2D7K3M%2DQ2ZD&programme=p&done=saved&";
        assert_eq!(way.back_with(&reference), back);
        let elsewhere = DeskWay { desk: "https://evil.example".to_owned(), ..way };
        assert!(!elsewhere.leads_back() && elsewhere.fields().is_empty());
    }
}
