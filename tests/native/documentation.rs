//! Tables of the docs that are written from the code.

use causeway::error::Code;

use crate::integration_files::{root, same_as_stored};

#[test]
fn the_table_of_error_codes_is_that_of_the_code() {
    let mut text = String::from(
        "# Error codes\n\n\
         Written from `src/error/mod.rs` by `UPDATE=1 cargo test --test native`.\n\n\
         Every error is `{statusCode, error, message, code, request_id, details?}`. The prefix of `code` says who must act. A provider's\n\
         error adds `is_remote_error: true` and `raw_response`, and keeps the provider's status where there is one. Where a write was made\n\
         before the error, `details.write` is `done` and the status is the provider's answer to it, 2xx or 3xx; where it certainly was not made, it is\n\
         `not_done` ([api.md](api.md#a-write-that-was-made)).\n\n\
         | code | status | meaning |\n|---|---|---|\n",
    );
    let rows = Code::ALL.iter().map(|code| {
        format!(
            "| `{}` | {} | {} |\n",
            code.as_str(),
            code.status(),
            code.meaning()
        )
    });
    text.extend(rows);
    same_as_stored(&root().join("docs/errors.md"), &text);
}
