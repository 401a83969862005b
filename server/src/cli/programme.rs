//! `programme`: adds, lists, closes and reopens programmes; the console changes them.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::civil::Date;
use uuid::Uuid;

use super::{DataArguments, print, say};
use crate::{
    clock,
    domain::{
        authority::Role,
        programme::{DEFAULT_AGREEMENT, DEFAULT_NOTICE_DAYS, Programme as Terms, ProgrammeCode, ProgrammeKind, Term},
    },
    store::{
        audit::{self, COMMAND_LINE, NewAudit},
        programme,
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum Programme {
    /// Adds a programme.
    Add(Box<Add>),
    /// Lists all programmes: code, kind, term, open or closed, name.
    List(DataArguments),
    /// Stops a programme from lending; its loans and history stay.
    Close(One),
    /// Lets a closed programme lend again.
    Reopen(One),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    #[command(flatten)]
    data: DataArguments,
    /// Its neutral code: 1 to 16 letters without accents, digits and -. It says nothing about people.
    #[arg(long)]
    code: ProgrammeCode,
    /// Its name.
    #[arg(long)]
    name: String,
    /// `individual_loan`, `institutional_pool`, `staff_loan` or gift.
    #[arg(long)]
    kind: ProgrammeKind,
    /// How long a loan lasts: a day such as 2027-06-30, a number of days, `school_year_end` or open.
    #[arg(long, value_parser = term, default_value = "school_year_end")]
    term: Term,
    /// How often a loan may be extended.
    #[arg(long, default_value_t = 1)]
    renewals: u32,
    /// What goes with a device; repeat it for several.
    #[arg(long = "accessory", value_name = "NAME")]
    accessories: Vec<String>,
    /// Who owns the devices: the département or a supplying partner.
    #[arg(long)]
    owner: String,
    /// Name of the agreement's template.
    #[arg(long, default_value = DEFAULT_AGREEMENT)]
    template: String,
    /// A role that may see who is in it, besides administrators and programme managers; repeat it for several.
    #[arg(long = "member-role", value_name = "ROLE")]
    membership: Vec<Role>,
    /// Day from the due date on which borrowers are written to, such as -7; repeat it for several.
    #[arg(long = "notice-day", value_name = "DAY", allow_hyphen_values = true)]
    notice_days: Vec<i32>,
}

#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    data: DataArguments,
    /// The programme's code.
    code: ProgrammeCode,
}

/// A term as it is typed.
fn term(text: &str) -> Result<Term, String> {
    match text {
        "school_year_end" => Ok(Term::SchoolYearEnd),
        "open" => Ok(Term::Open),
        _ => {
            let day = text.parse::<Date>().map(Term::Date);
            day.or_else(|_| text.parse().map(Term::Days))
                .map_err(|_| "a term is a day such as 2027-06-30, a number of days, school_year_end or open".to_owned())
        }
    }
}

pub(super) async fn run(command: Programme) -> anyhow::Result<()> {
    match command {
        Programme::Add(add) => self::add(*add).await,
        Programme::List(data) => list(&data).await,
        Programme::Close(one) => set_open(one, false).await,
        Programme::Reopen(one) => set_open(one, true).await,
    }
}

async fn add(add: Add) -> anyhow::Result<()> {
    let notice_days = if add.notice_days.is_empty() { DEFAULT_NOTICE_DAYS.to_vec() } else { add.notice_days };
    let new = Terms {
        id: Uuid::now_v7(),
        code: add.code,
        name: add.name.trim().to_owned(),
        kind: add.kind,
        term: add.term,
        renewals_allowed: add.renewals,
        accessories: add.accessories.iter().map(|name| name.trim().to_owned()).collect(),
        owner: add.owner.trim().to_owned(),
        agreement_template: add.template,
        membership: add.membership,
        notice_days,
        open: true,
    };
    new.check()?;
    let store = add.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    anyhow::ensure!(
        programme::find_by_code(&mut tx, &new.code).await?.is_none(),
        "a programme has the code {} already; change it in the console",
        new.code
    );
    programme::put(&mut tx, &new, now).await?;
    let entry = NewAudit {
        actor: COMMAND_LINE,
        action: "programme.create",
        object_kind: "programme",
        object_id: &new.id.to_string(),
        details: serde_json::json!({ "code": new.code.as_str(), "name": new.name, "kind": new.kind.as_str() }),
    };
    audit::append(&mut tx, entry, now).await?;
    tx.commit().await?;
    store.close().await;
    say(&format!("{} {}: recorded", new.code, new.name));
    Ok(())
}

async fn list(data: &DataArguments) -> anyhow::Result<()> {
    let store = data.open_store().await?;
    let mut tx = store.read().await?;
    for one in programme::list(&mut tx).await? {
        let state = if one.open { "open" } else { "closed" };
        print(&format!("{}\t{}\t{}\t{state}\t{}\n", one.code, one.kind, one.term.text(), one.name))?;
    }
    drop(tx);
    store.close().await;
    Ok(())
}

async fn set_open(one: One, open: bool) -> anyhow::Result<()> {
    let store = one.data.open_store().await?;
    let now = clock::now();
    let mut tx = store.write().await?;
    let found = programme::find_by_code(&mut tx, &one.code).await?;
    let found = found.with_context(|| format!("no programme has the code {}", one.code))?;
    let (changed, action, state) = if open {
        (programme::reopen(&mut tx, found.id).await?, "programme.reopen", "open")
    } else {
        (programme::close(&mut tx, found.id, now).await?, "programme.close", "closed")
    };
    if changed {
        let object_id = found.id.to_string();
        let details = serde_json::json!({ "code": found.code.as_str() });
        let entry = NewAudit { actor: COMMAND_LINE, action, object_kind: "programme", object_id: &object_id, details };
        audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
    }
    store.close().await;
    say(&format!("{}: {state}{}", found.code, if changed { "" } else { " already" }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_written_as_it_is_typed() {
        for text in ["2027-06-30", "30", "school_year_end", "open"] {
            assert_eq!(term(text).map(Term::text), Ok(text.to_owned()));
        }
        assert!(term("soon").is_err());
    }
}
