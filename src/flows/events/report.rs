//! Reports failed events to the directory, which lists those of all accounts. A report is repeated until it is answered.

use crate::error::{Code, Failure};
use crate::flows::base::records::FailedEvent;
use crate::flows::base::sql;
use crate::flows::events::deliver::Dispatcher;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::send_to_environment;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};

/// The most events of one report.
const STEP: i64 = 100;
/// The most reports of one alarm, which has other work.
const STEPS: usize = 50;

impl<O: Outside, S: Storage> Dispatcher<O, S> {
    /// Sends reports until none is left, up to [`STEPS`].
    pub(in crate::flows) async fn report(&self, environment: EnvironmentId) -> Result<(), Failure> {
        for _ in 0..STEPS {
            if !self.report_step(environment).await? {
                break;
            }
        }
        Ok(())
    }

    /// Returns whether there was an event to report.
    async fn report_step(&self, environment: EnvironmentId) -> Result<bool, Failure> {
        if !sql::exists(self.base.storage(), "SELECT 1 FROM report LIMIT 1", &[])? {
            return Ok(false);
        }
        let failed = self.unreported(true)?;
        if !failed.is_empty() {
            let events = failed
                .iter()
                .filter_map(|number| self.failed_event(*number).transpose());
            let message = EnvironmentMessage::NoteFailed(events.collect::<Result<_, _>>()?);
            self.send_report(environment, &message, &failed, 1).await?;
        }
        let forgotten = self.unreported(false)?;
        if !forgotten.is_empty() {
            let ids = forgotten.iter().map(|number| self.outbox.event_id(*number));
            let message = EnvironmentMessage::ForgetFailed(ids.collect());
            self.send_report(environment, &message, &forgotten, 0)
                .await?;
        }
        Ok(!failed.is_empty() || !forgotten.is_empty())
    }

    async fn send_report(
        &self,
        environment: EnvironmentId,
        message: &EnvironmentMessage,
        numbers: &[i64],
        is_failed: i64,
    ) -> Result<(), Failure> {
        match send_to_environment::<()>(self.base.outside(), environment, message).await {
            Err(failure) if failure.code != Code::NotFound => return Err(failure),
            _ => {}
        }
        // An event whose status changed during the report is reported again.
        let statement = "DELETE FROM report WHERE event = ? AND is_failed = ?";
        for number in numbers {
            sql::run(
                self.base.storage(),
                statement,
                &[(*number).into(), is_failed.into()],
            )?;
        }
        Ok(())
    }

    fn unreported(&self, is_failed: bool) -> Result<Vec<i64>, StorageFault> {
        let statement = "SELECT event FROM report WHERE is_failed = ? LIMIT ?";
        let values = [i64::from(is_failed).into(), STEP.into()];
        sql::column(self.base.storage(), statement, &values)
    }

    fn failed_event(&self, number: i64) -> Result<Option<FailedEvent>, StorageFault> {
        let (storage, values) = (self.base.storage(), [number.into()]);
        let statement = "SELECT event, created_at FROM event WHERE number = ?";
        let Some((event, created_at)) = sql::first(storage, statement, &values)? else {
            return Ok(None);
        };
        let statement = "SELECT webhook_id FROM delivery WHERE event = ? AND status = 'failed'";
        let webhooks: Vec<String> = sql::column(storage, statement, &values)?;
        Ok(Some(FailedEvent {
            id: self.outbox.event_id(number),
            event,
            webhook_ids: webhooks.iter().filter_map(|id| id.parse().ok()).collect(),
            created_at,
        }))
    }
}
