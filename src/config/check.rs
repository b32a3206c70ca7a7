//! What only the whole of a file can show: that URLs stay where they belong,
//! that what is named exists, that what is needed is there.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Config, Finding};

mod actions;
mod aim;
mod also_for;
mod authorizations;
mod bodies;
mod carried;
mod client;
mod consumer;
mod custom;
mod discover;
mod exchange;
mod fields;
mod hosts;
mod jwt;
pub(in crate::config) mod literal;
mod lookup;
mod may_fail;
mod opened;
mod operated;
mod operator_values;
mod parameters;
mod placeholders;
mod resources;
mod sftp;
mod shared;
mod sign_in;
mod texts;
mod traced;
mod typed;
mod webhook;

/// Adds what is found. `broken` lists where reading has already failed: what
/// is absent there is not missing.
pub(super) fn check(config: &Config, file: &Value, broken: &[String], findings: &mut Vec<Finding>) {
    let broken = Broken::new(broken);
    fields::check(config, findings);
    sign_in::check(config, &broken, findings);
    authorizations::check(config, findings);
    client::check(config, &broken, findings);
    consumer::check(config, &broken, findings);
    opened::check(config, &broken, findings);
    parameters::check(config, findings);
    exchange::check(config, &broken, findings);
    discover::check(config, &broken, findings);
    jwt::check(config, &broken, findings);
    also_for::check(config, file, &broken, findings);
    sftp::check(config, &broken, findings);
    may_fail::check(config, findings);
    hosts::check(config, &broken, findings);
    aim::check(config, &broken, findings);
    custom::check(config, findings);
    resources::check(config, &broken, findings);
    actions::check(config, &broken, findings);
    webhook::check(config, &broken, findings);
    lookup::check(config, &broken, findings);
    texts::check(config, file, &broken, findings);
    placeholders::check(config, file, &broken, findings);
}

/// Where reading has already failed: the uppermost places, ordered so that
/// what lies below a place is right after it.
struct Broken(BTreeSet<String>);

impl Broken {
    fn new(paths: &[String]) -> Self {
        let mut places = BTreeSet::new();
        let sorted: BTreeSet<String> = paths.iter().map(|path| ordered(path)).collect();
        let mut above: Option<String> = None;
        for place in sorted {
            if !above
                .as_deref()
                .is_some_and(|above| is_under(&place, above))
            {
                above = Some(place.clone());
                places.insert(place);
            }
        }
        Self(places)
    }

    /// Whether something at, above or below `path` could not be read.
    fn touches(&self, path: &str) -> bool {
        let path = ordered(path);
        let below = self.0.range::<String, _>(&path..).next();
        let above = self.0.range::<String, _>(..=&path).next_back();
        below.is_some_and(|below| is_under(below, &path))
            || above.is_some_and(|above| is_under(&path, above))
    }
}

/// With NUL between its steps, which sorts before anything in a name.
fn ordered(path: &str) -> String {
    path.replace(['.', '['], "\0")
}

fn is_under(long: &str, short: &str) -> bool {
    long.strip_prefix(short)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('\0'))
}

#[cfg(test)]
mod tests {
    use super::Broken;
    use crate::config::read;
    use crate::config::reader::READING_STEPS;
    use crate::expression::effort;
    use serde_json::{Map, Value, json};

    /// Each would take minutes if it were looked at once per brace or method.
    #[test]
    fn a_hostile_mebibyte_is_read_in_one_go() {
        let braces = "{".repeat(1 << 20);
        let file = json!({"name": "a", "config": {
            "base_url": "https://api.example.com", "headers": {"x": braces}, "query": {"y": braces}
        }});
        assert_eq!(read(&file).findings.len(), 2);
        let methods: Map<String, Value> = (0..10_000)
            .flat_map(|n| {
                [
                    (format!("good{n}"), json!({"path": "/"})),
                    (format!("bad{n}"), json!({"path": 1, "no": 1})),
                ]
            })
            .collect();
        let file = json!({"name": "a", "config": {"resources": {"r": methods}}});
        assert_eq!(read(&file).findings[0].message, effort::SPENT);
    }

