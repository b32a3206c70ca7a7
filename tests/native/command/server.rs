//! The service on a port of this machine: each request the command makes goes through `api::handle`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use causeway::ports::Body;

use crate::client::{Answer, Client};
use crate::outside::World;

/// A gateway that lives as long as the test's process.
pub struct Server {
    pub url: String,
    /// `GET /path`, in the order they came.
    calls: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// The service over the in-memory twin of the platform.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&calls);
        thread::spawn(move || {
            let client = Client::admin(&World::new());
            for stream in listener.incoming() {
                serve(&client, &noted, stream.unwrap());
            }
        });
        Self { url, calls }
    }

    /// One that gives every request this raw answer.
    pub fn saying(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                read(&stream);
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        url
    }

    /// The calls since the last time.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

struct Request {
    method: String,
    path: String,
    token: String,
    body: Vec<u8>,
}

fn serve(client: &Client, calls: &Mutex<Vec<String>>, stream: TcpStream) {
    let request = read(&stream);
    let call = format!("{} {}", request.method, request.path);
    calls.lock().unwrap().push(call);
    let headers = [("content-type", "application/json")];
    let body = Body::from_bytes(request.body);
    let client = client.with_token(&request.token);
    write(
        stream,
        &client.request(&request.method, &request.path, &headers, body),
    );
}

fn read(stream: &TcpStream) -> Request {
    let mut lines = BufReader::new(stream);
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    };
    let first = next();
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let (mut length, mut token) = (0, String::new());
    loop {
        let line = next();
        match line
            .split_once(": ")
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
        {
            None => break,
            Some((name, value)) if name == "content-length" => length = value.parse().unwrap(),
            Some((name, value)) if name == "authorization" => {
                value.trim_start_matches("Bearer ").clone_into(&mut token);
            }
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).unwrap();
    Request {
        method,
        path,
        token,
        body,
    }
}

fn write(mut stream: TcpStream, answer: &Answer) {
    let head = format!(
        "HTTP/1.1 {} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.status,
        answer.body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&answer.body).unwrap();
}
