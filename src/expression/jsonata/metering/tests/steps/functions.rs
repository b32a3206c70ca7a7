//! The price of each built-in function.

use super::*;

/// The functions of JSONata 2 (docs.jsonata.org), without `$eval`, which is not
/// available.
const FUNCTIONS: &str = "abs append assert average base64decode base64encode boolean ceil contains \
    count decodeUrl decodeUrlComponent distinct each encodeUrl encodeUrlComponent error exists \
    filter floor formatBase formatInteger formatNumber fromMillis join keys length lookup \
    lowercase map match max merge millis min not now number pad parseInteger power random reduce \
    replace reverse round shuffle sift single sort split spread sqrt string substring \
    substringAfter substringBefore sum toMillis trim type uppercase zip";

#[test]
fn every_function_of_the_engine_has_its_price() {
    let is_the_engines = |name: &str| {
        let mut evaluator = Evaluator::new();
        evaluator
            .register_fn(name, |_: &[JValue]| Ok(JValue::Null))
            .is_err()
    };
    for name in FUNCTIONS.split_whitespace() {
        assert!(is_the_engines(name), "{name}");
        assert!(builtin::guard(name).is_some(), "{name} has no price");
    }
    // A function that the engine has and the table has not is not available.
    assert!(is_the_engines("eval"));
    for source in ["$eval(\"1\")", "$map([1], $eval)", "1 ~> $eval"] {
        let refused = ExpressionError::Unavailable("eval".to_owned());
        assert_eq!(Expression::parse(source), Err(refused), "{source}");
    }
    assert!(Expression::parse("($eval := function($x) { $x }; $eval(1))").is_ok());
}

/// Calls of every function with arguments that are large where they may be.
#[test]
fn every_function_pays_by_the_size_of_what_it_is_given() {
    let calls = [
        "$append($$.n, 1)",
        "$append(1, $$.n)",
        "$assert(true, $$.s)",
        "$average($$.n)",
        "$base64decode($$.t)",
        "$base64encode($$.s)",
        "$boolean($$.zeros)",
        "$contains($$.s, \"y\")",
        "$contains($$.s, /y/)",
        "$decodeUrl($$.s)",
        "$decodeUrlComponent($$.s)",
        "$distinct($$.few)",
        "$each($$.r[0], function($v) { $v })",
        "$encodeUrl($$.s)",
        "$encodeUrlComponent($$.s)",
        "$filter($$.n, function($v) { true })",
        "$filter($$.n, $exists)",
        "$formatBase(1e15, 2)",
        "$formatInteger(1, \"#,##0\")",
        "$formatNumber(1, \"#0.00\")",
        "$fromMillis(0, \"[Y]\")",
        "$join($$.r.name)",
        "$join($$.r.name, $$.t)",
        "$keys($$.r)",
        "$length($$.s)",
        "$lookup($$.r, \"id\")",
        "$lowercase($$.s)",
        "$map($$.n, function($v) { 1 })",
        "$map($$.n, $abs)",
        "$match($$.t, /b/)",
        "$match($$.t, /a/)",
        "$max($$.n)",
        "$merge($$.r)",
        "$min($$.n)",
        "$not($$.zeros)",
        "$number($$.t)",
        "$pad($$.t, 60000)",
        "$parseInteger(\"12\", \"0\")",
        "$reduce($$.n, function($a, $b) { $a })",
        "$replace($$.t, \"b\", \"c\")",
        "$replace($$.t, /b/, \"c\")",
        "$replace($$.t, /a/, \"c\")",
        "$reverse($$.n)",
        "$shuffle($$.n)",
        "$sift($$.r[0], function($v) { true })",
        "$single($$.n, function($v) { $v = 1 })",
        "$sort($$.n)",
        "$sort($$.n, function($a, $b) { $a > $b })",
        "$sort($$.r.name)",
        "$split($$.t, \"b\")",
        "$split($$.t, /b/)",
        "$split($$.t, \"a\")",
        "$spread($$.r)",
        "$string($$.r)",
        "$string($$.deep)",
        "$substring($$.s, 1, 1)",
        "$substringAfter($$.s, \"y\")",
        "$substringBefore($$.s, \"y\")",
        "$sum($$.n)",
        "$toMillis(\"2020\")",
        "$toMillis(\"2020\", \"[Y]\")",
        "$trim($$.s)",
        "$uppercase($$.s)",
        "$zip($$.n, $$.n)",
        "$now(\"[Y]\")",
        "$error($$.s)",
        "$count($$.n) + $power(2, 3) + $round(1.5, 1) + $abs(-1)",
    ];
    let mut cheap = String::new();
    for call in calls {
        let (taken, failed) = repeated(call);
        // Some fail by what they are given, but only after they have paid for it.
        let paid = ends(failed.as_ref()) || taken >= 50_000;
        if !paid {
            let _ = writeln!(cheap, "{call}: {taken} steps, {failed:?}");
        }
    }
    assert!(cheap.is_empty(), "{cheap}");
    let named = |name: &&str| !calls.iter().any(|call| call.contains(&format!("${name}(")));
    let is_priced =
        |name: &&str| builtin::guard(name).is_some_and(|(guard, _)| guard != Pricing::Free);
    let missing: Vec<&str> = FUNCTIONS
        .split_whitespace()
        .filter(is_priced)
        .filter(named)
        .collect();
    assert!(missing.is_empty(), "no call of {missing:?}");
}

#[test]
fn a_function_that_takes_the_context_pays_for_it() {
    for name in [
        "length",
        "uppercase",
        "lowercase",
        "trim",
        "base64encode",
        "encodeUrl",
        "number",
    ] {
        let (taken, _) = steps(&format!("s.${name}()"));
        assert!(taken >= 1 << 19, "{name}: {taken}");
    }
    for call in [
        "$contains(\"y\")",
        "$substring(2)",
        "$split(\"y\")",
        "$substringBefore(\"y\")",
        "$pad(3)",
    ] {
        let (taken, _) = steps(&format!("s.{call}"));
        assert!(taken >= 1 << 19, "{call}: {taken}");
    }
}
