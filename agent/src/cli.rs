//! The command line: `enrol | run | once | show | status | probe`, their options and their exit codes.

use std::{
    io::{BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use cartable_common::{
    ReportId, Text,
    limits::MAX_TOKEN_CHARS,
    protocol::{CheckInRequest, Disclosure, ReportEnvelope},
    report::HealthReport,
};
use clap::{Args, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::{
    actions::DesktopNotice,
    client::Proxy,
    clock,
    collect::{DriveHealth, Drives, Sources, collect},
    contact::{Agent, OpenError},
    disclosure::{self, Shown},
    enrol::{self, EnrolError, Invitation, KeyChoice, Progress},
    fairness::Surroundings,
    identity::KeyPlace,
    json,
    language::Language,
    log, platform, privilege,
    reader::{self, Occasion, Reader},
    server_url::ServerUrl,
    service::{self, Life, ServiceError},
    spool::Spool,
    state::{StateDir, StateError},
    status::{self, Facts, Service, Verdict},
    tpm,
    trouble::{Trouble, TroubleKind},
    version,
};

/// Reads this computer's hardware health and reports it to a Cartable server.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES)]
pub struct Cli {
    /// Folder of the key, the certificate and the spool
    #[arg(long, global = true, env = "CARTABLE_STATE", default_value_os_t = platform::state_folder(), value_name = "DIR")]
    state: PathBuf,
    /// What is logged to standard error: error, warn, info, debug
    #[arg(long, global = true, env = "CARTABLE_LOG", default_value = "info", value_name = "LEVEL")]
    log: LevelFilter,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 well, 1 a failure (see the words), 2 wrong use, 3 not enrolled, \
                          4 waiting for approval, 5 refused by the server, 6 another agent is running, \
                          7 released: this computer changed owner, the agent removed its key and its data";

#[derive(Debug, Subcommand)]
enum Command {
    /// Bind this computer to a server
    Enrol(Enrol),
    /// Check in for ever (the service)
    Run {
        /// The first check-in happens within so many seconds
        #[arg(long, default_value_t = crate::schedule::FIRST_WITHIN_SECONDS, value_name = "SECONDS")]
        first_within: u32,
        /// Read the machine through the probe behind this socket
        #[arg(long, value_name = "SOCKET")]
        probe: Option<PathBuf>,
        /// Folder in which enrol.conf may invite this computer to enrol
        #[arg(long, value_name = "DIR")]
        invitations: Option<PathBuf>,
        /// Folder in which everybody on this computer may read what was sent
        #[arg(long, value_name = "DIR")]
        public: Option<PathBuf>,
        #[command(flatten)]
        machine: Machine,
    },
    /// Answer one question on standard input with a report (the packaged service's probe)
    #[command(hide = true)]
    Probe {
        #[command(flatten)]
        machine: Machine,
    },
    /// Check in once, now
    Once {
        #[command(flatten)]
        machine: Machine,
    },
    /// Say in plain words what is sent, what can never be seen and who runs this; send nothing
    Show(Show),
    /// Print the return notice that this computer was sent, if there is one: a title, then a sentence
    Notice {
        /// fr or en; otherwise as the system speaks
        #[arg(long, value_name = "LANGUAGE")]
        lang: Option<Language>,
        /// Where the service publishes it
        #[arg(long, value_name = "DIR", default_value = disclosure::PUBLIC)]
        public: PathBuf,
    },
    /// Say what is wrong and what to do
    Status {
        /// fr or en; otherwise as the system speaks
        #[arg(long, value_name = "LANGUAGE")]
        lang: Option<Language>,
    },
    /// The Windows service: install, uninstall, run
    #[cfg(windows)]
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Print what WMI says, for the agent that started this process
    #[cfg(windows)]
    #[command(hide = true)]
    Wmi,
}

#[cfg(windows)]
#[derive(Debug, Subcommand)]
enum ServiceCommand {
    /// Register the service, or bring an older one up to date
    Install {
        /// Start it at once, if this computer is enrolled or waits to be
        #[arg(long)]
        start: bool,
    },
    /// Stop the service and remove it
    Uninstall {
        /// Remove the key, the reports and everything else that the agent kept
        #[arg(long)]
        erase: bool,
    },
    /// Check in for ever, as the service manager starts it
    Run,
}

#[derive(Debug, Args)]
struct Enrol {
    /// Address of the server's device port, https://HOST:PORT
    #[arg(long, value_name = "URL")]
    server: ServerUrl,
    /// The enrolment token
    #[arg(
        long,
        env = "CARTABLE_TOKEN",
        hide_env_values = true,
        required_unless_present = "token_file",
        conflicts_with = "token_file"
    )]
    token: Option<String>,
    /// File that holds the token; `-` for standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The server's root certificates (cartable-server show-roots)
    #[arg(long, value_name = "FILE")]
    roots: PathBuf,
    /// Ask with a new key: for a computer whose enrolment was revoked
    #[arg(long)]
    new_key: bool,
    /// Where a new key is made: auto (the TPM where there is one, else a file), tpm or software
    #[arg(long, value_name = "WHERE", default_value = "auto")]
    key: KeyPlace,
    /// The TPM to ask; otherwise this computer's first
    #[arg(long, value_name = "PATH")]
    tpm: Option<PathBuf>,
    /// Who lends this computer, for the page that the borrower reads
    #[arg(long, value_name = "WORDS")]
    organisation: Option<String>,
    /// Whom the borrower can write to
    #[arg(long, value_name = "WORDS")]
    contact: Option<String>,
    /// The key that releases are signed with (cartable-server updates new-key); without one the agent does not update itself
    #[cfg(windows)]
    #[arg(long, value_name = "KEY", default_value = "")]
    update_key: String,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Debug, Args)]
struct Show {
    /// fr or en; otherwise as the system speaks
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// Write a page for the browser, in both languages
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "report"])]
    html: Option<PathBuf>,
    /// The exact message that would be sent now
    #[arg(long, conflicts_with = "report")]
    json: bool,
    /// Only the report that would be sent now
    #[arg(long)]
    report: bool,
    /// Where the service publishes what it sent
    #[arg(long, value_name = "DIR", default_value = disclosure::PUBLIC)]
    public: PathBuf,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Debug, Args)]
