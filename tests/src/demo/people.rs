//! Who may sign in to the demonstration besides its administrator: one person for each role, and two referents, each of
//! whom sees one collège alone.

use serde::Serialize;

use crate::{
    harness::Installation,
    simulator::{Roster, site::SimulatedSite},
};

/// Somebody who may sign in, with the password that everybody has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The login.
    pub login: &'static str,
    /// The role.
    pub role: &'static str,
    /// The one collège that this person works for.
    pub site: Option<String>,
    #[serde(skip)]
    uai: Option<String>,
}

/// Login, role, and for referents which collège of the roster is theirs.
const PEOPLE: [(&str, &str, Option<usize>); 6] = [
    ("manager", "programme_manager", None),
    ("technician", "technician", None),
    ("referent", "referent", Some(0)),
    ("referent2", "referent", Some(1)),
    ("refurbisher", "refurbisher", None),
    ("auditor", "auditor", None),
];

/// Everybody; a referent whose collège a small fleet does not have is left out.
pub fn accounts(roster: &Roster) -> Vec<Account> {
    let account = |&(login, role, place): &(&'static str, &'static str, Option<usize>)| match place {
        None => Some(Account { login, role, site: None, uai: None }),
        Some(place) => {
            let SimulatedSite { name, commune, uai, .. } = roster.sites.get(place)?;
            Some(Account { login, role, site: Some(format!("{name}, {commune}")), uai: Some(uai.clone()) })
        }
    };
    PEOPLE.iter().filter_map(account).collect()
}

/// Makes the people of a new demonstration.
pub fn make(installation: &Installation, accounts: &[Account], password: &str) -> anyhow::Result<()> {
    for account in accounts {
        match &account.uai {
            Some(uai) => installation.create_user_of(account.login, account.role, uai, password)?,
            None => installation.create_user(account.login, account.role, password)?,
        }
    }
    Ok(())
}

/// The lines that tell a newcomer who else there is.
pub fn told(accounts: &[Account]) -> String {
    let line = |account: &Account| {
        let role = account.role.replace('_', " ");
        let site = account.site.as_ref().map(|site| format!(" of {site}")).unwrap_or_default();
        format!("             {:<13}{role}{site}\n", account.login)
    };
    accounts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_referent_has_a_college_of_its_own() {
        let roster = Roster::drawn(2021, 2_000);
        let accounts = accounts(&roster);
        let sites: Vec<&str> =
            accounts.iter().filter(|one| one.role == "referent").filter_map(|one| one.site.as_deref()).collect();
        assert!(sites.len() == 2 && sites[0] != sites[1], "{sites:?}");
        let told = told(&accounts);
        assert!(told.lines().count() == 6 && told.contains("programme manager") && told.contains(sites[1]), "{told}");
        let small = super::accounts(&Roster { sites: vec![], ..roster });
        assert!(small.iter().all(|one| one.role != "referent"), "{small:?}");
    }
}
