//! The pages for people, over runs that were really trained.

#![allow(clippy::unwrap_used, reason = "what fails in a test is to be seen")]

#[path = "../support/clients.rs"]
mod python_clients;
#[path = "../support/tiny_run.rs"]
mod tiny_run;

mod browser;
mod pages;
mod running;
