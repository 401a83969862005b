//! Sheets of labels: a QR code for cameras, a bar code for scanners, and the tag for people.

use super::{
    Documents, Made, MakeError, Maker,
    data::{Label, Labels, Letterhead, Measures, millimetres},
    make::Plan,
    symbol,
};
use crate::{
    domain::{
        document::DocumentKind,
        label::{MAX_LABELS, SheetFormat},
        language::Language,
    },
    store::{document::Subject, label::Labelled},
};

/// Which labels on which sheets.
#[derive(Clone, Debug)]
pub struct LabelsWanted {
    /// The devices, in their order.
    pub devices: Vec<Labelled>,
    /// The sheets.
    pub format: SheetFormat,
    /// The first free place of the first sheet, from 1.
    pub start: u32,
    /// The site whose devices they are, where it is one.
    pub site: Option<uuid::Uuid>,
    /// The language of the few words on them.
    pub language: Language,
}

impl Documents {
    /// Labels for devices that the person was found to see.
    pub async fn labels(&self, by: Maker<'_>, wanted: LabelsWanted) -> Result<Made, MakeError> {
        if wanted.devices.is_empty() {
            return Err(MakeError::Nothing);
        }
        if wanted.devices.len() > MAX_LABELS {
            return Err(MakeError::TooMany(MAX_LABELS));
        }
        let tx = by.store.write().await?;
        let plan = Plan {
            kind: DocumentKind::Labels,
            subject: Subject::Site(wanted.site),
            language: wanted.language,
            owner: None,
            agreement: None,
        };
        self.finish(by, tx, plan, |_| sheets(&wanted, self.letterhead())).await
    }
}

fn sheets(wanted: &LabelsWanted, letterhead: &Letterhead) -> Labels {
    let sheet = wanted.format.sheet();
    let mut pages: Vec<Vec<Label>> = Vec::new();
    for (index, device) in (0..).zip(&wanted.devices) {
        let place = sheet.place(index, wanted.start);
        let page = usize::try_from(place.page).unwrap_or_default();
        if pages.len() <= page {
            pages.resize_with(page + 1, Vec::new);
        }
        let at = (millimetres(place.x), millimetres(place.y));
        if let Some(labels) = pages.get_mut(page) {
            labels.push(label(device, wanted.format, letterhead, at));
        }
    }
    Labels { sheet: Measures::new(wanted.format, &sheet), pages }
}

fn label(device: &Labelled, format: SheetFormat, letterhead: &Letterhead, (x, y): (f64, f64)) -> Label {
    let name = device.asset_tag.clone().or_else(|| device.serial_number.clone());
    let name = name.unwrap_or_else(|| device.device.to_string());
    // The smallest labels have no room for an address: the desk's scanner knows the tag as well.
    let link = letterhead.address(&format!("devices/{}", device.device)).filter(|_| format.has_bar_code());
    Label {
        x,
        y,
        serial: device.serial_number.clone(),
        model: device.model.clone(),
        qr: symbol::qr(link.as_deref().unwrap_or(&name), true),
        bar_code: symbol::bar_code(&name),
        name,
    }
}
