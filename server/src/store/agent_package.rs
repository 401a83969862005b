//! Packages of the agent as they were built, and how far each release is offered.

use cartable_common::{AgentVersion, UtcMillis, update::Release};
use sqlx::FromRow;
use uuid::Uuid;

use super::{
    StoreError, Tx, on,
    value::{moment, parsed},
};
use crate::domain::update::{PackageKind, Stage, repository::Listed};

/// A package, but what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// SHA-256 of all of it.
    pub sha256: [u8; 32],
    /// What installs it.
    pub kind: PackageKind,
    /// The release that it is of.
    pub release: AgentVersion,
    /// As it writes its version itself.
    pub version: String,
    /// What it runs on.
    pub architecture: String,
    /// The least version that is updated to it at once.
    pub from: AgentVersion,
    /// A Debian package's control; empty for others.
    pub control: String,
    /// Its size.
    pub bytes: u32,
}

/// How a release stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRow {
    /// The release.
    pub release: AgentVersion,
    /// The share of devices to which it is offered.
    pub percent: u8,
    /// Since when it is halted.
    pub halted_at: Option<UtcMillis>,
    /// The codes of the sites that get it whatever the share.
    pub sites: Vec<String>,
}

#[derive(FromRow)]
struct Raw {
    sha256: Vec<u8>,
    kind: String,
    release: String,
    version: String,
    architecture: String,
    from_version: String,
    control: String,
    bytes: i64,
}

impl TryFrom<Raw> for Package {
    type Error = StoreError;

    fn try_from(raw: Raw) -> Result<Self, StoreError> {
        let corrupt = |what, why: &str| StoreError::Corrupt { what, why: why.to_owned() };
        Ok(Self {
            sha256: raw.sha256.try_into().map_err(|_| corrupt("agent_package.sha256", "not 32 bytes"))?,
            kind: parsed("agent_package.kind", &raw.kind)?,
            release: parsed("agent_package.release", &raw.release)?,
            version: raw.version,
            architecture: raw.architecture,
            from: parsed("agent_package.from_version", &raw.from_version)?,
            control: raw.control,
            bytes: u32::try_from(raw.bytes).map_err(|_| corrupt("agent_package.bytes", "out of range"))?,
        })
    }
}

/// Keeps a package, offered to nobody yet. `false` where one of this kind, architecture and version is here already: the
/// caller compares its hash.
pub async fn add(tx: &mut Tx, package: &Package, content: &[u8], now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "INSERT INTO agent_release (release, percent, changed_at) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING";
    let release = package.release.to_string();
    on!(tx, |c| sqlx::query(sql).bind(release.clone()).bind(now.get()).execute(c).await.map(drop))?;
    let sql = "INSERT INTO agent_package (sha256, kind, release, version, architecture, from_version, control, bytes, \
               content, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
    let inserted = on!(tx, |c| {
        sqlx::query(sql)
            .bind(package.sha256.to_vec())
            .bind(package.kind.as_str())
            .bind(release.clone())
            .bind(package.version.clone())
            .bind(package.architecture.clone())
            .bind(package.from.to_string())
            .bind(package.control.clone())
            .bind(i64::from(package.bytes))
            .bind(content.to_vec())
            .bind(now.get())
            .execute(c)
            .await
            .map(|done| done.rows_affected())
    })?;
    Ok(inserted > 0)
}

/// Whether a package with this hash is here.
pub async fn is_here(tx: &mut Tx, sha256: &[u8; 32]) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM agent_package WHERE sha256 = $1";
    let count: i64 = on!(tx, |c| sqlx::query_scalar(sql).bind(sha256.to_vec()).fetch_one(c).await)?;
    Ok(count > 0)
}

/// The packages of releases that are not halted, in one order.
pub async fn current(tx: &mut Tx) -> Result<Vec<Package>, StoreError> {
    let sql = "SELECT p.sha256, p.kind, p.release, p.version, p.architecture, p.from_version, p.control, p.bytes \
               FROM agent_package p JOIN agent_release r ON r.release = p.release WHERE r.halted_at IS NULL \
               ORDER BY p.kind, p.architecture, p.version";
    let raw: Vec<Raw> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    raw.into_iter().map(TryInto::try_into).collect()
}

