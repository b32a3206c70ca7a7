//! The secrets of a scheme: the present one, and during a rotation the one before.

use data_encoding::HEXLOWER_PERMISSIVE;

use crate::config::webhook::{SecretEncoding, SignatureConfig};
use crate::expression::{Template, TemplateScope};
use crate::secret::Secret;

use super::Refusal;
use super::encoding::base64;

/// In front of the base64 of a Standard Webhooks secret.
const PREFIX: &str = "whsec_";

/// A setting's text, which must be there: an empty secret signs nothing.
pub(super) fn required(
    name: &'static str,
    template: Option<&Template>,
    scope: &TemplateScope,
) -> Result<Secret, Refusal> {
    let template = template.ok_or(Refusal::NoSetting(name))?;
    let text = template.text(scope);
    let text = text.map_err(|error| Refusal::Render(name, error))?;
    let text = text.filter(|text| !text.is_empty());
    text.map(Secret::new).ok_or(Refusal::NoSetting(name))
}

/// The present text of a setting, then the one before it if there is one.
pub(super) fn with_previous(
    name: &'static str,
    template: Option<&Template>,
    config: &SignatureConfig,
    scope: &TemplateScope,
) -> Result<Vec<Secret>, Refusal> {
    let mut secrets = vec![required(name, template, scope)?];
    // Outside a rotation nobody has a previous one.
    let previous = config.previous_secret.as_ref();
    let previous = previous.map(|template| required("previous_secret", Some(template), scope));
    secrets.extend(previous.and_then(Result::ok));
    Ok(secrets)
}

/// The bytes of `secret`, then those of `previous_secret`.
pub(super) fn keys(
    config: &SignatureConfig,
    encoding: SecretEncoding,
    scope: &TemplateScope,
) -> Result<Vec<Vec<u8>>, Refusal> {
    let secrets = with_previous("secret", config.secret.as_ref(), config, scope)?;
    let unreadable = || {
        let reason = "it is not written as `secret_encoding` says";
        Refusal::BadSetting("secret", reason)
    };
    let keys = secrets.iter().map(|secret| decode(secret, encoding));
    keys.map(|key| key.ok_or_else(unreadable)).collect()
}

fn decode(secret: &Secret, encoding: SecretEncoding) -> Option<Vec<u8>> {
    let text = secret.expose();
    let key = match encoding {
        SecretEncoding::Utf8 => text.as_bytes().to_vec(),
        SecretEncoding::Base64 => base64(text.strip_prefix(PREFIX).unwrap_or(text).as_bytes())?,
        SecretEncoding::Hex => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()?,
    };
    Some(key).filter(|key| !key.is_empty())
}
