//! Chat templates: the source of one, rendered with a short conversation. It may fail; it may neither
//! panic nor run for ever.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_core::Message;
use stateset_nn::{ChatTemplate, RenderOptions};

fuzz_target!(|source: &str| {
    let Ok(template) = ChatTemplate::from_source("fuzz", source) else { return };
    let messages = [
        Message::system("Be brief."),
        Message::user("Where is my order?"),
        Message::assistant("On its way."),
        Message::user("Thanks!"),
    ];
    let options = RenderOptions { add_generation_prompt: true, ..RenderOptions::default() };
    let _ = template.render(&messages, &options);
});
