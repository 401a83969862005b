//! The letters of a return campaign to the borrowers of a site whose devices are still expected, one page each, for
//! families who have no e-mail. Each page speaks its borrower's language where that is known to the one who asks.

use serde_json::json;
use uuid::Uuid;

use super::{
    Documents,
    data::{CampaignNamed, Device, Holder, Letter, Letters, Site},
    loans::Names,
    make::{Made, MakeError, Maker, Plan, record},
};
use crate::{
    domain::{
        borrower::Identity, campaign::CampaignState, device::full_model, document::DocumentKind, language::Language,
    },
    store::{
        Tx, borrower, campaign,
        campaign_letter::{self, LetterRow},
        document::Subject,
        site, site_referent,
    },
};

/// Which letters.
#[derive(Clone, Copy, Debug)]
pub struct LettersWanted {
    /// The campaign.
    pub campaign: Uuid,
    /// The site.
    pub site: Uuid,
    /// Which of the site's parts, from 1: [`campaign_letter::parts`] says how many there are.
    pub part: u32,
    /// Whether names stand on them.
    pub names: Names,
    /// The language of those whose own is not known.
    pub language: Language,
}

impl Documents {
    /// The letters to those of a site whose devices a running campaign still expects, by place.
    pub async fn campaign_letters(&self, by: Maker<'_>, wanted: LettersWanted) -> Result<Made, MakeError> {
        let mut tx = by.store.write().await?;
        let campaign = campaign::find(&mut tx, wanted.campaign).await?.ok_or(MakeError::NotFound)?;
        let found = site::find(&mut tx, by.scope, wanted.site).await?.ok_or(MakeError::NotFound)?;
        if campaign.state != CampaignState::Running {
            return Err(MakeError::NotInState);
        }
        let place = (campaign.id, wanted.site, wanted.part);
        let rows = campaign_letter::of_site(&mut tx, by.scope, place).await?;
        if rows.is_empty() {
            return Err(MakeError::Nothing);
        }
        let identities = identities(&mut tx, by, wanted, &rows).await?;
        let referents = site_referent::list(&mut tx, by.scope, Some(wanted.site)).await?;
        let letters = rows.into_iter().zip(identities);
        let rest = Letters {
            site: Site { name: found.name, uai: found.uai, commune: found.commune },
            campaign: CampaignNamed {
                name: campaign.name,
                first: campaign.first.to_string(),
                last: campaign.last.to_string(),
            },
            referents: referents.into_iter().map(|referent| referent.name).collect(),
            letters: letters.map(|(row, identity)| letter(row, identity, wanted.language)).collect(),
        };
        let plan = Plan {
            kind: DocumentKind::CampaignLetter,
            subject: Subject::Campaign { campaign: campaign.id, site: wanted.site },
            language: wanted.language,
            owner: None,
            agreement: None,
        };
        self.finish(by, tx, plan, |_| rest).await
    }
}

/// Who they are, in the order of `rows`: opened with one query and written down in one row of the audit; nobody, where
/// names are not asked for or not for this person to see.
async fn identities(
    tx: &mut Tx,
    by: Maker<'_>,
    wanted: LettersWanted,
    rows: &[LetterRow],
) -> Result<Vec<Option<Identity>>, MakeError> {
    if wanted.names == Names::Hidden || !by.identities {
        return Ok(rows.iter().map(|_| None).collect());
    }
    let sealed = borrower::sealed_identities_of(tx, by.scope, rows.iter().map(|row| row.borrower)).await?;
    let open = |row: &LetterRow| {
        sealed.get(&row.borrower).map(|sealed| by.vault.open_identity(row.borrower, sealed)).transpose()
    };
    let identities = rows.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let opened = rows.iter().zip(&identities).filter(|(_, identity)| identity.is_some());
    let mut shown: Vec<&str> = opened.map(|(row, _)| row.reference.as_str()).collect();
    shown.sort_unstable();
    shown.dedup();
    if !shown.is_empty() {
        let details = json!({ "site": wanted.site, "opened": shown.len(), "shown": shown });
        record(tx, by, "borrower.list_names", ("campaign", &wanted.campaign.to_string()), details).await?;
    }
    Ok(identities)
}

fn letter(row: LetterRow, identity: Option<Identity>, otherwise: Language) -> Letter {
    let language = identity.as_ref().and_then(|identity| identity.language).map_or(otherwise, Language::from);
    let (name, class) = identity.map(|identity| (Some(identity.name), identity.class)).unwrap_or_default();
    Letter {
        language: language.as_str(),
        borrower: Holder {
            reference: row.reference,
            kind: row.borrower_kind.as_str(),
            name: name.or(row.institution_name),
            class,
        },
        device: Device {
            asset_tag: row.asset_tag,
            serial: row.serial,
            model: full_model(row.manufacturer.as_deref(), row.model.as_deref()),
        },
        accessories: row.accessories,
        day: row.slot.day.to_string(),
        desk: row.slot.desk,
        slot: row.slot.slot,
    }
}