struct Machine {
    /// Read sys, proc and etc below this folder: a recorded machine
    #[arg(long, default_value = "/", value_name = "DIR")]
    root: PathBuf,
    /// The program to ask about drives
    #[arg(long, value_name = "PATH")]
    smartctl: Option<PathBuf>,
}

impl Machine {
    /// Drives of a recorded machine are only asked when a program is named: this computer's are not its own.
    fn sources(self) -> Sources {
        let drive_health = match self.smartctl {
            Some(program) => DriveHealth::Program(program),
            None if self.root == Path::new("/") => Sources::this_machine().drive_health,
            None => DriveHealth::RecordedOnly,
        };
        Sources { root: self.root, drive_health }
    }
}

#[cfg(windows)]
impl Cli {
    /// Runs a command that wants no runtime around it; gives any other command back.
    pub fn run_without_runtime(self) -> Result<ExitCode, Self> {
        let done = match self.command {
            Command::Service(ServiceCommand::Run) => crate::windows::service::run(self.state, self.log),
            Command::Service(ServiceCommand::Install { start }) => {
                log::start(self.log);
                crate::windows::install::install(&self.state, start)
            }
            Command::Service(ServiceCommand::Uninstall { erase }) => {
                log::start(self.log);
                crate::windows::install::uninstall(erase.then_some(self.state.as_path()))
            }
            Command::Wmi => crate::collect::print_answers().map_err(Into::into),
            Command::Enrol(_)
            | Command::Run { .. }
            | Command::Once { .. }
            | Command::Show { .. }
            | Command::Notice { .. }
            | Command::Status { .. } => {
                return Err(self);
            }
        };
        Ok(done.map_or_else(|error| complain(&error), |()| ExitCode::SUCCESS))
    }
}

