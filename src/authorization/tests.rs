use super::*;

const MOMENT: Moment = Moment {
    now_ms: 1_700_000_000_000,
    random: [7; 32],
};

fn signed(authorization: Value, context: &Value) -> Result<SignIn, AuthorizationError> {
    let authorization: Authorization = serde_json::from_value(authorization).unwrap();
    let url = Url::parse("https://api.example.com/x").unwrap();
    let headers = HeaderMap::new();
    let request = UnauthenticatedRequest {
        method: &Method::POST,
        url: &url,
        headers: &headers,
        body: SentBody::Held(b"{}"),
    };
    sign_in(
        &authorization,
        &TemplateScope::new(context),
        context,
        &request,
        &MOMENT,
    )
}

fn headers(pairs: &[(&str, &str)]) -> SignIn {
    let pair = |(name, value): &(&str, &str)| (name.parse().unwrap(), value.parse().unwrap());
    SignIn {
        headers: pairs.iter().map(pair).collect(),
        ..SignIn::default()
    }
}

#[test]
fn each_format_puts_the_credential_in_its_place() {
    let context = json!({ "api_key": "k y", "user": "me", "password": "p:w", "oauth": { "token": { "access_token": "t" } } });
    let table = [
        (
            json!({ "format": "bearer", "config": {} }),
            headers(&[("authorization", "Bearer t")]),
        ),
        (
            json!({ "format": "bearer", "config": { "token": "{{api_key}}" } }),
            headers(&[("authorization", "Bearer k y")]),
        ),
        (
            json!({ "format": "basic", "config": { "username": "{{user}}", "password": "{{password}}" } }),
            headers(&[("authorization", "Basic bWU6cDp3")]),
        ),
        // Azure DevOps documents a personal access token so.
        (
            json!({ "format": "basic", "config": { "username": "", "password": "{{password}}" } }),
            headers(&[("authorization", "Basic OnA6dw==")]),
        ),
        (
            json!({ "format": "header", "config": { "header_name": "X-Key", "header_value": "{{api_key}}" } }),
            headers(&[("x-key", "k y")]),
        ),
        (
            json!({ "format": "header", "config": { "name": "X-Key", "value": "v={{api_key}}" } }),
            headers(&[("x-key", "v=k y")]),
        ),
        (
            json!({ "format": "header", "config": { "expression": "{ 'x-sum': requestOptions.method & ' ' & url & ' ' & context.user & requestOptions.body }" } }),
            headers(&[("x-sum", "POST https://api.example.com/x me{}")]),
        ),
        (
            json!({ "format": "query", "config": { "name": "key", "value": "{{api_key}}" } }),
            SignIn {
                query: Some(("key".into(), "k y".into())),
                ..SignIn::default()
            },
        ),
        (json!({ "format": "none", "config": {} }), SignIn::default()),
    ];
    for (authorization, expected) in table {
        assert_eq!(
            signed(authorization.clone(), &context),
            Ok(expected),
            "{authorization}"
        );
    }
}

#[test]
fn an_expression_that_names_no_further_token_sees_none() {
    let context = json!({ "oauth": { "token": { "access_token": "t", "also": { "crm": { "access_token": "c" } } } } });
    for (expression, text) in [
        ("$string(context.oauth.token)", r#"{"access_token":"t"}"#),
        ("$string($lookup(context.oauth.token, 'al' & 'so'))", ""),
        ("context.oauth.token.also.crm.access_token", "c"),
    ] {
        let expression = format!("{{ 'x-seen': '=' & ({expression}) }}");
        let computed = json!({ "format": "header", "config": { "expression": expression } });
        let text = format!("={text}");
        let expected = headers(&[("x-seen", text.as_str())]);
        assert_eq!(signed(computed, &context), Ok(expected), "{expression}");
    }
}

#[test]
fn a_missing_or_impossible_credential_is_never_sent_half() {
    let bearer = json!({ "format": "bearer", "config": {} });
    assert!(matches!(
        signed(bearer, &json!({})),
        Err(AuthorizationError::Render(_))
    ));
    let empty = json!({ "format": "bearer", "config": { "token": "{{api_key}}" } });
    assert!(signed(empty.clone(), &json!({ "api_key": "" })).is_err());
    assert!(signed(empty, &json!({ "api_key": "a\r\nx: y" })).is_err());
    let basic = json!({ "format": "basic", "config": { "username": "{{user}}" } });
    assert_eq!(
        signed(basic, &json!({ "user": "a:b" })),
        Err(AuthorizationError::Colon)
    );
    let query = json!({ "format": "query", "config": { "name": "key", "value": "{{api_key}}" } });
    assert!(signed(query, &json!({ "api_key": null })).is_err());
    for empty in [
        json!({ "username": "" }),
        json!({ "username": "", "password": "" }),
        json!({ "username": "", "password": "{{none:undefined}}" }),
        json!({ "username": "{{user}}", "password": "p" }),
    ] {
        let basic = json!({ "format": "basic", "config": empty });
        assert!(signed(basic, &json!({ "user": "" })).is_err(), "{empty}");
    }
    let nameless = json!({ "format": "basic", "config": { "username": "{{user}}" } });
    assert!(signed(nameless, &json!({ "user": null })).is_err());
    let computed = json!({ "format": "header", "config": { "expression": "'text'" } });
    assert_eq!(
        signed(computed, &json!({})),
        Err(AuthorizationError::NotHeaders)
    );
}

#[test]
fn debug_shows_names_only() {
    let context = json!({ "api_key": "hunter2" });
    let signed = signed(
        json!({ "format": "bearer", "config": { "token": "{{api_key}}" } }),
        &context,
    )
    .unwrap();
    assert!(!format!("{signed:?} {:?}", signed.headers).contains("hunter2"));
}
