//! One page of a run: the call, and what its records change.

use std::collections::BTreeMap;
use std::rc::Rc;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use crate::config::Sync;
use crate::config::syncs::ListRequest;
use crate::error::Failure;
use crate::flows::account::event::Event;
use crate::flows::actions::request::raw_query;
use crate::flows::call::Call;
use crate::flows::call::account::CallAccount;
use crate::flows::call::engine_response::PageResponse;
use crate::flows::call::list::all_pages;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::flows::messages::sync::RunMode;
use crate::flows::sync::change::PageChanges;
use crate::flows::sync::parse::PageRecords;
use crate::flows::sync::record_key::RecordKey;
use crate::flows::sync::records::{KnownRecord, RowWrites, record_key};
use crate::flows::sync::state::{Phase, SyncState, Traversal};
use crate::flows::sync::{Syncs, seen};
use crate::ports::{Body, Outside, Pages, Storage, Visibility};
use crate::proxy::Target;
use crate::time::Timestamp;

impl<O: Outside, S: Storage> Syncs<O, S> {
    /// Reads the page that is next, and stores what it changes. Returns the size of the records.
    pub(super) async fn read_page(
        &self,
        (name, sync): (&str, &Sync),
        before: &SyncState,
        resolved: &ResolvedConfig,
        end: Timestamp,
    ) -> Result<usize, Failure> {
        let Some(run) = &before.run else {
            return Ok(0);
        };
        let mut run = run.clone();
        if let Some(parent) = sync
            .for_each
            .as_ref()
            .filter(|_| run.parent.is_none() && run.phase != Phase::Deleted)
        {
            self.next_parent(parent, before.whole_at, &mut run)?;
            if run.parent.is_none() {
                let mut state = before.clone();
                state.run = Some(run);
                return self.end_of_lists((name, sync), &mut state).map(|()| 0);
            }
            // What fails is of this record.
            let mut state = before.clone();
            state.run = Some(run.clone());
            self.store.write(name, &state)?;
        }
        let call = self.call(sync, before, &run, resolved, end)?;
        let account = (&self.calls, &Visibility::All);
        let page = all_pages::read_page(account, &call, run.position.clone()).await?;
        let key = record_key(before)?;
        let mut records = self
            .records_of(sync, (&mut run, &key), resolved, &page)
            .await?;
        let Some(before) = self.still(name, &run)? else {
            return Ok(page.text.len());
        };
        let known = self.store.known(before.number, &records.ids())?;
        if run.phase != Phase::Deleted {
            self.seal_new(sync, (&key, &known), &mut records).await?;
        }
        // What is known of the records is as old as the revision.
        let state = self.still(name, &run)?;
        if let Some(mut state) = state.filter(|state| state.revision == before.revision) {
            state.run = Some(run);
            self.take_page((name, sync), &mut state, &page, (records, known, key))?;
        }
        Ok(page.text.len())
    }

    /// The state of the sync, where this run is still the one under way.
    pub(super) fn still(&self, name: &str, run: &Traversal) -> Result<Option<SyncState>, Failure> {
        let state = self.store.read(name)?.filter(|_| self.record.is_here());
        let is_same = |state: &SyncState| {
            let now = state.run.as_ref();
            now.is_some_and(|now| now.run.id == run.run.id)
        };
        Ok(state.filter(is_same))
    }

    /// Goes on to the next record of the other sync. Where that sync has not read all of its records since it began or was
    /// reset, there may be more of them. A record that was not there when the run of `since` began is new: what is in its
    /// list may be older than `since`.
    pub(super) fn next_parent(
        &self,
        of: &str,
        whole_at: Option<Timestamp>,
        run: &mut Traversal,
    ) -> Result<(), Failure> {
        let of = self.store.read(of)?;
        run.run.is_incomplete |= of.as_ref().is_none_or(|of| of.full_at.is_none());
        let id = run.parent.take().unwrap_or_default();
        let next = of
            .map(|of| self.store.next_id(of.number, &id))
            .transpose()?;
        if let Some((id, first_at)) = next.flatten() {
            run.is_new_parent = whole_at.is_none_or(|at| first_at >= at.as_millis());
            run.parent = Some(id);
        }
        Ok(())
    }