/// Runs a command and gives its exit code.
pub async fn run(cli: Cli) -> ExitCode {
    log::start(cli.log);
    let done = match cli.command {
        Command::Enrol(options) => enrol_once(&cli.state, options).await,
        Command::Run { first_within: first_within_seconds, probe, invitations, public, machine } => {
            let (root, sources) = (machine.root.clone(), machine.sources());
            let reader = probe.map_or(Reader::Own(sources), Reader::Probe);
            serve(&cli.state, Life { reader, root, first_within_seconds, invitations, public }).await
        }
        Command::Once { machine } => once(&cli.state, machine.sources()).await,
        Command::Probe { machine } => probe(&machine.sources()).await,
        Command::Show(options) => show(&cli.state, options).await,
        Command::Notice { lang, public } => say_notice(&public, lang.unwrap_or_else(Language::of_environment)),
        Command::Status { lang } => say_status(&cli.state, lang.unwrap_or_else(Language::of_environment)),
        // Done before there was a runtime.
        #[cfg(windows)]
        Command::Service(_) | Command::Wmi => Ok(code(Verdict::Trouble)),
    };
    done.map_or_else(|error| complain(&error), ExitCode::from)
}

/// Says what failed and, where that is known, what to do; gives the exit code.
fn complain(error: &anyhow::Error) -> ExitCode {
    let language = Language::of_environment();
    let mut stderr = std::io::stderr();
    // Nothing is left to do when even standard error fails.
    let _ = writeln!(stderr, "cartable-agent: {error:#}");
    let advise = if error.is::<EnrolError>() { status::enrol_advice } else { status::advice };
    if let Some(advice) = trouble_in(error).and_then(|trouble| advise(trouble.kind, language)) {
        let _ = writeln!(stderr, "{advice}");
    }
    ExitCode::from(exit_code(error))
}

fn trouble_in(error: &anyhow::Error) -> Option<&Trouble> {
    error.chain().find_map(|cause| match cause.downcast_ref::<EnrolError>() {
        Some(EnrolError::Trouble(trouble)) => Some(trouble),
        _ => cause.downcast_ref::<Trouble>(),
    })
}

pub(crate) fn exit_code(error: &anyhow::Error) -> u8 {
    if let Some(trouble) = trouble_in(error).filter(|trouble| status::verdict_of(trouble.kind) != Verdict::Trouble) {
        return code(status::verdict_of(trouble.kind));
    }
    let waits = |trouble: &Trouble| matches!(trouble.kind, TroubleKind::AwaitsApproval | TroubleKind::KeyLost);
    if trouble_in(error).is_some_and(waits) {
        return code(Verdict::Waiting);
    }
    if matches!(state_error_in(error), Some(StateError::InUse(_))) {
        return 6;
    }
    match error.downcast_ref::<ServiceError>() {
        Some(ServiceError::NotEnrolled | ServiceError::Invitation(_)) => code(Verdict::NotEnrolled),
        Some(ServiceError::Released) => RELEASED,
        _ => code(Verdict::Trouble),
    }
}

/// The state folder's error, whichever command met it.
fn state_error_in(error: &anyhow::Error) -> Option<&StateError> {
    match (error.downcast_ref::<EnrolError>(), error.downcast_ref::<OpenError>()) {
        (Some(EnrolError::State(error)), _) | (_, Some(OpenError::State(error))) => Some(error),
        _ => error.downcast_ref::<StateError>(),
    }
}

/// The exit code of an agent that has no enrolment.
#[cfg(windows)]
pub(crate) const NOT_ENROLLED: u8 = code(Verdict::NotEnrolled);

/// The exit code of an agent that removed itself.
pub(crate) const RELEASED: u8 = 7;

const fn code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Well => 0,
        Verdict::Trouble => 1,
        Verdict::NotEnrolled => 3,
        Verdict::Waiting => 4,
        Verdict::Refused => 5,
    }
}

/// Keeps the key that releases must be signed with. An installer without one leaves what was pinned before.
#[cfg(windows)]
fn pin_update_key(state: &StateDir, key: &str) -> anyhow::Result<()> {
    if key.trim().is_empty() {
        return Ok(());
    }
    let progress = crate::update::Progress { keys: vec![key.trim().parse()?], ..state.update() };
    Ok(state.keep_update(&progress)?)
}

