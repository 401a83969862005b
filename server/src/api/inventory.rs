//! Another agent's inventory of a machine that ours cannot run on, brought as a file.

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequest as _, Request, State},
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::Problem;
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        language::Language,
        reading::{MOST_BYTES, Reading},
    },
    exchange::inventory::{ReadFailed, read_in_turn},
    store::brought_report::{self, Bringing, BroughtError, By, Taken},
};

/// Largest body in bytes: the file as it is.
pub(super) const LARGEST_FILE: usize = MOST_BYTES;

/// What became of an inventory.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InventoryBody {
    /// The device that it is of.
    device: Uuid,
    /// Whether this very file was imported before; then nothing changed.
    imported_before: bool,
}

impl From<BroughtError> for Problem {
    fn from(error: BroughtError) -> Self {
        match error {
            BroughtError::Refused(refused) => Self::unprocessable(format!("Refused: {refused}.")),
            BroughtError::Store(error) => error.into(),
        }
    }
}

impl From<ReadFailed> for Problem {
    fn from(error: ReadFailed) -> Self {
        tracing::error!(%error, "an inventory could not be read");
        Self::internal()
    }
}

/// Import an inventory of FusionInventory or GLPI Agent, as the body
///
/// It becomes the report of the device with its serial number and maker: docs/other-agents.md. Roles: administrator, programme
/// manager, technician and refurbisher, within their sites.
#[utoipa::path(post, path = "/v1/inventories", tag = "devices",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 200, body = InventoryBody), (status = 400, response = Problem), (status = 401, response = Problem),
    (status = 403, response = Problem), (status = 413, response = Problem), (status = 422, response = Problem)))]
pub async fn bring(
    State(app): State<App>,
    bearer: BearerToken,
    request: Request,
) -> Result<Json<InventoryBody>, Problem> {
    let person = &bearer.person;
    Problem::check(person.can(Action::AddDevice, Object::OwnScope), "")?;
    // Read only now: nobody else may make the server hold 8 MiB.
    let file = Bytes::from_request(request, &()).await;
    let file = file.map_err(|_| Problem::too_large("The file is larger than 8 MiB: no inventory is."))?;
    let inventory = match read_in_turn(file.clone()).await? {
        Ok(Reading::Agent(inventory)) => inventory,
        Ok(Reading::Drive { .. } | Reading::Batteries(_) | Reading::Device(_) | Reading::Inventory(_)) => {
            return Err(Problem::unprocessable("Refused: this is no inventory of FusionInventory or GLPI Agent."));
        }
        Err(why) => {
            return Err(Problem::unprocessable(format!("Refused: {}.", why.said().in_language(Language::English))));
        }
    };
    let by = By { login: person.login.as_str(), api_token: Some(bearer.token) };
    let bringing = Bringing { file: &file, inventory: &inventory, by, policy: &app.policy, now: bearer.now };
    let mut tx = app.store.write().await?;
    let taken = brought_report::take_in(&mut tx, &person.scope, bringing).await?;
    tx.commit().await?;
    let (device, imported_before) = match taken {
        Taken::Stored(device) => (device, false),
        Taken::Already(device) => (device, true),
    };
    Ok(Json(InventoryBody { device: device.0, imported_before }))
}
