//! The ids of all records. They are made from a given moment and given random bytes.
//!
//! All are `UUIDv8` (RFC 9562 §5.8): 48 bits of milliseconds, then, for what lives in a region,
//! 3 bits that say where, the rest random. So any edge finds an object without a look-up. One more bit says that
//! tokens and webhook URLs which name the id are signed (`account::token`).

mod event;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::json::text_type;
use crate::time::Timestamp;

pub use event::EventId;

/// Where data lives: a Durable Object location hint, or for `eu` the jurisdiction.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Default,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// Western North America.
    #[default]
    Wnam,
    /// Eastern North America.
    Enam,
    /// Asia-Pacific.
    Apac,
    /// The European Union.
    Eu,
}

impl Region {
    /// The name used in the API, which is also the platform's location hint.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wnam => "wnam",
            Self::Enam => "enam",
            Self::Apac => "apac",
            Self::Eu => "eu",
        }
    }
}

/// A region with the jurisdiction its objects were created under: the same name under
/// another jurisdiction is another object, so the id remembers which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Placement {
    /// Anywhere near the region (a location hint).
    Hinted(Region),
    /// Inside the `eu` jurisdiction, which the platform enforces.
    EuJurisdiction,
}

impl Placement {
    /// Where something asked for in `region` goes, given whether the platform enforces the `eu` jurisdiction.
    pub fn new(region: Region, jurisdiction: EuJurisdiction) -> Self {
        match (region, jurisdiction) {
            (Region::Eu, EuJurisdiction::Enforced) => Self::EuJurisdiction,
            _ => Self::Hinted(region),
        }
    }

    /// The region without how it is enforced.
    pub fn region(self) -> Region {
        match self {
            Self::Hinted(region) => region,
            Self::EuJurisdiction => Region::Eu,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Hinted(Region::Wnam) => 0,
            Self::Hinted(Region::Enam) => 1,
            Self::Hinted(Region::Apac) => 2,
            Self::EuJurisdiction => 3,
            Self::Hinted(Region::Eu) => 4,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Hinted(Region::Wnam),
            1 => Self::Hinted(Region::Enam),
            2 => Self::Hinted(Region::Apac),
            3 => Self::EuJurisdiction,
            4 => Self::Hinted(Region::Eu),
            _ => return None,
        })
    }
}

/// Whether the platform enforces the `eu` jurisdiction (the local runtime cannot).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EuJurisdiction {
    /// In production.
    Enforced,
    /// Locally: `eu` is then a location hint only.
    Off,
}

/// An id could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this service")]
pub struct NotAnId;

/// What tokens and webhook URLs name.
pub trait Id: Copy + fmt::Display + FromStr<Err = NotAnId> {
    /// 32 hex digits, without hyphens: the form inside tokens and event ids.
    fn to_hex(self) -> String;

    /// Whether it was made since tokens and webhook URLs are signed: an unsigned one of it is forged.
    fn is_signed(self) -> bool;
}

/// Of the 4 upper bits of `custom_b`: tokens of this id are signed.
const SIGNED: u8 = 0b1000;
/// Of the same: where it lives.
const PLACE: u8 = 0b0111;

fn make(now: Timestamp, first: u8, random: [u8; 10]) -> Uuid {
    let mut bytes = [0; 16];
    let millis = u64::try_from(now.as_millis()).unwrap_or(0).to_be_bytes();
    let [_, _, time @ ..] = millis;
    let (head, tail) = bytes.split_at_mut(6);
    head.copy_from_slice(&time);
    tail.copy_from_slice(&random);
    let mut number = u128::from_be_bytes(bytes);
    // 12 bits `custom_b` follow the version; its upper 4 say where.
    number &= !(0xf << 72);
    number |= u128::from(SIGNED | (first & PLACE)) << 72;
    uuid::Builder::from_custom_bytes(number.to_be_bytes()).into_uuid()
}

fn read(text: &str) -> Result<Uuid, NotAnId> {
    let id = Uuid::try_parse(text).map_err(|_| NotAnId)?;
    // One text an id: no braces, no upper case, no `urn:`; so a look-up by text is a look-up by id.
    let is_canonical =
        matches!(text.len(), 36 | 32) && !text.bytes().any(|b| b.is_ascii_uppercase());
    if is_canonical && id.get_version_num() == 8 {
        Ok(id)
    } else {
        Err(NotAnId)
    }
}

macro_rules! id {
    (plain $name:ident) => {
        impl $name {
            /// A new id.
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                Self(make(now, 0, random))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                read(text).map(Self)
            }
        }
    };
    (placed $name:ident) => {
        impl $name {
            /// A new id that says where its object lives.
            pub fn new(now: Timestamp, placement: Placement, random: [u8; 10]) -> Self {
                Self(make(now, placement.code(), random))
            }

            /// Where its object lives.
            pub fn placement(self) -> Placement {
                place(self.0).unwrap_or(Placement::Hinted(Region::Wnam))
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let id = read(text)?;
                place(id).map(|_| Self(id)).ok_or(NotAnId)
            }
        }
    };
    ($(#[$doc:meta])* $name:ident is $kind:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        id!($kind $name);

        impl $name {
            /// 32 hex digits, without hyphens: the form inside tokens and event ids.
            pub fn to_hex(self) -> String {
                self.0.simple().to_string()
            }
        }

        impl Id for $name {
            fn to_hex(self) -> String {
                self.to_hex()
            }

            fn is_signed(self) -> bool {
                bits(self.0) & SIGNED != 0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        text_type!(
            $name,
            read: |text| text.parse(),
            show: |own| own,
            inline: true,
            schema: { "type": "string", "format": "uuid" }
        );
    };
}

/// The 4 upper bits of `custom_b`.
fn bits(id: Uuid) -> u8 {
    u8::try_from((id.as_u128() >> 72) & 0xf).unwrap_or_default()
}

fn place(id: Uuid) -> Option<Placement> {
    Placement::from_code(bits(id) & PLACE)
}

id!(
    /// A connected account (`integrated_account_id` in the API); names its `Account` object.
    AccountId is placed
);
id!(
    /// An environment; names its `Directory` object.
    EnvironmentId is placed
);
id!(
    /// An integration, shared by all environments.
    IntegrationId is plain
);
id!(
    /// An integration installed in an environment (`environment_integration_id` in the API).
    InstallId is plain
);
id!(
    /// An API token (not the token itself).
    ApiTokenId is plain
);
id!(
    /// A link token (not the token itself).
    LinkTokenId is plain
);
id!(
    /// A subscription to events (`webhook_id` in the API).
    WebhookId is plain
);

id!(
    /// An MCP token (not the token itself).
    McpTokenId is plain
);

#[cfg(test)]
mod tests;