    /// Bindings in bindings, after a chain that was once followed in eight rounds.
    fn of_bindings(expressions: usize) -> Value {
        let deep = format!("{}1{}; ", "($a:=".repeat(90), ")".repeat(90));
        let chain: Vec<String> = (0..6).map(|n| format!("$b{n}:=$b{}; ", n + 1)).collect();
        let chain = chain.concat();
        let source = format!("({chain}$b6:=$context; {}{{\"k\": 1}})", deep.repeat(28));
        let step = json!({"type": "update_context", "config": {"expression": source}});
        let scheme = json!({"format": "hmac", "config": {"secret": "{{environment_variables.s}}", "compare_with": "$header.x-s",
            "context_lookup_field_name": "k9", "context_lookup_field_value": "body.a"}});
        json!({"name": "a", "config": {
            "base_url": "https://api.example.com",
            "actions": {"go": {"steps": vec![step; expressions]}},
            "webhook": {"signature_verification": vec![scheme; 8]}
        }})
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // tests run where there is a clock
    fn what_expressions_give_is_followed_once_and_within_the_steps_of_a_file() {
        let file = of_bindings(4);
        assert!(file.to_string().len() > 60_000);
        let began = std::time::Instant::now();
        let (reading, steps) = effort::left_after(|| read(&file));
        assert!(reading.integration.is_some(), "{:?}", reading.findings);
        assert!(steps < READING_STEPS, "{steps}");
        assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
        let refused = read(&of_bindings(6));
        assert_eq!(refused.findings[0].message, effort::SPENT);
    }

    /// The texts of the file's own authorization were once looked at for each method.
    #[test]
    #[allow(clippy::disallowed_methods)] // tests run where there is a clock
    fn what_all_requests_share_is_looked_at_once_or_counted() {
        let source = format!("{{\"x\": context.a{}}}", " & \"b\"".repeat(180));
        let methods: Map<String, Value> = (0..5_000)
            .map(|n| (format!("m{n}"), json!({"path": "/{{a}}"})))
            .collect();
        let file = json!({"name": "a", "config": {
            "base_url": "https://api.example.com", "resources": {"r": methods},
            "authorization": {"format": "header", "config": {"expression": source}}
        }});
        let began = std::time::Instant::now();
        read(&file);
        assert!(began.elapsed().as_secs() < 15, "{:?}", began.elapsed());
        let headers: Map<String, Value> = (0..300)
            .map(|n| (format!("x{n}"), json!("{{environment_variables.x}}")))
            .collect();
        let step = json!({"type": "request", "config": {"path": "/"}});
        let file = json!({"name": "a", "config": {
            "base_url": "https://api.example.com", "headers": headers,
            "actions": {"go": {"steps": vec![step; 2_000]}}
        }});
        assert_eq!(read(&file).findings[0].message, effort::SPENT);
    }

    #[test]
    fn what_is_broken_touches_what_is_above_and_below_it() {
        let paths = ["a.b", "a.b[0].c", "a-b.c", "d[1].e", "d[10]", "f.g.h"];
        let broken = Broken::new(&paths.map(str::to_owned));
        for (path, touched) in [
            ("a", true),
            ("a.b", true),
            ("a.b.x", true),
            ("a.b[7]", true),
            ("a.bc", false),
            ("a.c", false),
            ("a-b", true),
            ("a-b.cd", false),
            ("d", true),
            ("d[1]", true),
            ("d[1].f", false),
            ("d[10].x", true),
            ("d[100]", false),
            ("f.g.h.i.j", true),
            ("f.g", true),
            ("f.x", false),
        ] {
            assert_eq!(broken.touches(path), touched, "{path}");
        }
    }

    #[test]
    fn many_broken_places_are_not_looked_at_one_by_one() {
        let paths: Vec<String> = (0..100_000).map(|n| format!("r.m{n:06}.x")).collect();
        let broken = Broken::new(&paths);
        let touched = (0..200_000).filter(|n| broken.touches(&format!("r.m{n:06}")));
        assert_eq!(touched.count(), 100_000);
    }
}
