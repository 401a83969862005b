//! Which sites a person's view covers. Every query that reads devices takes one.

use uuid::Uuid;

/// The sites a query may see. There is no default: each caller states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole programme, including devices without a site.
    Everything,
    /// Only devices of these sites.
    Sites(Vec<Uuid>),
}

impl Scope {
    /// Whether something that belongs to `site` (`None`: to no site yet) may be seen.
    pub fn covers(&self, site: Option<Uuid>) -> bool {
        match self {
            Self::Everything => true,
            Self::Sites(sites) => site.is_some_and(|site| sites.contains(&site)),
        }
    }
}
