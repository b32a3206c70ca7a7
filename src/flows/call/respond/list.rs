//! The response for a page of a list.

use http::StatusCode;

use crate::config::resource::Method;
use crate::error::{Code, Failure};
use crate::flows::call::account::CallAccount;
use crate::flows::call::buffered_body::{BufferedBody, TextError};
use crate::flows::call::engine::Head;
use crate::flows::call::engine_response::{EngineResponse, PageResponse, WholeAnswer};
use crate::flows::call::respond::{Responded, Responder};
use crate::json;
use crate::pagination::{PageAnswer, PageLinks, PagePlace, PageStatus};
use crate::ports::Pages;
use crate::proxy::reply;

/// The failure for a redirect in place of a list.
pub(in crate::flows) fn not_a_list(status: StatusCode) -> Failure {
    let message = format!(
        "The provider answered {} where a list was expected.",
        status.as_u16()
    );
    Failure::new(Code::UnexpectedAnswer, message)
}

impl<A: CallAccount> Responder<'_, '_, A> {
    pub(in crate::flows) fn list(
        &self,
        method: &Method,
        head: Head,
        buffered: Result<BufferedBody, TextError>,
    ) -> Responded {
        let Head { status, headers } = head;
        let mut body = buffered?;
        self.check_for_error(&mut body, &headers, status)?;
        let page = self.prepared.page();
        let value = page
            .map(|page| page.value(&mut body))
            .transpose()?
            .flatten();
        body.room.take(body.text.len())?;
        let path = method.response_path.as_ref();
        let records = reply::records(&body.text, path)?;
        let pages = self.prepared.pages();
        let (ndjson, count) = match pages {
            Pages::One => (
                String::new(),
                reply::of_list(json::count_elements(records), path)?,
            ),
            Pages::All | Pages::Sync => reply::of_list(json::lines(records), path)?,
        };
        let links = self.links(&PageAnswer {
            status,
            headers: &headers,
            text: &body.text,
            value: value.as_ref(),
            records,
            count: count as u64,
        });
        let text = match (pages, links.standing) {
            (Pages::One, PageStatus::New) => self.envelope(records, count, &links)?,
            (Pages::One, PageStatus::Repeated) => self.envelope(reply::EMPTY, 0, &links)?,
            (Pages::All | Pages::Sync, PageStatus::New) => ndjson,
            (Pages::All | Pages::Sync, PageStatus::Repeated) => String::new(),
        };
        let answer = (pages == Pages::Sync).then(|| WholeAnswer {
            status: status.as_u16(),
            has_list: status == StatusCode::NO_CONTENT || reply::has_records(&body.text, path),
            is_guessed_end: links.is_guessed_end,
            text: std::mem::take(&mut body.text),
        });
        Ok(EngineResponse::Page(PageResponse {
            headers,
            text,
            room: body.room,
            next: links.next,
            answer,
        }))
    }

    /// The links of the page.
    fn links(&self, answer: &PageAnswer<'_>) -> PageLinks {
        let Some(page) = self.prepared.page() else {
            return PageLinks::default();
        };
        let links = page.links(self.prepared.query(), self.prepared.moment(), answer);
        if let Some(PagePlace::DeadEnd(end)) = links.next.as_ref().map(|next| &next.at) {
            self.log("pagination_dead_end", &end.why);
        }
        links
    }

    fn envelope(&self, records: &str, count: usize, links: &PageLinks) -> Result<String, Failure> {
        match self.prepared.page() {
            Some(page) => page.envelope(self.account.system(), records, count, links),
            None => Ok(reply::envelope(records, count, None, None)),
        }
    }
}
