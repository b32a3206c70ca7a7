//! Micro benchmarks of what every proxied call does in wasm, on this machine's target: compare runs, not numbers.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark stops at the first surprise"
)]

use std::hint::black_box;

use causeway::config::{read, read_config};
use causeway::expression::{Expression, ExpressionScope, Moment, Template, TemplateScope};
use causeway::json::{Path, cut};
use causeway::proxy::query::CallerQuery;
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};

fn integration_file(c: &mut Criterion) {
    let file: Value = serde_json::from_str(include_str!("../integrations/acme.json")).unwrap();
    let config = file.get("config").unwrap();
    c.bench_function("read and check a large integration file", |b| {
        b.iter(|| read(black_box(&file)));
    });
    c.bench_function("compile its config", |b| {
        b.iter(|| read_config(black_box(config)));
    });
}

fn placeholders(c: &mut Criterion) {
    let context = json!({ "api_key": "k", "oauth": { "token": { "access_token": "t" } } });
    let template = Template::parse("Bearer {{oauth.token.access_token}}").unwrap();
    c.bench_function("render a header", |b| {
        b.iter(|| template.header(&TemplateScope::new(black_box(&context))));
    });
}

fn expressions(c: &mut Criterion) {
    let expression =
        Expression::parse("body.ok = false ? { 'status': 401, 'message': body.error }").unwrap();
    let (body, headers) = (
        json!({ "ok": true, "items": [1, 2, 3] }),
        json!({ "content-type": "application/json" }),
    );
    let moment = Moment {
        now_ms: 0,
        random: [0; 32],
    };
    c.bench_function("evaluate an error expression", |b| {
        b.iter(|| {
            expression.is_true(
                &ExpressionScope::response(black_box(&body), &headers, 200),
                &moment,
            )
        });
    });
}

fn answers(c: &mut Criterion) {
    let records: Vec<Value> = (0..1_000)
        .map(|id| json!({ "id": id, "name": format!("record {id}"), "tags": ["a", "b"] }))
        .collect();
    let text = json!({ "data": { "records": records }, "next": null }).to_string();
    let path: Path = "data.records".parse().unwrap();
    c.bench_function("cut a list of 1,000 records", |b| {
        b.iter(|| cut(black_box(&text), &path));
    });
    c.bench_function("read a caller's query", |b| {
        b.iter(|| CallerQuery::read(black_box("a=1&b=x%20y&c[]=1&c[]=2"), &["limit"]).to_value());
    });
}

criterion_group!(
    benches,
    integration_file,
    placeholders,
    expressions,
    answers
);
criterion_main!(benches);
