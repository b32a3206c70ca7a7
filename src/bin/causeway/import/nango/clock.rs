//! The catalogue's times as expressions.

use super::template::quoted;

/// `now`, `now:FORMAT` and `now+7:days:FORMAT`, for formats of two and four digits.
pub fn now(format: &str) -> Option<String> {
    let rest = format.strip_prefix("now")?;
    let (shift, picture) = match rest.strip_prefix('+') {
        Some(rest) => {
            let (amount, rest) = rest.split_once(':')?;
            let (unit, picture) = rest.split_once(':').unwrap_or((rest, ""));
            let amount: u64 = amount.trim().parse().ok()?;
            (amount.checked_mul(milliseconds(unit)?)?, picture)
        }
        None => (0, rest.strip_prefix(':').unwrap_or_default()),
    };
    let time = match shift {
        0 => "$millis()".to_owned(),
        shift => format!("$millis() + {shift}"),
    };
    if picture.is_empty() {
        return Some(format!("$fromMillis({time})"));
    }
    Some(format!(
        "$fromMillis({time}, {})",
        quoted(&picture_of(picture)?)
    ))
}

fn milliseconds(unit: &str) -> Option<u64> {
    Some(match unit.trim().trim_end_matches('s') {
        "second" => 1_000,
        "minute" => 60_000,
        "hour" => 3_600_000,
        "day" => 86_400_000,
        "week" => 604_800_000,
        _ => return None,
    })
}

/// A picture of `$fromMillis` for a format of day.js.
fn picture_of(format: &str) -> Option<String> {
    const TOKENS: [(&str, &str); 7] = [
        ("YYYY", "[Y0001]"),
        ("MM", "[M01]"),
        ("DD", "[D01]"),
        ("HH", "[H01]"),
        ("mm", "[m01]"),
        ("ss", "[s01]"),
        ("SSS", "[f001]"),
    ];
    let (mut out, mut rest) = (String::new(), format);
    while let Some(first) = rest.chars().next() {
        if let Some((token, picture)) = TOKENS.iter().find(|(token, _)| rest.starts_with(token)) {
            out.push_str(picture);
            rest = rest.get(token.len()..)?;
        } else if let Some((literal, after)) =
            rest.strip_prefix('[').and_then(|text| text.split_once(']'))
        {
            out.push_str(literal);
            rest = after;
        } else if first.is_ascii_alphabetic() && first != 'T' && first != 'Z' {
            return None;
        } else {
            out.push(first);
            rest = rest.get(first.len_utf8()..)?;
        }
    }
    Some(out)
}
