//! What stands around every request, against a server that listens. The key and the certificate in
//! `data/` are made for these tests and open nothing; `openssl req -x509 -newkey rsa:2048 -nodes -subj
//! /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1` makes others.
#![allow(clippy::unwrap_used, reason = "what is shared by tests fails them")]

mod calls;
mod connections;
mod faults;
mod health;
mod keys;
mod limits;
mod measurements;
mod running;
mod secrets;
mod tls;
mod traces;
