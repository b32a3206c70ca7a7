//! The entries of the file's `body` in a request.

use crate::error::Failure;
use crate::flows::call::build::Prepared;
use crate::flows::call::current::Current;
use crate::flows::call::subject::Plan;
use crate::proxy::body::BodySource;
use crate::proxy::request::{Draft, FileBody, MergedBody};

impl Prepared<'_> {
    /// The request with the entries of the file's `body`. A request that gets a credential has none of them.
    pub(super) fn with_entries(
        &self,
        draft: Draft,
        current: &Current<'_>,
    ) -> Result<Draft, Failure> {
        if self.subject.errand.is_exempt() {
            return Ok(draft);
        }
        let config = self.subject.config();
        let entries = FileBody::of(config, &draft.method, &self.scope(current))?;
        let (template, format, arrays) = match self.subject.plan {
            Plan::Method { method, .. } => (
                method
                    .body
                    .as_ref()
                    .filter(|_| self.source == BodySource::Method),
                method.body_format,
                method.query_array_format,
            ),
            Plan::Custom { .. } => (None, None, None),
        };
        let merged = MergedBody {
            callers: self.given.values.text.as_ref(),
            template,
            format: format.unwrap_or_default(),
            arrays: arrays.or(config.query_array_format).unwrap_or_default(),
        };
        Ok(entries.onto(draft, &merged)?)
    }
}