/// What is published of packages: those of apt, the releases for Windows.
pub fn to_publish(packages: Vec<Package>) -> (Vec<Listed>, Vec<Release>) {
    let (debs, others): (Vec<_>, Vec<_>) = packages.into_iter().partition(|one| one.kind == PackageKind::Deb);
    let listed = debs.into_iter().map(|one| Listed {
        control: one.control,
        version: one.version,
        architecture: one.architecture,
        bytes: one.bytes,
        sha256: one.sha256,
    });
    let releases = others.into_iter().map(|one| Release {
        version: one.release,
        bytes: one.bytes,
        sha256: one.sha256,
        from: one.from,
    });
    (listed.collect(), releases.collect())
}

/// A Debian package that is not halted, whole.
pub async fn deb(tx: &mut Tx, version: &str, architecture: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT p.content FROM agent_package p JOIN agent_release r ON r.release = p.release \
               WHERE p.kind = 'deb' AND p.architecture = $1 AND p.version = $2 AND r.halted_at IS NULL";
    let (architecture, version) = (architecture.to_owned(), version.to_owned());
    Ok(on!(tx, |c| sqlx::query_scalar(sql).bind(architecture.clone()).bind(version.clone()).fetch_optional(c).await)?)
}

/// SHA-256 of a Debian package that is not halted.
pub async fn deb_hash(tx: &mut Tx, version: &str, architecture: &str) -> Result<Option<[u8; 32]>, StoreError> {
    let sql = "SELECT p.sha256 FROM agent_package p JOIN agent_release r ON r.release = p.release \
               WHERE p.kind = 'deb' AND p.architecture = $1 AND p.version = $2 AND r.halted_at IS NULL";
    let (architecture, version) = (architecture.to_owned(), version.to_owned());
    let found: Option<Vec<u8>> =
        on!(tx, |c| sqlx::query_scalar(sql).bind(architecture.clone()).bind(version.clone()).fetch_optional(c).await)?;
    let corrupt = |_| StoreError::Corrupt { what: "agent_package.sha256", why: "not 32 bytes".to_owned() };
    found.map(|hash| hash.try_into().map_err(corrupt)).transpose()
}

/// At most `bytes` bytes of a package for Windows that is not halted, after the first `from`.
pub async fn part(tx: &mut Tx, sha256: &[u8; 32], from: u32, bytes: u32) -> Result<Option<Vec<u8>>, StoreError> {
    // PostgreSQL's substr takes no BIGINT.
    let sql = "SELECT substr(p.content, CAST($2 AS INTEGER), CAST($3 AS INTEGER)) FROM agent_package p \
               JOIN agent_release r ON r.release = p.release \
               WHERE p.kind = 'msi' AND p.sha256 = $1 AND r.halted_at IS NULL";
    Ok(on!(tx, |c| sqlx::query_scalar(sql)
        .bind(sha256.to_vec())
        .bind(i64::from(from) + 1)
        .bind(i64::from(bytes))
        .fetch_optional(c)
        .await)?)
}

/// Offers a release to so many percent of all devices, and to all of these sites. `false` where there is no such release, or
/// it is halted.
pub async fn stage(tx: &mut Tx, stage: &Stage, now: UtcMillis) -> Result<bool, StoreError> {
    if !set_percent(tx, stage.release, stage.percent, now).await? {
        return Ok(false);
    }
    let release = stage.release.to_string();
    let sql = "DELETE FROM agent_release_site WHERE release = $1";
    on!(tx, |c| sqlx::query(sql).bind(release.clone()).execute(c).await.map(drop))?;
    let sql = "INSERT INTO agent_release_site (release, site_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    for site in &stage.sites {
        on!(tx, |c| sqlx::query(sql).bind(release.clone()).bind(*site).execute(c).await.map(drop))?;
    }
    Ok(true)
}

