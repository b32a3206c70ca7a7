//! What Rust futures on this platform cost at least: the platform's calls on the way of a proxied call, of a list and of
//! a webhook, and nothing else. `floor.js` is the same in JavaScript.

use worker::{
    Context, DurableObject, Env, Fetch, Headers, Request, RequestInit, Response, Result,
    SqlStorage, State, console_error, durable_object, event,
};

async fn ask(env: &Env, path: &str) -> Result<Response> {
    let headers = Headers::new();
    headers.set("accept", "application/json")?;
    headers.set("x-key", "key-1")?;
    let url = format!("{}{path}", env.var("UPSTREAM")?);
    Fetch::Request(Request::new_with_init(
        &url,
        RequestInit::new().with_headers(headers),
    )?)
    .send()
    .await
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    if let Some(path) = request.path().strip_prefix("/leased") {
        return ask(&env, path).await;
    }
    env.durable_object("OBJECT")?
        .get_by_name(&request.path())?
        .fetch_with_request(request)
        .await
}

/// An object for each path.
#[durable_object]
pub struct Holder {
    env: Env,
    sql: SqlStorage,
}

impl DurableObject for Holder {
    fn new(state: State, env: Env) -> Self {
        let sql = state.storage().sql();
        let table =
            "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)";
        if let Err(error) = sql.exec(table, None) {
            console_error!("{error}");
        }
        Self { env, sql }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let path = request.path();
        if let Some(path) = path.strip_prefix("/regional") {
            return ask(&self.env, path).await;
        }
        if let Some(path) = path.strip_prefix("/list") {
            return Response::from_bytes(ask(&self.env, path).await?.bytes().await?);
        }
        self.sql.exec(
            "INSERT INTO event (payload) VALUES (?)",
            vec![request.text().await?.into()],
        )?;
        Response::empty()
    }
}
