//! Headers and parameters by which a server takes another method, or another address, than the request's own. No
//! standard has them; frameworks and proxies spell theirs differently, and fold the names that they receive.

/// A name that contains one of these is such a name. Case and punctuation do not count.
const CERTAIN: [&str; 15] = [
    "methodoverride",
    "overridemethod",
    "httpmethod",
    "restmethod",
    "requestmethod",
    "originalmethod",
    "forwardedmethod",
    "httpverb",
    "verboverride",
    "originalurl",
    "originaluri",
    "rewriteurl",
    "rewriteuri",
    "forwardeduri",
    "forwardedurl",
];

/// Parts that such a name has, and other names have, too: `payment_method`.
const LIKELY: [&str; 3] = ["method", "verb", "override"];

/// Methods that write: RFC 9110, RFC 5789, RFC 4918, and what frameworks call them.
const WRITING: [&str; 18] = [
    "post",
    "put",
    "patch",
    "delete",
    "merge",
    "move",
    "copy",
    "mkcol",
    "lock",
    "unlock",
    "proppatch",
    "link",
    "unlink",
    "purge",
    "create",
    "update",
    "remove",
    "destroy",
];

/// Lower-case letters and digits alone: what servers that fold names make of one, each in another way.
pub fn folded(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// Whether a server may take another method or address from an entry of this name.
pub fn may_override(name: &str) -> bool {
    let folded = folded(name);
    let has = |word: &&str| folded.contains(*word);
    CERTAIN.iter().chain(&LIKELY).any(has)
}

/// Whether this entry is there to name another method or address; by its value where the name alone does not say so.
pub fn overrides(name: &str, value: &str) -> bool {
    let word = folded(name);
    if CERTAIN.iter().any(|certain| word.contains(certain)) {
        return true;
    }
    // `_method` and `$method` are no provider's own names; `x-method` is.
    let is_marked = !name.trim_start().starts_with(char::is_alphanumeric);
    if (word == "method" && is_marked) || word == "xmethod" {
        return true;
    }
    let mut parts = value.split([',', ';', ' ']).map(folded);
    let writes = parts.any(|part| WRITING.contains(&part.as_str()));
    writes && LIKELY.iter().any(|likely| word.contains(likely))
}

#[cfg(test)]
mod tests {
    use super::{may_override, overrides};

    #[test]
    fn an_entry_that_names_another_method_is_known_however_it_is_spelled() {
        for (name, value) in [
            ("_method", "anything"),
            ("$method", "DELETE"),
            ("_method\0", "x"),
            ("method", "delete"),
            ("method", " Delete "),
            ("method", "GET, DELETE"),
            ("http_method", "GET"),
            ("httpMethod", "x"),
            ("_HttpMethod", "x"),
            ("X-HTTP-Method-Override", "x"),
            ("x_http_method_override", "x"),
            ("x-http_method.override", "x"),
            ("override_method", "x"),
            ("x-rest-method", "x"),
            ("x-http-verb", "x"),
            ("verb", "PATCH"),
            ("x-override", "put"),
            ("x-request-method", "x"),
            ("x-original-url", "/x"),
            ("X_REWRITE_URL", "/x"),
        ] {
            assert!(overrides(name, value), "{name}={value}");
            assert!(may_override(name), "{name}");
        }
        for (name, value) in [
            ("payment_method", "card"),
            ("method", "flickr.photos.search"),
            ("verbose", "1"),
            ("q", "delete"),
            ("type", "post"),
            ("action", "update"),
            ("url", "/x"),
        ] {
            assert!(!overrides(name, value), "{name}={value}");
        }
    }
}
