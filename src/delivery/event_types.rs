//! The events a subscription names: exact, or all that begin alike.

/// Names a subscription may list.
const MOST: usize = 100;
/// Characters of a name; an event's own name is no longer.
const LONGEST: usize = 255;

/// Whether a subscription to these events gets `event`; no list: it gets all.
pub fn is_wanted(event_types: Option<&[String]>, event: &str) -> bool {
    let fits = |wanted: &String| match wanted.strip_suffix('*') {
        Some(start) => event.starts_with(start),
        None => event == wanted,
    };
    event_types.is_none_or(|wanted| wanted.iter().any(fits))
}

/// What is wrong with a list of events, in words for its author.
pub fn check_event_types(event_types: &[String]) -> Result<(), String> {
    if event_types.is_empty() || event_types.len() > MOST {
        return Err(format!("needs 1 to {MOST} names; null means all"));
    }
    event_types.iter().try_for_each(|name| check_wanted(name))
}

/// What is wrong with the name of one event.
pub fn check_event(name: &str) -> Result<(), String> {
    if name.is_empty() || name.chars().count() > LONGEST || name.chars().any(char::is_control) {
        return Err(format!("needs 1 to {LONGEST} printable characters"));
    }
    Ok(())
}

fn check_wanted(name: &str) -> Result<(), String> {
    check_event(name).map_err(|why| format!("has a name that {why}"))?;
    if name.strip_suffix('*').unwrap_or(name).contains('*') {
        return Err(format!("has `{name}`: it may have one `*`, at the end"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_subscription_gets_what_it_names() {
        let some = names(&["record:created", "integrated_account:*"]);
        for (event, is_in) in [
            ("record:created", true),
            ("record:created2", false),
            ("integrated_account:active", true),
            ("integrated_account:", true),
            ("integrated_account", false),
            ("webhook:received", false),
        ] {
            assert_eq!(is_wanted(Some(&some), event), is_in, "{event}");
            assert!(is_wanted(None, event), "no list is all");
            assert!(is_wanted(Some(&names(&["*"])), event));
        }
        assert!(!is_wanted(Some(&[]), "record:created"));
    }

    #[test]
    fn only_a_last_star_means_something() {
        for good in [
            &["a"][..],
            &["*"],
            &["a:*", "b"],
            &["ä".repeat(255).as_str()],
        ] {
            assert_eq!(check_event_types(&names(good)), Ok(()), "{good:?}");
        }
        let (long, many) = ("a".repeat(256), vec!["a"; 101]);
        for bad in [
            &[][..],
            &[""],
            &["a*b"],
            &["**"],
            &["a", "a\nb"],
            &[&long],
            &many,
        ] {
            assert!(check_event_types(&names(bad)).is_err(), "{bad:?}");
        }
        assert_eq!(check_event_types(&names(&vec!["a"; 100])), Ok(()));
    }
}
