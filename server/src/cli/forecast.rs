//! `forecast`: how many units will be ready by a day, and what holds them up.

use std::fmt::Write as _;

use clap::Args;
use jiff::civil::Date;

use super::{DataArguments, print};
use crate::{
    api::forecast::ForecastBody,
    clock,
    domain::{
        forecast::{Forecast, Question, RUNS, ReadyFor, SEED, part_said},
        language::Language,
        paris,
        policy::{LivePolicy, Policy},
        scope::Scope,
        wording::{Said, date},
    },
    store::{Store, forecast_answer, school_closure},
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    data: DataArguments,
    /// How many units, 1 to 100000.
    #[arg(long)]
    target: u32,
    /// Until when, that day included, such as 2027-05-15.
    #[arg(long, value_name = "DAY")]
    by: Date,
    /// Ready for what: donate or lend.
    #[arg(long, default_value = "donate")]
    ready: ReadyFor,
    /// What the dice are thrown with: the same seed gives the same answer to the same state.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// How many futures are played.
    #[arg(long, default_value_t = RUNS)]
    runs: u32,
    /// Prints one JSON object, as GET /api/v1/forecast answers.
    #[arg(long)]
    json: bool,
    /// The language of words: fr or en.
    #[arg(long, default_value = "fr")]
    language: Language,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let policy = LivePolicy::new(arguments.data.policy()?);
    let store = arguments.data.open_store().await?;
    let text = answer(&arguments, &store, &policy).await;
    store.close().await;
    print(&text?)
}

async fn answer(arguments: &Arguments, store: &Store, policy: &LivePolicy) -> anyhow::Result<String> {
    let now = clock::now();
    let Arguments { ready, target, by, seed, runs, .. } = *arguments;
    let question = Question { ready, target, by, seed, runs }.checked(paris::date(now))?;
    let mut tx = store.read().await?;
    policy.set_imported(&school_closure::closures(&mut tx).await?);
    drop(tx);
    let found = forecast_answer::answer(store, &Scope::Everything, policy, question, now).await?;
    if arguments.json {
        return Ok(format!("{}\n", serde_json::to_string(&ForecastBody::new(&found, policy))?));
    }
    Ok(words(&found, policy, arguments.language))
}

fn words(found: &Forecast, policy: &Policy, language: Language) -> String {
    let say = |said: Said| said.in_language(language).to_owned();
    // Writing to a String cannot fail.
    let mut text = format!("{}\n\n", say(found.sentence(policy)));
    let _ = writeln!(text, "{:<20} {:>6} {:>6} {:>6} {:>6} {:>6}", "", "5 %", "25 %", "50 %", "75 %", "95 %");
    for week in &found.weeks {
        let [p5, p25, p50, p75, p95] = week.units;
        let _ = writeln!(text, "{:<20} {p5:>6} {p25:>6} {p50:>6} {p75:>6} {p95:>6}", say(date(week.day)));
    }
    if !found.parts.is_empty() {
        text.push('\n');
    }
    for part in &found.parts {
        let model = found.models.get(part.model).map_or("", String::as_str);
        let euros = part.cents().div_ceil(100);
        let _ = writeln!(text, "{:>5} × {} {model} ({euros} €)", part.quantity, say(part_said(part.kind)));
    }
    text
}