    fn call(
        &self,
        sync: &Sync,
        state: &SyncState,
        run: &Traversal,
        resolved: &ResolvedConfig,
        end: Timestamp,
    ) -> Result<Call<O::Stream>, Failure> {
        let gone = || Failure::not_found("integrated account");
        let loaded = self.record.present().ok_or_else(gone)?;
        let request: ListRequest = match (run.phase, sync.deletions().list()) {
            (Phase::Deleted, Some(list)) => list.request(),
            _ if run.reads_changes() => sync.changes(),
            _ => sync.request(),
        };
        let (root, shown) = (state.root(run, sync), loaded.public(&resolved.compiled));
        let scope = resolved
            .compiled
            .scope(&loaded.context, &shown)
            .with_sync(&root);
        let query = raw_query(request.query, &scope)?;
        let query = match run.limit {
            Some(limit) => with_limit(&query, limit),
            None => query,
        };
        let body = request
            .body
            .map(|body| body.render(&scope))
            .transpose()?
            .flatten();
        let mut headers = HeaderMap::new();
        if body.is_some() {
            headers.insert(
                CONTENT_TYPE,
                http::HeaderValue::from_static("application/json"),
            );
        }
        let system = self.calls.system();
        Ok(Call {
            target: Target::Method {
                resource: request.resource.to_owned(),
                method: request.method.to_owned(),
                id: None,
            },
            method: if body.is_some() {
                http::Method::POST
            } else {
                http::Method::GET
            },
            query,
            headers,
            body: Body::from_bytes(body.map(|body| body.to_string()).unwrap_or_default()),
            timeout: system.settings().call_timeout.min(end.since(system.now())),
            max_retries: None,
            pages: Pages::Sync,
            token: None,
            confirmed: None,
            trace: Rc::default(),
        })
    }

    /// Stores what a page changes: one transaction, since there is no `.await` in it.
    fn take_page(
        &self,
        (name, sync): (&str, &Sync),
        state: &mut SyncState,
        page: &PageResponse,
        (mut records, known, key): (PageRecords, BTreeMap<String, KnownRecord>, RecordKey),
    ) -> Result<(), Failure> {
        let Some(mut run) = state.run.take() else {
            return Ok(());
        };
        let (records_now, bytes_now) = self.store.totals()?;
        let mut changes = PageChanges {
            sync,
            key,
            known,
            batch: RowWrites::default(),
            events: Vec::new(),
            slots: Vec::new(),
            others: (
                records_now.saturating_sub(state.records),
                bytes_now.saturating_sub(state.bytes),
            ),
        };
        for record in &mut records.list {
            self.keep(state, &mut run, &mut changes, record)?;
        }
        let is_end = page.next.is_none();
        if is_end && run.phase == Phase::List {
            run.checkpoint = self.checkpoint(sync, page)?.or(run.checkpoint.take());
        }
        // Should the records not be written, the events are written again: none is lost.
        self.write_events(&changes.events)?;
        self.store.flush(state, changes.batch)?;
        if run.run.mode == RunMode::Full && sync.deletions().full {
            let slots = seen::ranges(changes.slots);
            self.store.note_seen(state.number, run.seen_rows, slots)?;
            run.seen_rows += 1;
        }
        run.note_page(page.next.as_ref());
        let answer = page.answer.as_ref();
        let is_missing = answer.is_some_and(|answer| !answer.has_list) && !sync.empty_when_missing;
        let is_guessed = is_end && answer.is_some_and(|answer| answer.is_guessed_end);
        run.run.is_incomplete |= is_missing || is_guessed;
        run.resume_at = Some(self.base.outside().now());
        state.run = Some(run);
        if is_end {
            self.end_of_list((name, sync), state)
        } else {
            self.store.write(name, state)
        }
    }

    pub(super) fn write_events(&self, events: &[Event]) -> Result<(), Failure> {
        match self.record.present() {
            Some(loaded) => Ok(self
                .outbox
                .write_events(loaded.account.environment_id, events)?),
            None => Ok(()),
        }
    }
}

/// The query with another `limit`: pages of the file's own were too large.
fn with_limit(query: &str, limit: u64) -> String {
    let others = query
        .split('&')
        .filter(|part| !part.is_empty() && !part.starts_with("limit="));
    let limit = format!("limit={limit}");
    others.chain([limit.as_str()]).collect::<Vec<_>>().join("&")
}
