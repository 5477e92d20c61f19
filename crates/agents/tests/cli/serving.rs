//! A server as a process, and plain requests to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

/// A running server and what it said until it listened; killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) said: String,
    stderr: BufReader<ChildStderr>,
}

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Serving {
    /// Starts a server and waits until it listens.
    pub(crate) fn start(mut command: Command) -> Serving {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        while !said.contains("listening on") {
            assert_ne!(stderr.read_line(&mut said).expect("UTF-8"), 0, "{said}");
        }
        Serving { child, said, stderr }
    }

    /// Asks it to terminate; how it ended and what it said meanwhile.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        let mut said = String::new();
        while self.stderr.read_line(&mut said).expect("UTF-8") > 0 {}
        (self.child.wait().expect("it ends").code(), said)
    }

    /// Sends a request on a connection of its own. `headers` are whole lines.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let address = self.said.split("listening on http://").nth(1).expect("it listens").trim();
        exchange(address, method, path, headers, body).expect("an answer")
    }
}

/// One request on a connection of its own; `None` where the server is gone.
pub(crate) fn exchange(
    address: &str,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    let more: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n{more}\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_lowercase(), body: body.to_owned() })
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
