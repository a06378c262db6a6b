//! A server that records what arrives, redirects where the path says so, and may be told to wait.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    /// All values of a header.
    pub fn named(&self, name: &str) -> Vec<&str> {
        let mine = self.headers.iter().filter(|header| header.0.eq_ignore_ascii_case(name));
        mine.map(|(_, value)| value.as_str()).collect()
    }
}

pub struct Server {
    pub port: u16,
    received: Receiver<Received>,
    /// While this is held, requests to `/slow` get no answer.
    pub gate: Arc<Mutex<()>>,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (tell, received) = channel();
        let gate = Arc::new(Mutex::new(()));
        let (gate_there, tell) = (Arc::clone(&gate), tell);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (tell, gate) = (tell.clone(), Arc::clone(&gate_there));
                let stream = stream.expect("a connection");
                thread::spawn(move || answer(stream, &tell, &gate));
            }
        });
        Self { port, received, gate }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What arrived until now.
    pub fn received(&self) -> Vec<Received> {
        self.received.try_iter().collect()
    }

    /// The next request to arrive.
    pub fn next(&self) -> Received {
        match self.received.recv_timeout(Duration::from_secs(60)) {
            Ok(received) => received,
            Err(RecvTimeoutError::Timeout) => panic!("no request came"),
            Err(RecvTimeoutError::Disconnected) => panic!("the server is gone"),
        }
    }
}

fn answer(mut stream: TcpStream, tell: &Sender<Received>, gate: &Mutex<()>) {
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    let received = receive(&stream);
    let target = received.target.clone();
    if tell.send(received).is_err() {
        return;
    }
    if target.starts_with("/slow") {
        drop(gate.lock());
    }
    // `/redirect/303/there` sends on to `/there`, `/redirect/303/to/8080` to another port.
    let redirect = target.strip_prefix("/redirect/").and_then(|rest| rest.split_once('/'));
    let head = match redirect {
        Some((code, rest)) => {
            let to = match rest.strip_prefix("to/") {
                Some(port) => format!("http://127.0.0.1:{port}/elsewhere"),
                None => format!("/{rest}"),
            };
            format!("HTTP/1.1 {code} Moved\r\nLocation: {to}\r\n")
        }
        None => "HTTP/1.1 200 OK\r\n".to_owned(),
    };
    let _ = stream.write_all(format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n").as_bytes());
}

fn receive(stream: &TcpStream) -> Received {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line).expect("a line");
        String::from_utf8(line).expect("UTF-8").trim_end_matches(['\r', '\n']).to_owned()
    };
    let first = line();
    let [method, target, _] = first.split(' ').collect::<Vec<_>>()[..] else { panic!("{first:?}") };
    let mut headers = Vec::new();
    loop {
        let line = line();
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("Content-Length"));
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().expect("a number"))];
    reader.read_exact(&mut body).expect("a body");
    Received { method: method.to_owned(), target: target.to_owned(), headers, body }
}
