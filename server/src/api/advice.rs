//! What one device should become, with all it rests on.

use axum::{Json, extract::State};
use cartable_common::DeviceId;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{extract::Path, problem::Problem, schema::Moment};
use crate::{
    app::App,
    auth::{Action, BearerToken, Object},
    domain::{
        disposition::{Advice, CheckKind, Confidence, Disposition, Reason},
        fitness::{Answer, Fitness, RequirementKind, Use},
        wording::Said,
    },
    store::{
        advice::{self, Kept},
        device,
    },
};

/// Words in both languages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SaidBody {
    /// In French.
    fr: String,
    /// In English.
    en: String,
}

impl From<Said> for SaidBody {
    fn from(said: Said) -> Self {
        Self { fr: said.fr, en: said.en }
    }
}

/// One reason of an advice.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdviceReasonBody {
    /// What was found.
    said: SaidBody,
    /// The value that was read.
    value: SaidBody,
    /// What it was compared with.
    threshold: SaidBody,
    /// Where the threshold comes from.
    source: SaidBody,
}

/// What following an advice costs.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct CostBody {
    /// Parts, in whole euros.
    parts_euros: u32,
    /// Minutes at the bench.
    minutes: u32,
    /// Both, in whole euros rounded up.
    euros: u32,
}

/// A requirement of a use.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RequirementBody {
    /// What is required.
    requirement: RequirementKind,
    /// Whether it is met.
    answer: Answer,
    /// What was read; null where nothing was.
    read: Option<SaidBody>,
    /// What is wanted.
    wanted: SaidBody,
    /// Where that comes from.
    source: SaidBody,
}

/// How fit a device is for one use.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FitnessBody {
    /// The use.
    #[serde(rename = "use")]
    usage: Use,
    /// Whether it is fit.
    answer: Answer,
    /// Each requirement.
    requirements: Vec<RequirementBody>,
}

impl From<Fitness> for FitnessBody {
    fn from(fitness: Fitness) -> Self {
        let requirements = fitness.requirements.into_iter().map(|one| RequirementBody {
            requirement: one.kind,
            answer: one.answer,
            read: one.read.map(SaidBody::from),
            wanted: one.wanted.into(),
            source: one.source.into(),
        });
        Self { usage: fitness.usage, answer: fitness.answer, requirements: requirements.collect() }
    }
}

/// What limits the months of use that are left.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LimitBody {
    /// Months from now.
    months: u32,
    /// What ends then.
    said: SaidBody,
    /// Where that comes from.
    source: SaidBody,
}

/// A check, and what the device could become after it instead.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdviceCheckBody {
    /// The check.
    check: CheckKind,
    /// The other dispositions that its results lead to.
    may_become: Vec<Disposition>,
}

/// The decision that lists show, which may be some minutes older.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DecidedBody {
    /// What it should become.
    disposition: Disposition,
    /// Since when.
    since: Moment,
    /// When it was last decided.
    decided_at: Moment,
    /// Under which version of the policy.
    policy_version: String,
}

impl From<Kept> for DecidedBody {
    fn from(kept: Kept) -> Self {
        Self {
            disposition: kept.disposition,
            since: kept.since.into(),
            decided_at: kept.decided_at.into(),
            policy_version: kept.policy_version,
        }
    }
}

/// What a device should become, with everything that rests on.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdviceBody {
    /// What it should become.
    disposition: Disposition,
    /// How sure that is.
    confidence: Confidence,
    /// Why, heaviest first.
    reasons: Vec<AdviceReasonBody>,
    /// What is missing.
    missing: Vec<SaidBody>,
    /// What it costs to do so.
    cost: CostBody,
    /// What it is worth afterwards, in whole euros.
    value_euros: u32,
    /// The date of the machine's evidence; null where it said nothing yet.
    evidence_at: Option<Moment>,
    /// The present system, where the end of its support is known.
    system: Option<String>,
    /// The last day of its security updates.
    system_supported_until: Option<String>,
    /// For how many more months it is useful as it is, at most.
    months_left: u32,
    /// What limits that, the shortest first.
    limits: Vec<LimitBody>,
    /// What it is fit for.
    fitness: Vec<FitnessBody>,
    /// Checks that could change the disposition, the most telling first.
    checks: Vec<AdviceCheckBody>,
    /// The version of the policy that this advice was made under.
    policy_version: String,
    /// The decision that lists show; null before the first sweep.
    decided: Option<DecidedBody>,
}

impl AdviceBody {
    fn new(advice: Advice, decided: Option<Kept>, policy_version: String) -> Self {
        let (system, until): (Option<String>, Option<Date>) = advice.support.unzip();
        let reason = |one: Reason| AdviceReasonBody {
            said: one.said.into(),
            value: one.value.into(),
            threshold: one.threshold.into(),
            source: one.source.into(),
        };
        let limits = advice.remaining.limits.into_iter().map(|one| LimitBody {
            months: one.months,
            said: one.said.into(),
            source: one.source.into(),
        });
        Self {
            disposition: advice.disposition,
            confidence: advice.confidence,
            reasons: advice.reasons.into_iter().map(reason).collect(),
            missing: advice.missing.into_iter().map(SaidBody::from).collect(),
            cost: CostBody {
                parts_euros: advice.cost.parts_euros,
                minutes: advice.cost.minutes,
                euros: advice.cost.euros,
            },
            value_euros: advice.value_euros,
            evidence_at: advice.evidence_at.map(Moment),
            system,
            system_supported_until: until.map(|day| day.to_string()),
            months_left: advice.remaining.months,
            limits: limits.collect(),
            fitness: advice.fitness.into_iter().map(FitnessBody::from).collect(),
            checks: advice
                .checks
                .into_iter()
                .map(|one| AdviceCheckBody { check: one.kind, may_become: one.may_become })
                .collect(),
            policy_version,
            decided: decided.map(DecidedBody::from),
        }
    }
}

/// What one device should become, and why
///
/// Roles: all, within their sites. Read anew from the last report. A device outside them does not exist (404), nor does
/// the advice about one that is lost, stolen, written off, given away or archived.
#[utoipa::path(get, path = "/v1/devices/{id}/advice", tag = "dispositions",
    params(("id" = Uuid, Path, description = "The device")), responses((status = 200, body = AdviceBody),
    (status = 400, response = Problem), (status = 401, response = Problem), (status = 404, response = Problem)))]
pub async fn read(
    State(app): State<App>,
    bearer: BearerToken,
    Path(id): Path<Uuid>,
) -> Result<Json<AdviceBody>, Problem> {
    const UNKNOWN: &str = "There is no device with this id among those you see about which anything is advised.";
    let id = DeviceId(id);
    let missing = || Problem::not_found(UNKNOWN);
    let mut tx = app.store.read().await?;
    let device = device::find(&mut tx, &bearer.person.scope, id).await?.ok_or_else(missing)?;
    Problem::check(bearer.person.can(Action::SeeDevices, Object::OfSite(device.site)), UNKNOWN)?;
    let advice = advice::of_device(&mut tx, id, &app.policy, bearer.now).await?.ok_or_else(missing)?;
    let decided = advice::kept(&mut tx, id).await?;
    Ok(Json(AdviceBody::new(advice, decided, app.policy.version())))
}
