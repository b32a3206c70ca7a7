//! The id of an event, which names its account.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use crate::json::text_type;

use super::{AccountId, NotAnId};

/// An event of an account: `evt_<account id, 32 hex>_<16 hex>`, the latter counting up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId {
    account: AccountId,
    number: [u8; 8],
}

impl EventId {
    /// A new id.
    pub fn new(account: AccountId, number: [u8; 8]) -> Self {
        Self { account, number }
    }

    /// Its place among the events of its account.
    pub fn number(self) -> i64 {
        i64::from_be_bytes(self.number)
    }

    /// The account of the event, and so the object that has it.
    pub fn account(self) -> AccountId {
        self.account
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (account, number) = (self.account.to_hex(), HEXLOWER.encode(&self.number));
        write!(f, "evt_{account}_{number}")
    }
}

impl FromStr for EventId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let (account, number) = text
            .strip_prefix("evt_")
            .and_then(|rest| rest.split_once('_'))
            .ok_or(NotAnId)?;
        let number = HEXLOWER.decode(number.as_bytes()).map_err(|_| NotAnId)?;
        Ok(Self {
            account: account.parse().map_err(|_| NotAnId)?,
            number: number.try_into().map_err(|_| NotAnId)?,
        })
    }
}

text_type!(
    EventId,
    read: |text| text.parse(),
    show: |own| own,
    inline: true,
    schema: { "type": "string", "pattern": "^evt_[0-9a-f]{32}_[0-9a-f]{16}$" }
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Placement, Region};
    use crate::time::Timestamp;

    #[test]
    fn an_event_id_names_its_account() {
        let place = Placement::Hinted(Region::Apac);
        let account = AccountId::new(Timestamp::from_millis(1_700_000_000_000), place, [3; 10]);
        let id = EventId::new(account, [0xab; 8]);
        let text = id.to_string();
        assert_eq!(text, format!("evt_{}_abababababababab", account.to_hex()));
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(id.account(), account);
        for wrong in [
            &text[4..],
            &text[..text.len() - 1],
            "evt__ab",
            &text.to_uppercase(),
        ] {
            assert_eq!(wrong.parse::<EventId>(), Err(NotAnId), "{wrong}");
        }
        let with_hyphens = format!("evt_{account}_abababababababab");
        assert_eq!(
            with_hyphens.parse::<EventId>().map(|id| id.to_string()),
            Ok(text)
        );
    }
}
