//! The command line: `enrol | run | once | show | status | probe`, their options and what they do.

mod enrol;
mod exit;
mod show;

use std::{
    io::{BufRead as _, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

#[cfg(windows)]
pub(crate) use self::exit::{NOT_ENROLLED, RELEASED, exit_code};
use self::{
    enrol::Enrol,
    exit::{code, complain},
    show::Show,
};
use crate::{
    actions::DesktopNotice,
    client::Proxy,
    clock,
    collect::{DriveHealth, Drives, Sources, collect},
    contact::{Agent, OpenError},
    fairness::Surroundings,
    language::Language,
    log, platform, privilege,
    reader::{self, Occasion, Reader},
    service::{self, Life, ServiceError},
    spool::Spool,
    state::StateDir,
    status::{self, Facts, Service},
    trouble::TroubleKind,
};

/// Reads this computer's hardware health and reports it to a Cartable server.
#[derive(Debug, Parser)]
#[command(version = env!("CARTABLE_VERSION"), about, after_help = EXIT_CODES)]
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
                          7 released: this computer changed owner, the agent removed its key and its data, \
                          8 what it keeps or was given cannot be used: only a person can mend that";

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
        #[arg(long, value_name = "DIR", default_value_os_t = platform::public_folder())]
        public: PathBuf,
        /// Show it on the desktop instead, as the service has it shown to whoever signs in
        #[cfg(windows)]
        #[arg(long)]
        toast: bool,
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
        /// The key that releases are signed with; without one what was given before stays
        #[arg(long, value_name = "KEY", default_value = "")]
        update_key: String,
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
            Command::Service(ServiceCommand::Install { start, update_key }) => {
                log::start(self.log);
                crate::windows::install::install(&self.state, start, &update_key)
            }
            Command::Service(ServiceCommand::Uninstall { erase }) => {
                log::start(self.log);
                crate::windows::install::uninstall(erase.then_some(self.state.as_path()))
            }
            Command::Wmi => crate::collect::print_answers().map_err(Into::into),
            Command::Notice { toast: true, lang, public } => {
                // Nobody sees what a program without a window writes.
                log::start_with(self.log, crate::windows::events::write);
                crate::windows::notice::toast(&public, lang)
            }
            Command::Enrol(_)
            | Command::Run { .. }
            | Command::Probe { .. }
            | Command::Once { .. }
            | Command::Show(_)
            | Command::Notice { .. }
            | Command::Status { .. } => {
                return Err(self);
            }
        };
        Ok(done.map_or_else(|error| complain(&error, Language::of_environment()), |()| ExitCode::SUCCESS))
    }
}

/// Runs a command and gives its exit code.
pub async fn run(cli: Cli) -> ExitCode {
    log::start(cli.log);
    let language = language_of(&cli.command);
    let done = match cli.command {
        Command::Enrol(options) => enrol::enrol_once(&cli.state, options).await,
        Command::Run { first_within: first_within_seconds, probe, invitations, public, machine } => {
            let (root, sources) = (machine.root.clone(), machine.sources());
            let reader = probe.map_or(Reader::Own(sources), Reader::Probe);
            serve(&cli.state, Life { reader, root, first_within_seconds, invitations, public }).await
        }
        Command::Once { machine } => once(&cli.state, machine.sources()).await,
        Command::Probe { machine } => probe(&machine.sources()).await,
        Command::Show(options) => show::show(&cli.state, options).await,
        Command::Notice { lang, public, .. } => say_notice(&public, lang.unwrap_or_else(Language::of_environment)),
        Command::Status { .. } => say_status(&cli.state, language),
        // Done before there was a runtime.
        #[cfg(windows)]
        Command::Service(_) | Command::Wmi => Ok(code(status::Verdict::Trouble)),
    };
    done.map_or_else(|error| complain(&error, language), ExitCode::from)
}

/// The language in which `command` explains itself, and complains.
fn language_of(command: &Command) -> Language {
    let asked = if let Command::Status { lang } = command { *lang } else { None };
    asked.unwrap_or_else(Language::of_environment)
}

async fn serve(state: &Path, life: Life) -> anyhow::Result<u8> {
    let state = StateDir::open(state)?;
    let _lock = state.lock()?;
    service::run(state.clone(), life).await.map_err(|error| at_fault(&state, error))?;
    Ok(0)
}

/// The file at fault and its remedy, where the service could not start with what stands in one.
fn at_fault(state: &StateDir, error: ServiceError) -> anyhow::Error {
    let is_of_what_is_kept = matches!(error, ServiceError::Open(OpenError::Client(_)));
    match state.usable_enrolment() {
        Err(damaged) if is_of_what_is_kept => damaged.into(),
        _ => error.into(),
    }
}

async fn once(state: &Path, sources: Sources) -> anyhow::Result<u8> {
    let report = collect(&sources, Drives::Ask).await;
    let reader = if privilege::become_owner_of(state)? { Reader::Given(Box::new(report)) } else { sources.into() };
    let state = StateDir::open(state)?;
    let _lock = state.lock()?;
    let Some(enrolment) = state.usable_enrolment()? else { return without_enrolment(&state) };
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

/// There is nothing to check in with. A request that was made is told as `status` tells it.
fn without_enrolment(state: &StateDir) -> anyhow::Result<u8> {
    let pending = Some(state.pending()?.ok_or(ServiceError::NotEnrolled)?);
    let facts = Facts { pending, memory: state.memory(), ..Facts::default() };
    let (lines, verdict) = status::describe(&facts, Language::of_environment(), clock::now());
    print(&lines.join("\n"))?;
    Ok(code(verdict))
}

/// Answers the question on standard input with one line, whose line feed says that it is whole. What goes wrong is told on
/// standard error; the asker sees no report.
async fn probe(sources: &Sources) -> anyhow::Result<u8> {
    let mut question = String::new();
    // The service's end of the socket stays open: read no further than the line.
    std::io::BufReader::new(std::io::stdin().take(64)).read_line(&mut question)?;
    print(&reader::answer(&question, sources).await?).map(|()| 0)
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
        facts.enrolment = state.usable_enrolment()?;
        facts.pending = match state.pending() {
            // Contacts go on beside a request that cannot be read.
            Err(error) if facts.enrolment.is_some() => {
                facts.unread_request = Some(error.words(language));
                None
            }
            pending => pending?,
        };
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
}
