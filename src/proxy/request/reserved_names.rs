//! Names that are reserved for the file: headers, parameters and entries of a body whose template reads the account
//! or the install's variables, and the credential. A caller cannot replace such an entry, also where it has no value. All others are defaults that a caller can replace.

use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

use crate::config::authorization::{Authorization, Header, SIGV4_HEADERS};
use crate::config::method_override::folded;
use crate::config::resource::Method;
use crate::config::source::Sources;
use crate::config::{Config, Entries};
use crate::expression::{PathTemplate, Placeholder, Template, TemplateTree, UrlTemplate};
use crate::proxy::query::CallerQuery;

/// Names that a caller cannot fill.
#[derive(Debug, Default)]
pub(super) struct FileParameters {
    headers: Vec<String>,
    parameters: Vec<String>,
    entries: Vec<String>,
    /// Whether the body as a whole is the file's.
    whole_body: bool,
}

impl FileParameters {
    /// Of a method. `url` is its URL, without a caller's parameters in its query.
    pub(super) fn of_method(config: &Config, method: &Method, url: &url::Url) -> Self {
        let mut kept = Self::of_maps(
            &[&config.headers, &method.headers],
            &[&config.query, &method.query],
        );
        let base = config.base_url_of(method).is_some_and(in_base);
        let paths = [Some(&method.path), method.pagination_path.as_ref()];
        if base || paths.into_iter().flatten().any(in_path) {
            kept.add_query_of(url);
        }
        kept.add_authorizations(config.authorizations_of(method));
        kept.add_body(method.body.as_ref());
        kept
    }

    /// Of the provider's own path.
    pub(super) fn of_path(config: &Config, base: &url::Url) -> Self {
        let mut kept = Self::of_maps(&[&config.headers], &[&config.query]);
        if config.base_url.as_ref().is_some_and(in_base) {
            kept.add_query_of(base);
        }
        kept.add_authorizations(config.authorizations());
        kept
    }

    fn of_maps(headers: &[&Entries], queries: &[&Entries]) -> Self {
        let set = |maps: &[&Entries], is_kept: fn(&str, &Template) -> bool| {
            let all = maps.iter().flat_map(|map| map.iter());
            let set = all.filter_map(|(name, one)| Some((name, one.as_ref()?)));
            let kept = set.filter(|(name, one)| is_kept(name, one));
            kept.map(|(name, _)| name.to_ascii_lowercase())
                .collect::<Vec<_>>()
        };
        let headers = set(headers, |_, template| Sources::of(template).is_reserved());
        Self {
            headers: headers.iter().map(|name| plain_header(name)).collect(),
            parameters: set(queries, |name, template| {
                Sources::of(template).is_reserved() && !hands_on(name, template)
            }),
            ..Self::default()
        }
    }

    fn add_query_of(&mut self, url: &url::Url) {
        let names = url.query_pairs().map(|(name, _)| name.to_ascii_lowercase());
        self.parameters.extend(names);
    }

    fn add_authorizations(&mut self, authorizations: &[Authorization]) {
        for one in authorizations {
            match one {
                Authorization::Header(Header::Fixed { name, .. }) => {
                    self.headers.extend(name.literal().map(plain_header));
                }
                Authorization::Query(query) => {
                    self.parameters
                        .extend(query.name.literal().map(str::to_ascii_lowercase));
                }
                Authorization::AwsSigv4(_) => {
                    self.headers.extend(SIGV4_HEADERS.map(plain_header));
                }
                _ => {}
            }
        }
    }

    fn add_body(&mut self, body: Option<&TemplateTree>) {
        match body {
            Some(TemplateTree::Object(entries)) => {
                let kept = entries.iter().filter(|(_, value)| is_kept_tree(value));
                self.entries
                    .extend(kept.map(|(name, _)| name.to_ascii_lowercase()));
            }
            Some(tree) => self.whole_body = is_kept_tree(tree),
            None => {}
        }
    }