async fn enrol_once(state: &Path, options: Enrol) -> anyhow::Result<u8> {
    let roots_pem = std::fs::read_to_string(&options.roots).with_context(|| {
        format!(
            "the file of roots {} could not be read; `cartable-server show-roots` prints it",
            options.roots.display()
        )
    })?;
    let token = match (options.token, &options.token_file) {
        (Some(token), _) => token,
        (None, Some(file)) => {
            read_token(file).with_context(|| format!("the token file {} could not be read", file.display()))?
        }
        (None, None) => anyhow::bail!("a token is needed: --token or --token-file"),
    };
    anyhow::ensure!(
        (1..=MAX_TOKEN_CHARS).contains(&token.trim().chars().count()),
        "this is not an enrolment token: it is empty or too long"
    );
    // Root's last act: what only it may read.
    let root = options.machine.root.clone();
    let hardware = collect(&options.machine.sources(), Drives::Leave).await.hardware;
    privilege::become_owner_of(state)?;
    let state = StateDir::open(state)?;
    let _lock = state.lock()?;
    #[cfg(windows)]
    pin_update_key(&state, &options.update_key)?;
    let key = if options.new_key { KeyChoice::New } else { KeyChoice::Keep };
    let words = |text: &Option<String>| text.as_deref().and_then(Text::meaningful);
    let disclosure = Disclosure::named(words(&options.organisation), words(&options.contact));
    let protection = options.key.with(tpm::place(options.tpm, &root));
    let invitation = Invitation { server: options.server, roots_pem, token, key, protection, disclosure };
    let pending = enrol::prepare(&state, invitation)?;
    match enrol::ask(&state, pending, hardware, Proxy::FromEnvironment).await? {
        Progress::Enrolled(enrolment) => {
            print(&format!("enrolled: device {}", enrolment.grant.device_id))?;
            Ok(code(Verdict::Well))
        }
        Progress::Waiting { reason, .. } => {
            print(&format!("waiting for approval: {reason}\nThe service goes on asking; or run this command again."))?;
            Ok(code(Verdict::Waiting))
        }
    }
}

fn read_token(file: &Path) -> std::io::Result<String> {
    if file == Path::new("-") { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) }
}

async fn serve(state: &Path, life: Life) -> anyhow::Result<u8> {
    let state = StateDir::open(state)?;
    let _lock = state.lock()?;
    service::run(state, life).await?;
    Ok(0)
}

async fn once(state: &Path, sources: Sources) -> anyhow::Result<u8> {
    let report = collect(&sources, Drives::Ask).await;
    let reader = if privilege::become_owner_of(state)? { Reader::Given(Box::new(report)) } else { sources.into() };
    let state = StateDir::open(state)?;
    let _lock = state.lock()?;
    let enrolment = state.enrolment()?.ok_or(ServiceError::NotEnrolled)?;
    let mut agent = Agent::open(state, enrolment, reader, Proxy::FromEnvironment)?;
    let done = match agent.check_in(Occasion::Wanted, &Surroundings::default()).await {
        Err(trouble) if trouble.kind == TroubleKind::Released => {
            agent.remove()?;
            return Err(ServiceError::Released.into());
        }
        result => result?,
    };
    print(&format!(
        "checked in: {} reports acknowledged, {} waiting, next in {} s",
        done.acknowledged, done.spooled, done.next_check_in_seconds
    ))?;
    Ok(0)
}

/// Answers the question on standard input. What goes wrong is told on standard error; the asker sees no report.
async fn probe(sources: &Sources) -> anyhow::Result<u8> {
    let mut question = String::new();
    // The service's end of the socket stays open: read no further than the line.
    std::io::BufReader::new(std::io::stdin().take(64)).read_line(&mut question)?;
    print(&reader::answer(&question, sources).await?).map(|()| 0)
}

async fn show(state: &Path, options: Show) -> anyhow::Result<u8> {
    let language = options.lang.unwrap_or_else(Language::of_environment);
    if options.json || options.report {
        let mut report = collect(&options.machine.sources(), Drives::Ask).await;
        report.firmware.key_protection = StateDir::key_protection_at(state);
        return show_message(state, report, options.report);
    }
    let shown = match last_shown(state, &options.public) {
        Some(shown) => shown,
        None => not_yet_sent(collect(&options.machine.sources(), Drives::Ask).await),
    };
    let Some(file) = options.html else {
        return print(&disclosure::text(&disclosure::page(&shown, language))).map(|()| 0);
    };
    std::fs::write(&file, disclosure::html(&shown, language))
        .with_context(|| format!("the page could not be written to {}", file.display()))?;
    Ok(0)
}

