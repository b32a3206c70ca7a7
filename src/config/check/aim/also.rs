//! The operator's values in what further tokens are asked for with.

use crate::config::check::literal::Name;
use crate::config::check::operator_values;
use crate::config::credentials::AlsoFor;

use super::{AimCheck, Host};

impl AimCheck<'_, '_> {
    pub(super) fn also(&mut self, own: &AlsoFor, host: Host, at: &str) {
        for (name, value) in &own.params {
            let at = format!("{at}.params.{name}");
            self.say_all(
                host,
                operator_values::of_template(Name::of(name), &at, value),
            );
        }
        for (index, scope) in own.scope.iter().enumerate() {
            let at = format!("{at}.scope[{index}]");
            self.say_all(host, operator_values::of_template(Name::Other, &at, scope));
        }
        if let Some(url) = &own.token_url {
            let values = operator_values::of_url(url.template(), &format!("{at}.tokenUrl"));
            self.say_all(host, values);
        }
    }
}
