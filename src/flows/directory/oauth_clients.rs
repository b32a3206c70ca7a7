//! Clients that the gateway registered at authorization servers (RFC 7591), one per install and server. Logins that need the
//! same one at the same time wait for the first. The directory sends no request itself: what a stranger's server takes
//! its time for does not keep it busy.

use std::time::Duration;

use data_encoding::HEXLOWER;
use serde_json::json;

use crate::account::seal::{self, SealKind, SealPlace};
use crate::error::Failure;
use crate::flows::base::{sealed, sql};
use crate::flows::directory::Directory;
use crate::flows::messages::environment::{ClientClaim, ClientKey};
use crate::ids::InstallId;
use crate::json::typed;
use crate::oauth::RegisteredClient;
use crate::ports::{Outside, Storage};
use crate::settings::{INSTALL_CLIENTS, REGISTERED_CLIENTS, REGISTRATION_TIMEOUT};

/// A secret that expires this soon is not used for another login.
const MARGIN: Duration = Duration::from_mins(15);

impl<O: Outside, S: Storage> Directory<O, S> {
    /// The client of this key; else a claim to register it, unless another login has one.
    pub(in crate::flows) fn claim_client(&self, key: &str) -> Result<ClientClaim, Failure> {
        let now = self.outside.now();
        let known = self.client(key)?;
        if let Some(client) = known.filter(|client| !client.is_expired(now.plus(MARGIN))) {
            return Ok(ClientClaim::Registered(Box::new(client)));
        }
        let mut claims = self.client_claims.borrow_mut();
        let until = claims.get(key).map(|(until, _)| *until);
        if until.is_some_and(|until| until > now) {
            return Ok(ClientClaim::Busy);
        }
        let claim = HEXLOWER.encode(&self.outside.random::<16>());
        let entry = (now.plus(REGISTRATION_TIMEOUT), claim.clone());
        claims.put(key.to_owned(), key.len(), entry);
        Ok(ClientClaim::Claimed(claim))
    }

    /// Stores a client, if its claim still holds and the install exists.
    pub(in crate::flows) fn store_client(
        &self,
        install: InstallId,
        own: &ClientKey,
        client: &RegisteredClient,
    ) -> Result<(), Failure> {
        if !self.release_client(own) || self.find_install(install)?.is_none() {
            return Ok(());
        }
        let text = sealed::seal(&self.outside, client_secret(&own.key), &json!(client))?;
        let text = text.unwrap_or_default();
        let values = [
            own.key.as_str().into(),
            install.to_string().into(),
            self.outside.now().as_millis().into(),
            seal::key_id(&text).into(),
            text.as_str().into(),
        ];
        let statement = "INSERT OR REPLACE INTO oauth_client (id, install_id, stored_at, sealing_key, sealed) VALUES (?, ?, ?, ?, ?)";
        sql::run(&self.storage, statement, &values)?;
        // A forgotten one is registered again with the next login; tokens have their own copy.
        self.forget_oldest(install)
    }

    /// Those of the install first: the servers that its customers name do not cost the other installs their clients.
    fn forget_oldest(&self, install: InstallId) -> Result<(), Failure> {
        let statement = "DELETE FROM oauth_client WHERE install_id = ?1 AND id NOT IN (SELECT id FROM oauth_client WHERE install_id = ?1 ORDER BY stored_at DESC LIMIT ?2)";
        let values = [install.to_string().into(), INSTALL_CLIENTS.into()];
        sql::run(&self.storage, statement, &values)?;
        let statement = "DELETE FROM oauth_client WHERE id NOT IN (SELECT id FROM oauth_client ORDER BY stored_at DESC LIMIT ?)";
        let values = [REGISTERED_CLIENTS.into()];
        Ok(sql::run(&self.storage, statement, &values)?)
    }

    /// Ends a claim. Returns whether it was there.
    pub(in crate::flows) fn release_client(&self, own: &ClientKey) -> bool {
        let mut claims = self.client_claims.borrow_mut();
        let is_own = claims
            .get(&own.key)
            .is_some_and(|(_, claim)| *claim == own.claim);
        if is_own {
            claims.remove(&own.key);
        }
        is_own
    }

    /// Forgets a client, unless another one was registered since.
    pub(in crate::flows) fn forget_client(
        &self,
        key: &str,
        client_id: &str,
    ) -> Result<(), Failure> {
        if self
            .client(key)?
            .is_some_and(|own| own.client_id == client_id)
        {
            sql::run(
                &self.storage,
                "DELETE FROM oauth_client WHERE id = ?",
                &[key.into()],
            )?;
        }
        Ok(())
    }

    /// Deletes the clients of an install. Their servers get no request: a registration without a login is of no use.
    pub(in crate::flows) fn delete_clients(&self, install: &str) -> Result<(), Failure> {
        let statement = "DELETE FROM oauth_client WHERE install_id = ?";
        Ok(sql::run(&self.storage, statement, &[install.into()])?)
    }

    /// Re-encrypts the clients of other keys.
    pub(in crate::flows) fn reseal_clients(&self) -> Result<(), Failure> {
        let ring = self.outside.settings().keyring()?;
        let current = ring.ids().next().unwrap_or_default().to_owned();
        let statement = "SELECT id, sealed FROM oauth_client WHERE sealing_key <> ?";
        let rows: Vec<(String, String)> =
            sql::rows_as(&self.storage, statement, &[current.as_str().into()])?;
        for (id, text) in rows {
            if let Some(new) = sealed::resealed(&self.outside, client_secret(&id), Some(&text))? {
                let statement = "UPDATE oauth_client SET sealing_key = ?, sealed = ? WHERE id = ?";
                let values = [seal::key_id(&new).into(), new.as_str().into(), id.into()];
                sql::run(&self.storage, statement, &values)?;
            }
        }
        Ok(())
    }

    fn client(&self, key: &str) -> Result<Option<RegisteredClient>, Failure> {
        let statement = "SELECT sealed FROM oauth_client WHERE id = ?";
        let text: Option<String> = sql::one(&self.storage, statement, &[key.into()])?;
        let Some(text) = text else { return Ok(None) };
        let opened = sealed::open(&self.outside, client_secret(key), &text)?;
        Ok(typed::read(&opened).ok())
    }
}

fn client_secret(key: &str) -> SealPlace<'_> {
    SealPlace {
        kind: SealKind::Client,
        id: key,
        field: "client",
    }
}
