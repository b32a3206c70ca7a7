//! The query of a request in the form that signatures are made over.

use percent_encoding::percent_decode_str;

use super::percent_encoded;

/// The parameters of a query, decoded as forms are: `+` is a space.
pub fn parameters(query: &str) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    let pieces = query.split('&').filter(|piece| !piece.is_empty());
    pieces.map(|piece| {
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> Vec<u8> {
    percent_decode_str(&text.replace('+', " ")).collect()
}

/// Parameters encoded by RFC 3986, sorted by name and value, as a query.
pub fn sorted(parameters: impl Iterator<Item = (Vec<u8>, Vec<u8>)>) -> String {
    let encoded = parameters.map(|(name, value)| (percent_encoded(&name), percent_encoded(&value)));
    let mut encoded: Vec<(String, String)> = encoded.collect();
    encoded.sort_unstable();
    let pairs = encoded.into_iter();
    let pairs: Vec<String> = pairs
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::{parameters, sorted};

    #[test]
    fn a_query_is_decoded_once_encoded_and_sorted() {
        for (query, expected) in [
            ("", ""),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&a", "a=&a=1&a=2"),
            ("Param-3=x&Param=y", "Param=y&Param-3=x"),
            ("q=a+b%20c%2B&&x=%zz", "q=a%20b%20c%2B&x=%25zz"),
            ("a=b=c&%e1%88%b4=ü~", "%E1%88%B4=%C3%BC~&a=b%3Dc"),
        ] {
            assert_eq!(sorted(parameters(query)), expected, "{query}");
        }
    }
}
