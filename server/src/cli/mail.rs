//! `mail`: tries the configured mail server.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use uuid::Uuid;

use super::{DataArguments, print};
use crate::{
    clock,
    config::{Overrides, Settings},
    domain::language::Language,
    mail::{
        letter,
        smtp::{Mailer, Parcel},
    },
};

/// What to do about the mail server.
#[derive(Debug, Subcommand)]
pub(super) enum Mail {
    /// Sends a test message to an address and says what the mail server answered
    Test(Test),
}

#[derive(Debug, Args)]
pub(super) struct Test {
    #[command(flatten)]
    data: DataArguments,
    /// Where the message goes
    address: String,
    /// Its language: fr or en
    #[arg(long, default_value = "fr")]
    language: Language,
}

pub(super) async fn run(command: Mail) -> anyhow::Result<()> {
    let Mail::Test(Test { data, address, language }) = command;
    let settings = Settings::load(&data.data, Overrides::default())?;
    let mail = settings.mail.context("config.toml has no [mail] section: nothing is sent")?;
    let mailer = Mailer::new(mail)?;
    let mut link = mailer.connect().await?;
    let letter = letter::test_letter(language, &mailer.signature());
    let mail_id = format!("{}@{}", Uuid::new_v4().simple(), mailer.domain());
    let parcel = Parcel { mail_id: &mail_id, to: &address, letter: &letter, dated: clock::now() };
    mailer.send(&mut link, parcel).await?;
    link.close().await;
    print(&format!("the mail server took the message <{mail_id}>\n"))
}