/// Offers a release to so many percent of all devices, and to the same sites as before. `false` where there is no such
/// release, or it is halted.
pub async fn set_percent(tx: &mut Tx, release: AgentVersion, percent: u8, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE agent_release SET percent = $2, changed_at = $3 WHERE release = $1 AND halted_at IS NULL";
    let release = release.to_string();
    let changed = on!(tx, |c| sqlx::query(sql)
        .bind(release.clone())
        .bind(i64::from(percent))
        .bind(now.get())
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(changed > 0)
}

/// Offers nothing to anybody any more, for a server that was restored: what was halted since its backup is not known to be
/// so. The releases that were offered.
pub async fn withdraw(tx: &mut Tx, now: UtcMillis) -> Result<Vec<AgentVersion>, StoreError> {
    let is_offered = |row: &ReleaseRow| row.halted_at.is_none() && (row.percent > 0 || !row.sites.is_empty());
    let offered: Vec<AgentVersion> =
        releases(tx).await?.into_iter().filter(is_offered).map(|row| row.release).collect();
    for release in &offered {
        stage(tx, &Stage { release: *release, percent: 0, sites: Vec::new() }, now).await?;
    }
    Ok(offered)
}

/// Takes a release back: from now on nobody gets it. `false` where there is none, or it was halted before.
pub async fn halt(tx: &mut Tx, release: AgentVersion, now: UtcMillis) -> Result<bool, StoreError> {
    let sql = "UPDATE agent_release SET halted_at = $2, changed_at = $2 WHERE release = $1 AND halted_at IS NULL";
    let release = release.to_string();
    let halted = on!(tx, |c| sqlx::query(sql)
        .bind(release.clone())
        .bind(now.get())
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(halted > 0)
}

#[derive(FromRow)]
struct RawStage {
    release: String,
    percent: i64,
    site_id: Option<Uuid>,
}

/// The releases for Windows that are offered to somebody.
pub async fn stages(tx: &mut Tx) -> Result<Vec<Stage>, StoreError> {
    let sql = "SELECT r.release, r.percent, s.site_id FROM agent_release r \
               LEFT JOIN agent_release_site s ON s.release = r.release \
               WHERE r.halted_at IS NULL AND (r.percent > 0 OR s.site_id IS NOT NULL) \
               AND EXISTS (SELECT 1 FROM agent_package p WHERE p.release = r.release AND p.kind = 'msi') \
               ORDER BY r.release, s.site_id";
    let raw: Vec<RawStage> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    let mut stages: Vec<Stage> = Vec::new();
    for one in raw {
        let release: AgentVersion = parsed("agent_release.release", &one.release)?;
        match stages.last_mut().filter(|stage| stage.release == release) {
            Some(stage) => stage.sites.extend(one.site_id),
            None => {
                stages.push(Stage {
                    release,
                    percent: percent(one.percent)?,
                    sites: one.site_id.into_iter().collect(),
                });
            }
        }
    }
    Ok(stages)
}

#[derive(FromRow)]
struct RawRelease {
    release: String,
    percent: i64,
    halted_at: Option<i64>,
    uai: Option<String>,
}

/// All releases, in the order of their numbers.
pub async fn releases(tx: &mut Tx) -> Result<Vec<ReleaseRow>, StoreError> {
    let sql = "SELECT r.release, r.percent, r.halted_at, t.uai FROM agent_release r \
               LEFT JOIN agent_release_site s ON s.release = r.release LEFT JOIN site t ON t.id = s.site_id \
               ORDER BY r.release, t.uai";
    let raw: Vec<RawRelease> = on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?;
    let mut rows: Vec<ReleaseRow> = Vec::new();
    for one in raw {
        let release: AgentVersion = parsed("agent_release.release", &one.release)?;
        match rows.last_mut().filter(|row| row.release == release) {
            Some(row) => row.sites.extend(one.uai),
            None => rows.push(ReleaseRow {
                release,
                percent: percent(one.percent)?,
                halted_at: one.halted_at.map(|at| moment("agent_release.halted_at", at)).transpose()?,
                sites: one.uai.into_iter().collect(),
            }),
        }
    }
    rows.sort_by_key(|row| row.release);
    Ok(rows)
}

fn percent(stored: i64) -> Result<u8, StoreError> {
    let what = "agent_release.percent";
    u8::try_from(stored).map_err(|_| StoreError::Corrupt { what, why: format!("{stored} is no percentage") })
}

/// The versions that agents told at their last contact, each with the number of devices. Counts all of them: for a person
/// who asks, not for a page.
pub async fn versions(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    let sql = "SELECT agent_version, count(*) FROM contact GROUP BY agent_version ORDER BY agent_version";
    Ok(on!(tx, |c| sqlx::query_as(sql).fetch_all(c).await)?)
}
