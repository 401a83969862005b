//! Every setting of the policy: name, default, range, meaning, unit and source, in tables from which the types, the
//! documented file and docs/rules.md follow.

use super::setting::{Setting, Value};

/// Defines some of the policy's sections, and the table of their settings.
macro_rules! sections {
    ($( $(#[doc = $section_doc:literal])* $section:ident: $type:ident { $(
        $key:ident: $value:ty = $default:expr, $range:expr, $unit:literal,
        fr $fr:literal, en $en:literal, source $source:literal, source_fr $source_fr:literal;
    )* } )*) => {
        $(
            $(#[doc = $section_doc])*
            #[derive(Clone, Debug, PartialEq, Eq)]
            pub struct $type {
                $( #[doc = $en] pub $key: $value, )*
            }

            impl Default for $type {
                fn default() -> Self {
                    Self { $( $key: $default, )* }
                }
            }
        )*

        /// These sections, each with its heading.
        pub(super) const SECTIONS: &[(&str, &str)] = &[ $( (stringify!($section), concat!($($section_doc, "\n"),*)), )* ];

        /// Their settings, in the order of the file.
        pub(super) const SETTINGS: &[super::Setting] = &[ $( $( super::Setting {
            section: stringify!($section),
            key: stringify!($key),
            fr: $fr,
            en: $en,
            unit: $unit,
            range: $range,
            source: $source,
            source_fr: $source_fr,
            read: |policy, value| {
                policy.$section.$key = <$value as super::Value>::read(value, $range.as_ref())?;
                Ok(())
            },
            write: |policy| super::Value::write(&policy.$section.$key),
        }, )* )* ];
    };
}

mod contact;
mod disposition;
mod erasure;
mod figures;
mod forecast;
mod health;
mod lending;
mod refurbishment;

pub use contact::{AgentPolicy, CalendarPolicy, CheckInPolicy, LoanPolicy, NeverEnrolledPolicy, SilentPolicy};
pub use disposition::DispositionPolicy;
pub use erasure::ErasurePolicy;
pub use figures::FiguresPolicy;
pub use forecast::ForecastPolicy;
pub use health::{BatteryPolicy, ClockPolicy, DiskPolicy, DrivePolicy, MemoryPolicy, OsPolicy};
pub use lending::{AllocationPolicy, DonationPolicy, NoticesPolicy, PrivacyPolicy};
pub use refurbishment::RefurbishmentPolicy;

/// The thresholds of all rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// When a device should come back.
    pub check_in: CheckInPolicy,
    /// Not heard from for too many school days.
    pub silent: SilentPolicy,
    /// Days without school that Cartable does not know yet.
    pub calendar: CalendarPolicy,
    /// Known for a while, but the agent was never installed.
    pub never_enrolled: NeverEnrolledPolicy,
    /// Which version of the agent is old.
    pub agent: AgentPolicy,
    /// What the loan and the device's last word say together.
    pub loan: LoanPolicy,
    /// When the system volume is nearly full.
    pub disk: DiskPolicy,
    /// Wear and risk of failure of drives.
    pub drive: DrivePolicy,
    /// Wear of batteries.
    pub battery: BatteryPolicy,
    /// Systems that are out of support.
    pub os: OsPolicy,
    /// Clocks that are wrong.
    pub clock: ClockPolicy,
    /// Memory that changed.
    pub memory: MemoryPolicy,
    /// What the erasure of drives must be worth.
    pub erasure: ErasurePolicy,
    /// When letters leave.
    pub notices: NoticesPolicy,
    /// Who is proposed which device.
    pub allocation: AllocationPolicy,
    /// When who a borrower was is forgotten.
    pub privacy: PrivacyPolicy,
    /// How long a work order may stay at each stage.
    pub refurbishment: RefurbishmentPolicy,
    /// Under which text a device may be given away.
    pub donation: DonationPolicy,
    /// What becomes of a device.
    pub disposition: DispositionPolicy,
    /// What yearly figures are counted with.
    pub figures: FiguresPolicy,
    /// What the forecast of ready units assumes where history says little.
    pub forecast: ForecastPolicy,
}

/// Every section with its heading, in the order of the file.
pub(super) fn sections() -> impl Iterator<Item = &'static (&'static str, &'static str)> + Clone {
    [
        contact::SECTIONS,
        health::SECTIONS,
        erasure::SECTIONS,
        lending::SECTIONS,
        refurbishment::SECTIONS,
        disposition::SECTIONS,
        figures::SECTIONS,
        forecast::SECTIONS,
    ]
    .into_iter()
    .flatten()
}

/// Every setting, in the order of the file.
pub(super) fn settings() -> impl Iterator<Item = &'static Setting> {
    [
        contact::SETTINGS,
        health::SETTINGS,
        erasure::SETTINGS,
        lending::SETTINGS,
        refurbishment::SETTINGS,
        disposition::SETTINGS,
        figures::SETTINGS,
        forecast::SETTINGS,
    ]
    .into_iter()
    .flatten()
}
