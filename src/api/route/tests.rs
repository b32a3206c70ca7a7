use super::*;

fn target(method: &str, path: &str) -> Option<Target> {
    match find(&Method::from_bytes(method.as_bytes()).unwrap(), path) {
        RouteMatch::Route(Route::Call(target)) => Some(target),
        _ => None,
    }
}

#[test]
fn the_data_plane_as_the_table_says() {
    for (sent, path, resource, method, id) in [
        ("GET", "/proxy/contacts", "contacts", "list", None),
        ("GET", "/proxy/contacts/7", "contacts", "get", Some("7")),
        ("POST", "/proxy/contacts", "contacts", "create", None),
        (
            "PATCH",
            "/proxy/contacts/7",
            "contacts",
            "update",
            Some("7"),
        ),
        ("PUT", "/proxy/contacts/7", "contacts", "update", Some("7")),
        (
            "DELETE",
            "/proxy/contacts/7",
            "contacts",
            "delete",
            Some("7"),
        ),
        ("POST", "/proxy/contacts/merge", "contacts", "merge", None),
        (
            "GET",
            "/proxy/contacts/a%2Fb",
            "contacts",
            "get",
            Some("a/b"),
        ),
    ] {
        let expected = Target::Method {
            resource: resource.into(),
            method: method.into(),
            id: id.map(Into::into),
        };
        assert_eq!(target(sent, path), Some(expected), "{sent} {path}");
    }
}

#[test]
fn a_custom_path_stays_as_it_was_written() {
    for (path, expected) in [
        ("/custom/v1/a%2Fb//c", "/v1/a%2Fb//c"),
        ("/custom", ""),
        ("/custom/", "/"),
    ] {
        for method in ["GET", "POST", "OPTIONS", "HEAD", "PURGE"] {
            assert_eq!(
                target(method, path),
                Some(Target::Custom {
                    path: expected.into()
                }),
                "{method} {path}"
            );
        }
    }
    assert_eq!(target("GET", "/customer"), None);
}

#[test]
fn a_known_path_names_its_methods() {
    assert_eq!(
        find(&Method::PATCH, "/api-token"),
        RouteMatch::OtherMethods("GET, POST".to_owned())
    );
    assert_eq!(
        find(&Method::POST, "/health"),
        RouteMatch::OtherMethods("GET, HEAD".to_owned())
    );
    assert_eq!(
        find(&Method::GET, "/integration/validate/x"),
        RouteMatch::Nothing
    );
    assert_eq!(find(&Method::GET, "/"), RouteMatch::Route(Route::Home));
    assert_eq!(find(&Method::GET, "//"), RouteMatch::Nothing);
    assert_eq!(find(&Method::GET, "/integration//"), RouteMatch::Nothing);
}

#[test]
fn actions_are_called_below_an_underscore() {
    let route = Route::Action("sync users".to_owned());
    assert_eq!(
        find(&Method::POST, "/proxy/_/sync%20users"),
        RouteMatch::Route(route)
    );
    assert_eq!(
        find(&Method::GET, "/proxy/_/sync"),
        RouteMatch::OtherMethods("POST".to_owned())
    );
    for path in ["/proxy/_", "/proxy/_/sync/now"] {
        assert_eq!(find(&Method::POST, path), RouteMatch::Nothing, "{path}");
    }
}

#[test]
fn no_row_hides_another() {
    // A custom path has no parameter that is decoded.
    for row in rows().filter(|row| !row.path.starts_with("/custom")) {
        let sample = row.path.replace(['{', '}'], "");
        let own = (row.route)(&row.parameters(&decode(&sample).unwrap()).unwrap());
        for method in row.methods {
            let found = lookup(&method.parse().unwrap(), &sample);
            let found = found.map(|(right, route)| (right, Some(route)));
            assert_eq!(
                found,
                Some((row.right, own.clone())),
                "{method} {}",
                row.path
            );
        }
    }
}
