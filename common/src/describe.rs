//! How a reported type describes itself: the name, unit and purpose of each of its fields.
//!
//! The [`reported!`](crate::describe) macro defines a struct together with that description, so the dictionary that
//! families read cannot drift from what is sent.

/// One field of a reported type.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name on the wire.
    pub name: &'static str,
    /// The unit or the form of the value: `bytes`, `percent`, `text`, `list`…
    pub unit: &'static str,
    /// Why it is collected, in English.
    pub why: &'static str,
    /// Why it is collected, in French.
    pub why_fr: &'static str,
    /// The fields of the value itself, where it is a structure or a list of structures.
    pub fields: &'static [Field],
}

/// A type that may stand in a report.
pub trait Described {
    /// The unit or the form of the value.
    const UNIT: &'static str;
    /// The fields, where the type is a structure or a list of structures.
    const FIELDS: &'static [Field] = &[];
    /// Whether the value is left out of the JSON: it was not read. Never the same as zero.
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T: Described> Described for Option<T> {
    const UNIT: &'static str = T::UNIT;
    const FIELDS: &'static [Field] = T::FIELDS;
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Described> Described for Vec<T> {
    const UNIT: &'static str = "list";
    const FIELDS: &'static [Field] = T::FIELDS;
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

macro_rules! described_scalar {
    ($($type:ty => $unit:literal),* $(,)?) => {
        $(impl Described for $type { const UNIT: &'static str = $unit; })*
    };
}

described_scalar! {
    bool => "yes or no",
    u8 => "number",
    u16 => "number",
    u32 => "number",
    u64 => "number",
}

/// Defines a reported structure and its description. Each field has a doc comment (why it is collected, English)
/// and the same in French after `fr`.
macro_rules! reported {
    ($(#[$meta:meta])* pub struct $name:ident { $(#[doc = $why:literal] fr $fr:literal, $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $(
                #[doc = $why]
                #[serde(default, skip_serializing_if = "crate::describe::Described::is_absent")]
                pub $field: $type,
            )*
        }
        impl crate::describe::Described for $name {
            const UNIT: &'static str = "structure";
            const FIELDS: &'static [crate::describe::Field] = &[
                $(crate::describe::Field {
                    name: stringify!($field),
                    unit: <$type as crate::describe::Described>::UNIT,
                    why: $why.trim_ascii(),
                    why_fr: $fr,
                    fields: <$type as crate::describe::Described>::FIELDS,
                },)*
            ];
        }
    };
}

/// Defines an enumeration whose unknown values on the wire become `Unknown` instead of an error.
macro_rules! reported_enum {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vmeta])* #[serde(rename = $text)] $variant,)*
            /// Anything this version does not know.
            #[default]
            #[serde(other, rename = "unknown")]
            Unknown,
        }
        impl $name {
            /// Every value, in the order of their declaration, `Unknown` last.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)* Self::Unknown];
            /// The value's text on the wire and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* Self::Unknown => "unknown" }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
        impl crate::describe::Described for $name {
            const UNIT: &'static str = concat!($("`", $text, "`, ",)* "`unknown`");
        }
    };
}

pub(crate) use {reported, reported_enum};
