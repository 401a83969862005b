//! What an attempt at a message is made of: addresses, the letter, and how it ended. Pure.

use cartable_common::UtcMillis;

use crate::{
    domain::{
        borrower::Identity,
        language::Language,
        notice::NO_ADDRESS,
        notice_schedule::{next_attempt, out_of_patience},
    },
    mail::{
        letter::{self, Item},
        smtp::{Mailer, Trouble},
    },
    store::{
        message_address::Post,
        message_attempt::{Attempt, Delivery, Outcome},
    },
};

/// What a message says in one language.
pub(super) fn letter(mailer: &Mailer, attempt: &Attempt, language: Language) -> letter::Letter {
    let items: Vec<Item> = attempt
        .lines
        .iter()
        .cloned()
        .map(|line| Item {
            reason: line.reason,
            due: line.due,
            asset_tag: line.asset_tag,
            serial: line.serial,
            model: line.model,
            borrower: line.borrower,
            missing: line.missing,
        })
        .collect();
    letter::write(&items, attempt.recipient.kind, language, &mailer.signature())
}

/// How an attempt at a message ended, from what became of its addresses.
pub(super) fn outcome(
    attempt: &Attempt,
    deliveries: Vec<Delivery>,
    refused: Option<String>,
    trouble: Option<Trouble>,
    now: UtcMillis,
) -> Outcome {
    let next = next_attempt(attempt.attempts, now);
    let taken = deliveries.iter().any(|delivery| delivery.taken);
    match trouble {
        Some(Trouble::InDoubt(error)) if !out_of_patience(attempt.created_at, now) => {
            Outcome::InDoubt { next, error, deliveries }
        }
        Some(other) if !out_of_patience(attempt.created_at, now) => {
            Outcome::Postponed { next, error: other.to_string(), deliveries }
        }
        Some(other) if !taken => Outcome::Failed { error: other.to_string() },
        Some(other) => Outcome::Sent { error: Some(other.to_string()) },
        None if taken => Outcome::Sent { error: refused },
        None => Outcome::Failed { error: refused.unwrap_or_else(|| NO_ADDRESS.to_owned()) },
    }
}

/// Where a family is written to: each holder of parental authority, else the person; each address once.
pub(super) fn posts_of(identity: &Identity) -> Vec<Post> {
    let language = identity.language.map_or(Language::French, Language::from);
    let guardians = identity.guardians.iter().filter_map(|guardian| guardian.email.as_deref());
    let mut emails: Vec<&str> = guardians.map(str::trim).filter(|email| !email.is_empty()).collect();
    if emails.is_empty() {
        emails.extend(identity.email.as_deref().map(str::trim).filter(|email| !email.is_empty()));
    }
    let mut posts: Vec<Post> = Vec::new();
    for email in emails {
        if !posts.iter().any(|post| post.email.eq_ignore_ascii_case(email)) {
            posts.push(Post { email: email.to_owned(), language });
        }
    }
    posts
}

/// What says that letters go the same way: to the same addresses, in the same language. `None` where they go nowhere.
pub(super) fn way(posts: &[Post]) -> Option<String> {
    let mut ways: Vec<String> =
        posts.iter().map(|post| format!("{} {}", post.language.as_str(), post.email.to_lowercase())).collect();
    ways.sort();
    (!ways.is_empty()).then(|| ways.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(email: &str, language: Language) -> Post {
        Post { email: email.to_owned(), language }
    }

    #[test]
    fn the_same_way_is_the_same_addresses_in_any_order_and_one_language() {
        let (french, english) = (Language::French, Language::English);
        let both = way(&[post("a@x.example", french), post("B@x.example", french)]);
        assert_eq!(both, way(&[post("b@x.example", french), post("A@x.example", french)]));
        assert_ne!(both, way(&[post("a@x.example", french)]), "the other parent is not told of this child");
        assert_ne!(both, way(&[post("a@x.example", english), post("b@x.example", english)]));
        assert_eq!(way(&[]), None);
    }
}
