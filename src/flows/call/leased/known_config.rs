//! The config of a lease, so that its calls do not look it up in the isolate's three caches.

use std::rc::{Rc, Weak};

use crate::flows::base::records::{InstallRecord, IntegrationRecord};
use crate::flows::config::isolate::Isolate;
use crate::flows::config::resolved_config::{Compiled, ResolvedConfig};
use crate::time::Timestamp;

/// A config, as long as the isolate's caches would return the same records.
pub(super) struct KnownConfig {
    integration: Rc<IntegrationRecord>,
    install: Rc<InstallRecord>,
    /// The isolate's cache owns it and counts its memory.
    compiled: Weak<Compiled>,
    until: Timestamp,
    /// How many records this isolate had written.
    writes: (u64, u64),
}

fn writes(isolate: &Isolate) -> (u64, u64) {
    (isolate.integrations.writes(), isolate.installs.writes())
}

impl KnownConfig {
    /// `None` where the caches do not have its records.
    pub(super) fn new(resolved: &ResolvedConfig, isolate: &Isolate) -> Option<Self> {
        let (integration, install) = (&resolved.integration, &resolved.install);
        let until = isolate
            .integrations
            .used_until(&integration.id.to_string())?;
        let until = until.min(isolate.installs.used_until(&install.id.to_string())?);
        Some(Self {
            integration: Rc::clone(integration),
            install: Rc::clone(install),
            compiled: Rc::downgrade(&resolved.compiled),
            until,
            writes: writes(isolate),
        })
    }

    pub(super) fn get(&self, isolate: &Isolate, now: Timestamp) -> Option<ResolvedConfig> {
        if now >= self.until || self.writes != writes(isolate) {
            return None;
        }
        Some(ResolvedConfig {
            integration: Rc::clone(&self.integration),
            install: Rc::clone(&self.install),
            compiled: self.compiled.upgrade()?,
        })
    }
}