/// What was sent last: as the service published it, or as the state folder has it where that may be read.
fn last_shown(state: &Path, public: &Path) -> Option<Shown> {
    Shown::published(public).or_else(|| StateDir::existing(state).ok()?.shown())
}

fn not_yet_sent(report: HealthReport) -> Shown {
    let (report_id, measured_at) = (ReportId(uuid::Uuid::new_v4()), clock::now());
    let report = Some(ReportEnvelope { report_id, sequence: 1, measured_at, report });
    Shown { server: None, sent_at: None, agent_version: version(), report, disclosure: Disclosure::default() }
}

/// The message of a first contact: with the whole report, under the number it would get.
fn show_message(state: &Path, report: HealthReport, only_report: bool) -> anyhow::Result<u8> {
    if only_report {
        return print(&json::spread(&report)?).map(|()| 0);
    }
    let waiting = Spool::peek(&state.join("spool"));
    let sequence = waiting.last().map_or(1, |record| record.sequence + 1);
    let now = clock::now();
    let content_hash = Some(report.content_hash());
    let envelope = ReportEnvelope { report_id: ReportId(uuid::Uuid::new_v4()), sequence, measured_at: now, report };
    let message = CheckInRequest {
        agent_version: version(),
        sent_at: now,
        content_hash,
        disclosure_mark: None,
        trust_bundle: None,
        action_results: Vec::new(),
        reports: vec![envelope],
    };
    print(&json::spread(&message)?).map(|()| 0)
}

fn say_notice(public: &Path, language: Language) -> anyhow::Result<u8> {
    if let Some(notice) = DesktopNotice::published(public, clock::now()) {
        print(&notice.words(language).join("\n"))?;
    }
    Ok(0)
}

fn say_status(path: &Path, language: Language) -> anyhow::Result<u8> {
    let mut facts = Facts::default();
    privilege::become_owner_of(path)?;
    if path.exists() {
        let state = StateDir::existing(path)?;
        facts.enrolment = state.enrolment()?;
        facts.pending = state.pending()?;
        facts.memory = state.memory();
        facts.spooled = Spool::peek(&state.spool_folder());
        facts.service = if state.is_in_use() { Service::Running } else { Service::Stopped };
    }
    let (lines, verdict) = status::describe(&facts, language, clock::now());
    print(&lines.join("\n"))?;
    Ok(code(verdict))
}

/// Prints to standard output; a reader that left early (`| head`) is no failure.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    match writeln!(stdout, "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe && !stdout.is_terminal() => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_recorded_machine_never_asks_this_computers_drives() {
        let machine =
            |root: &str, smartctl: Option<&str>| Machine { root: root.into(), smartctl: smartctl.map(Into::into) };
        assert_eq!(machine("/records/a", None).sources().drive_health, DriveHealth::RecordedOnly);
        assert_eq!(machine("/", None).sources().drive_health, DriveHealth::Program("smartctl".into()));
        assert_eq!(machine("/records/a", Some("x")).sources().drive_health, DriveHealth::Program("x".into()));
    }

    #[test]
    fn failures_have_their_exit_codes() {
        let refused = || Trouble::new(TroubleKind::Refused, "x");
        assert_eq!(exit_code(&refused().into()), 5);
        assert_eq!(exit_code(&EnrolError::from(refused()).into()), 5);
        assert_eq!(exit_code(&ServiceError::NotEnrolled.into()), 3);
        assert_eq!(exit_code(&ServiceError::Released.into()), 7);
        assert_eq!(exit_code(&StateError::InUse("x".into()).into()), 6);
        assert_eq!(exit_code(&EnrolError::from(StateError::InUse("x".into())).into()), 6);
        assert_eq!(exit_code(&Trouble::new(TroubleKind::Busy, "x").into()), 1);
        assert_eq!(exit_code(&Trouble::new(TroubleKind::AwaitsApproval, "x").into()), 4);
        assert_eq!(exit_code(&Trouble::new(TroubleKind::KeyLost, "x").into()), 4);
        assert_eq!(exit_code(&Trouble::new(TroubleKind::Tpm, "x").into()), 1);
    }
}
