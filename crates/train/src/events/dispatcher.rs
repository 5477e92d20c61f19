//! Hands events to everybody who wants them, in order.
//!
//! Calls are direct: `emit` takes `&mut self`, so one thread at a time sends, every sink sees the same
//! order, and a callback's wish to stop is known before the next step begins. A channel would need a
//! way back for that wish. A sink that panics is a bug in a progress bar or in a user's callback and
//! must not cost hours of training: it is logged and left out from then on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Event;
use crate::sinks::call;
use crate::{Callback, Flow};

/// Renders events. A sink that fails logs it by `tracing` and stays quiet; it never stops a run.
pub trait Sink: Send {
    /// Takes in one event.
    fn handle(&mut self, event: &Event);
}

/// Owns the sinks and callbacks of a run and the order in which they hear of things.
#[derive(Default)]
pub struct Dispatcher {
    sinks: Vec<Box<dyn Sink>>,
    callbacks: Vec<Box<dyn Callback>>,
}

impl Dispatcher {
    /// Sinks are called in this order, then the callbacks in theirs.
    pub fn new(sinks: Vec<Box<dyn Sink>>, callbacks: Vec<Box<dyn Callback>>) -> Dispatcher {
        Dispatcher { sinks, callbacks }
    }

    /// Tells everybody of `event`. [`Flow::Stop`] where a callback wants the run to end after the step.
    pub fn emit(&mut self, event: &Event) -> Flow {
        self.sinks.retain_mut(|sink| guarded(|| sink.handle(event)).is_some());
        let mut flow = Flow::Continue;
        self.callbacks.retain_mut(|callback| {
            let answer = guarded(|| call(callback.as_mut(), event));
            flow = flow.or(answer.unwrap_or(Flow::Continue));
            answer.is_some()
        });
        flow
    }
}

/// The result of `call`, or `None` where it panicked. What panicked is not used again, so nobody sees
/// the state it left behind.
fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call))
        .inspect_err(|panic| {
            let text = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            tracing::error!("a receiver of events panicked and is left out from now on: {text}");
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    type Log = Arc<Mutex<Vec<String>>>;

    struct Named(&'static str, Log);

    impl Sink for Named {
        fn handle(&mut self, event: &Event) {
            if let Event::Warning { text } = event {
                assert!(text != self.0, "asked to break");
                self.1.lock().unwrap().push(format!("{}:{text}", self.0));
            }
        }
    }

    struct StopAt(u32);

    impl Callback for StopAt {
        fn on_step_end(
            &mut self,
            step: u32,
            _metrics: &std::collections::BTreeMap<String, f64>,
        ) -> Flow {
            if step == self.0 { Flow::Stop } else { Flow::Continue }
        }
    }

    fn warning(text: &str) -> Event {
        Event::Warning { text: text.into() }
    }

    fn step(step: u32) -> Event {
        Event::StepFinished { step, of: 9, metrics: Default::default(), secs: 0.0 }
    }

    #[test]
    fn keeps_the_order_and_drops_who_panics() {
        let log = Log::default();
        let sinks: Vec<Box<dyn Sink>> =
            vec![Box::new(Named("a", log.clone())), Box::new(Named("b", log.clone()))];
        let mut dispatcher = Dispatcher::new(sinks, Vec::new());
        dispatcher.emit(&warning("1"));
        dispatcher.emit(&warning("a"));
        dispatcher.emit(&warning("2"));
        assert_eq!(*log.lock().unwrap(), ["a:1", "b:1", "b:a", "b:2"]);
    }

    #[test]
    fn one_callback_is_enough_to_stop() {
        let callbacks: Vec<Box<dyn Callback>> = vec![Box::new(StopAt(2)), Box::new(StopAt(3))];
        let mut dispatcher = Dispatcher::new(Vec::new(), callbacks);
        let flows: Vec<Flow> = (1..=4).map(|n| dispatcher.emit(&step(n))).collect();
        assert_eq!(flows, [Flow::Continue, Flow::Stop, Flow::Stop, Flow::Continue]);
    }
}