    /// The caller's header fields without those the file keeps.
    pub(super) fn header_fields(&self, callers: &HeaderMap) -> HeaderMap {
        let is_free = |name: &HeaderName| !self.headers.contains(&plain_header(name.as_str()));
        let free = callers.iter().filter(|(name, _)| is_free(name));
        free.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The caller's parameters without those the file keeps.
    pub(super) fn parameters(&self, callers: &CallerQuery) -> CallerQuery {
        callers.leaving_out(&|name| is_kept(&self.parameters, name))
    }

    /// The caller's parameters that may be put into the body.
    pub(super) fn entries(&self, callers: &CallerQuery) -> CallerQuery {
        callers.leaving_out(&|name| self.whole_body || is_kept(&self.entries, name))
    }
}

/// Whether a method's body has values of the account or the operator, so that a caller's body must not replace it.
pub fn is_body_kept(method: &Method) -> bool {
    method.body.as_ref().is_some_and(is_kept_tree)
}

/// An entry whose first path is the caller's parameter of the same name: the file lets the caller choose.
fn hands_on(name: &str, template: &Template) -> bool {
    let first = template.whole().and_then(|whole| whole.paths().next());
    first.is_some_and(|path| {
        let parts = path.parts();
        path.first() == Some("query") && parts.get(1..).is_some_and(|rest| rest.join(".") == name)
    })
}

pub(super) fn is_kept_tree(tree: &TemplateTree) -> bool {
    Sources::of_placeholders(tree.placeholders().into_iter()).is_reserved()
}

fn in_base(url: &UrlTemplate) -> bool {
    is_reserved(url.query_placeholders())
}

fn in_path(path: &PathTemplate) -> bool {
    is_reserved(path.query_placeholders())
}

fn is_reserved<'t>(placeholders: impl Iterator<Item = &'t Placeholder>) -> bool {
    Sources::of_placeholders(placeholders).is_reserved()
}

/// Servers hand headers on as variables (RFC 3875 §4.1.18), in which a mark is as good as another.
pub(super) fn plain_header(name: &str) -> String {
    folded(name)
}

/// Whether a server may read a decoded name as one of these, as a part of one (`a[]`, `a[b]`, `a.b`) or as what one is a
/// part of (`a` where `a[b]` is kept). Letter case and marks do not count, since each server folds them in its own way.
pub(super) fn is_kept(kept: &[String], name: &str) -> bool {
    let kept = NameLevels::of(kept);
    kept.positions(name).next().is_some()
}

/// Names by their levels, for comparing many with them.
pub(super) struct NameLevels(Vec<Vec<String>>);

impl NameLevels {
    pub(super) fn of(names: &[impl AsRef<str>]) -> Self {
        Self(names.iter().map(|name| levels(name.as_ref())).collect())
    }

    /// The places of those that a server may read a decoded name as.
    pub(super) fn positions(&self, name: &str) -> impl Iterator<Item = usize> {
        let once = percent_decode_str(name).decode_utf8_lossy();
        let names = [levels(name), levels(&once)];
        let own = self.0.iter().enumerate();
        let own = own.filter(move |(_, own)| names.iter().any(|name| are_one(own, name)));
        own.map(|(position, _)| position)
    }
}

/// What a name says up to each of its levels: `account`, `accountid` for `account[id]`. An index is no level.
fn levels(name: &str) -> Vec<String> {
    let mut levels: Vec<String> = Vec::new();
    for part in name.split(['[', ']', '.']).map(folded) {
        let is_index = part.bytes().all(|b| b.is_ascii_digit());
        match levels.last() {
            Some(_) if is_index => {}
            Some(above) => levels.push(format!("{above}{part}")),
            None if part.is_empty() => {}
            None => levels.push(part),
        }
    }
    levels
}

fn are_one(own: &[String], name: &[String]) -> bool {
    let is_in =
        |whole: Option<&String>, of: &[String]| whole.is_some_and(|whole| of.contains(whole));
    is_in(own.last(), name) || is_in(name.last(), own)
}

#[cfg(test)]
mod tests {
    use super::is_kept;

    #[test]
    fn a_name_is_kept_by_its_levels() {
        let kept = ["Account_ID", "filter[account]", "a.b", "_"].map(str::to_owned);
        for (name, is) in [
            ("account_id", true),
            ("account.id", true),
            ("account%5fid", true),
            ("account_id[0][x]", true),
            ("[account_id]", true),
            ("account_ids", false),
            ("account", false),
            ("filter", true),
            ("filter[]", true),
            ("filter[3][account]", true),
            ("filter_account", true),
            ("filter[name]", false),
            ("filters", false),
            ("a", true),
            ("a_b", true),
            ("a.c", false),
            ("", false),
            ("_", false),
        ] {
            assert_eq!(is_kept(&kept, name), is, "{name}");
        }
    }
}
