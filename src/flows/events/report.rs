//! The directory lists the failed events of all accounts: it is told of each, until it has answered.

use crate::error::{Code, Failure};
use crate::flows::base::records::FailedEvent;
use crate::flows::base::sql;
use crate::flows::events::deliver::Dispatcher;
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::send_to_environment;
use crate::ids::EnvironmentId;
use crate::ports::{Outside, Storage, StorageFault};

/// Events that are told of at a time.
const STEP: i64 = 100;
/// The alarm has other things to do, too.
const STEPS: usize = 50;

impl<O: Outside, S: Storage> Dispatcher<O, S> {
    /// Tells what is left to be told, for a while.
    pub(in crate::flows) async fn report(&self, environment: EnvironmentId) -> Result<(), Failure> {
        for _ in 0..STEPS {
            if !self.report_step(environment).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether there was anything to tell.
    async fn report_step(&self, environment: EnvironmentId) -> Result<bool, Failure> {
        let failed = self.untold(true)?;
        if !failed.is_empty() {
            let events = failed
                .iter()
                .filter_map(|number| self.failed_event(*number).transpose());
            let ask = EnvironmentMessage::NoteFailed(events.collect::<Result<_, _>>()?);
            self.tell(environment, &ask, &failed, 1).await?;
        }
        let forgotten = self.untold(false)?;
        if !forgotten.is_empty() {
            let ids = forgotten.iter().map(|number| self.outbox.event_id(*number));
            let ask = EnvironmentMessage::ForgetFailed(ids.collect());
            self.tell(environment, &ask, &forgotten, 0).await?;
        }
        Ok(!failed.is_empty() || !forgotten.is_empty())
    }

    async fn tell(
        &self,
        environment: EnvironmentId,
        ask: &EnvironmentMessage,
        numbers: &[i64],
        is_failed: i64,
    ) -> Result<(), Failure> {
        match send_to_environment::<()>(self.base.outside(), environment, ask).await {
            Err(failure) if failure.code != Code::NotFound => return Err(failure),
            _ => {}
        }
        // One that changed meanwhile has to be told again.
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

    fn untold(&self, is_failed: bool) -> Result<Vec<i64>, StorageFault> {
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
