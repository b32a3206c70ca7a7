//! How long events are stored, for an account and after its deletion.

use std::rc::Rc;
use std::time::Duration;

use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::outbox::Outbox;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::sequence::number_at;
use crate::flows::base::sql;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};
use crate::settings::{DEDUPLICATION, EVENT_RETENTION_DAYS};
use crate::time::Timestamp;

/// After the account's deletion, pending events are dropped when they are this old.
const LONGEST: Duration = Duration::from_hours(24 * EVENT_RETENTION_DAYS);
/// The least time between two trims: a trim reads all rows.
const TRIMMED: Duration = Duration::from_hours(1);
/// This many new events cause a trim before that time.
const TRIMMED_COUNT: u32 = 1000;

/// Trims the events of the outbox, with their deliveries, attempts and dead letters.
pub(in crate::flows) struct EventRetention<O, S> {
    base: Rc<Base<O, S>>,
    outbox: Rc<Outbox<O, S>>,
}

impl<O: Outside, S: Storage> EventRetention<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>, outbox: &Rc<Outbox<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
            outbox: Rc::clone(outbox),
        }
    }

    /// When the next trim is due.
    fn next_trim(&self) -> Result<Option<Timestamp>, StorageFault> {
        if self.outbox.trim_at().is_none() && self.outbox.is_there()? {
            self.outbox
                .set_trim_at(self.first_to_trim(self.base.outside().now())?);
        }
        Ok(self.outbox.trim_at())
    }

    fn trim_seen(&self, now: Timestamp) -> Result<(), StorageFault> {
        let oldest = now.minus(DEDUPLICATION).as_millis();
        sql::run(
            self.base.storage(),
            "DELETE FROM seen WHERE at <= ?",
            &[oldest.into()],
        )
    }

    fn trim_events(&self, now: Timestamp) -> Result<(), StorageFault> {
        let settings = self.base.outside().settings();
        let by_age = number_at(now.minus(settings.event_retention));
        let kept = i64::try_from(settings.event_retention_count).unwrap_or(i64::MAX);
        let statement = "SELECT number FROM event WHERE status <> 'pending' ORDER BY number DESC LIMIT 1 OFFSET ?";
        let by_count =
            sql::one::<i64>(self.base.storage(), statement, &[kept.into()])?.unwrap_or(0);
        let last = by_age.max(by_count);
        self.drop_settled_events(last)
    }

    /// Deletes settled events up to this number. The directory removes the failed ones from its list.
    fn drop_settled_events(&self, last: i64) -> Result<(), StorageFault> {
        let statements = [
            "INSERT OR REPLACE INTO report (event, is_failed) SELECT number, 0 FROM event WHERE number <= ? AND status = 'failed'",
            "DELETE FROM event WHERE number <= ? AND status <> 'pending'",
            "DELETE FROM delivery WHERE event <= ?1 AND event NOT IN (SELECT number FROM event WHERE number <= ?1)",
            "DELETE FROM attempt WHERE event <= ?1 AND event NOT IN (SELECT number FROM event WHERE number <= ?1)",
            "DELETE FROM unread WHERE event <= ?1 AND event NOT IN (SELECT number FROM event WHERE number <= ?1)",
        ];
        for statement in statements {
            sql::run(self.base.storage(), statement, &[last.into()])?;
        }
        Ok(())
    }

    fn first_to_trim(&self, now: Timestamp) -> Result<Option<Timestamp>, StorageFault> {
        let retention = self.base.outside().settings().event_retention;
        let statement =
            "SELECT created_at FROM event WHERE status <> 'pending' ORDER BY number LIMIT 1";
        let event: Option<Timestamp> = sql::one(self.base.storage(), statement, &[])?;
        let statement = "SELECT MIN(at) FROM seen";
        let seen: Option<Timestamp> = sql::one(self.base.storage(), statement, &[])?;
        let event = event.map(|at| at.plus(retention));
        let seen = seen.map(|at| at.plus(DEDUPLICATION));
        let first = [event, seen].into_iter().flatten().min();
        Ok(first.map(|at| at.max(now.plus(TRIMMED))))
    }

    /// After the account's deletion: whether no event is pending and the directory lists none as failed.
    fn has_ended(&self) -> Result<bool, StorageFault> {
        if !self.outbox.is_there()? {
            return Ok(true);
        }
        let now = self.base.outside().now();
        if self.last_end()?.is_some_and(|end| end > now) {
            return Ok(false);
        }
        let listed = "INSERT OR REPLACE INTO report (event, is_failed) SELECT number, 0 FROM event WHERE status = 'failed'";
        sql::run(self.base.storage(), listed, &[])?;
        sql::run(
            self.base.storage(),
            "DELETE FROM event WHERE status <> 'pending'",
            &[],
        )?;
        Ok(!sql::exists(
            self.base.storage(),
            "SELECT event FROM report LIMIT 1",
            &[],
        )?)
    }

    fn last_end(&self) -> Result<Option<Timestamp>, StorageFault> {
        let statement = "SELECT MAX(created_at) FROM event WHERE status = 'pending'";
        let newest: Option<Timestamp> = sql::one(self.base.storage(), statement, &[])?;
        Ok(newest.map(|at| at.plus(LONGEST)))
    }
}

impl<O: Outside, S: Storage> Stored for EventRetention<O, S> {
    /// Pending events are not trimmed, however old.
    fn trim(&self) -> Result<(), StorageFault> {
        if !self.outbox.is_there()? {
            return Ok(());
        }
        let now = self.base.outside().now();
        let is_due = self.outbox.trim_at().is_none_or(|due| due <= now);
        if is_due || self.outbox.stored() >= TRIMMED_COUNT {
            self.trim_seen(now)?;
            self.trim_events(now)?;
            self.outbox.note_trimmed(self.first_to_trim(now)?);
        }
        Ok(())
    }

    /// After the account's deletion also the time at which pending events are dropped.
    fn next_due(&self, state: &State) -> Result<Option<Timestamp>, Failure> {
        let end = match state {
            State::Missing if self.outbox.is_there()? => self.last_end()?,
            State::Missing | State::Unread | State::Here(_) => None,
        };
        Ok([self.next_trim()?, end].into_iter().flatten().min())
    }

    fn reseal(&self) -> Result<(), Failure> {
        // Only dead letters are encrypted, and they are a component of their own.
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        Ok(self.has_ended()?)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        // Pending events are delivered after the deletion; the last one reports it.
        Ok(())
    }

    /// The time of the last trim is in the outbox.
    fn reset(&self) {}
}
