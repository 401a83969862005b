//! Photographs of units on the bench. They are in the database, so that a backup has them and every process serves them;
//! what is stored was encoded anew by the caller, never what somebody sent.

use cartable_common::UtcMillis;
use uuid::Uuid;

use super::{StoreError, Tx, on, value::moment};

/// Most photographs of one order: each side, and what is broken.
pub const MOST_PHOTOS: i64 = 8;

/// A photograph without its picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoRow {
    /// Never given to another.
    pub id: Uuid,
    /// When.
    pub at: UtcMillis,
    /// Who.
    pub actor: String,
    /// In pixels.
    pub width: i64,
    /// In pixels.
    pub height: i64,
}

/// A picture to keep: a JPEG of our own encoding.
#[derive(Clone, Debug)]
pub struct NewPhoto {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The picture.
    pub jpeg: Vec<u8>,
}

/// Adds one. The caller holds the order, and has counted.
pub(super) async fn insert(
    tx: &mut Tx,
    (id, order): (Uuid, Uuid),
    photo: &NewPhoto,
    actor: &str,
    now: UtcMillis,
) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO work_photo (id, order_id, at, actor, width, height, jpeg) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    on!(tx, |c| {
        sqlx::query(sql)
            .bind(id)
            .bind(order)
            .bind(now.get())
            .bind(actor)
            .bind(i64::from(photo.width))
            .bind(i64::from(photo.height))
            .bind(photo.jpeg.as_slice())
            .execute(c)
            .await
            .map(drop)
    })?;
    Ok(())
}

/// Removes one; whether the order had it.
pub(super) async fn remove(tx: &mut Tx, order: Uuid, id: Uuid) -> Result<bool, StoreError> {
    let sql = "DELETE FROM work_photo WHERE id = $1 AND order_id = $2";
    let gone = on!(tx, |c| sqlx::query(sql).bind(id).bind(order).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(gone > 0)
}

#[derive(sqlx::FromRow)]
struct Raw {
    id: Uuid,
    at: i64,
    actor: String,
    width: i64,
    height: i64,
}

/// Those of an order, first to last. The caller has found the order within its scope.
pub async fn of_order(tx: &mut Tx, order: Uuid) -> Result<Vec<PhotoRow>, StoreError> {
    let sql = "SELECT id, at, actor, width, height FROM work_photo WHERE order_id = $1 ORDER BY at, id";
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).bind(order).fetch_all(c).await)?;
    raw.into_iter()
        .map(|raw| {
            let at = moment("work_photo.at", raw.at)?;
            Ok(PhotoRow { id: raw.id, at, actor: raw.actor, width: raw.width, height: raw.height })
        })
        .collect()
}

/// The picture of one, if the order has it.
pub async fn jpeg(tx: &mut Tx, order: Uuid, id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT jpeg FROM work_photo WHERE id = $1 AND order_id = $2";
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(id).bind(order).fetch_optional(c).await)?)
}
