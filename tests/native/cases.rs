//! Table tests: each case runs, and all that failed are reported together.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A case that is known by its `name`.
macro_rules! shown_by_name {
    ($case:ty) => {
        impl std::fmt::Debug for $case {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.name.as_ref())
            }
        }
    };
}
pub(crate) use shown_by_name;

/// How many characters of a case a report shows: a case may be a whole integration file.
const MAX_NAME: usize = 300;
/// The same of its failure, which may be the report of an inner table.
const MAX_MESSAGE: usize = 4_000;

/// Checks every case, also after one has failed. The report names each failed case by its `Debug` text.
#[track_caller]
pub fn each_case<C: Debug>(cases: impl IntoIterator<Item = C>, mut check: impl FnMut(C)) {
    let mut failures = Vec::new();
    let mut count = 0;
    for case in cases {
        count += 1;
        let name = shortened(&format!("{case:?}"), MAX_NAME);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(case))) {
            failures.push((name, panic));
        }
    }
    let report: Vec<String> = failures.iter().map(line).collect();
    assert!(
        report.is_empty(),
        "{} of {count} cases failed:\n{}",
        report.len(),
        report.join("\n")
    );
}

fn line((name, panic): &(String, Box<dyn Any + Send>)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let message = text.or(panic.downcast_ref::<&str>().copied());
    format!(
        "- {name}\n  {}",
        shortened(message.unwrap_or("no message"), MAX_MESSAGE)
    )
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[test]
fn every_failed_case_is_named_and_the_others_still_run() {
    let mut checked = 0;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        each_case([1, 2, 3, 4], |number| {
            checked += 1;
            assert!(number % 2 == 0, "odd");
        });
    }));
    let report = outcome.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(*report, "2 of 4 cases failed:\n- 1\n  odd\n- 3\n  odd");
    assert_eq!(checked, 4);
}
