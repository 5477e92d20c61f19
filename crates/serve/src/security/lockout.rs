//! Addresses that presented wrong keys too often are not listened to for a while.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Most addresses that are remembered; beyond that, the one that failed longest ago is forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// Counts failures by address. IPv6 addresses count by their first 64 bits, since one subscriber has all
/// of the rest.
#[derive(Debug)]
pub struct Lockout {
    max_failures: u32,
    lasts: Duration,
    failures: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    n: u32,
    last: Instant,
}

impl Default for Lockout {
    /// Five failures close for 300 seconds.
    fn default() -> Lockout {
        Lockout::new(5, Duration::from_secs(300))
    }
}

impl Lockout {
    /// Closes for `lasts` after this many failures that were each less than `lasts` apart.
    pub fn new(max_failures: u32, lasts: Duration) -> Lockout {
        Lockout { max_failures, lasts, failures: Mutex::default() }
    }

    /// How long this address must wait still; `None` where it is listened to.
    pub fn locked_for(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let found = failures.get(&counted(address))?;
        let left = self.lasts.saturating_sub(now.saturating_duration_since(found.last));
        (found.n >= self.max_failures && !left.is_zero()).then_some(left)
    }

    /// Notes a wrong key; true where it was the one that closes.
    pub fn failed(&self, address: IpAddr, now: Instant) -> bool {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let address = counted(address);
        if failures.len() >= MAX_ADDRESSES && !failures.contains_key(&address) {
            self.forget(&mut failures, now);
        }
        let entry = failures.entry(address).or_insert(Failures { n: 0, last: now });
        if now.saturating_duration_since(entry.last) >= self.lasts {
            entry.n = 0;
        }
        *entry = Failures { n: entry.n + 1, last: now };
        entry.n == self.max_failures
    }

    /// Notes a right key, which clears earlier mistakes.
    pub fn succeeded(&self, address: IpAddr) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if !failures.is_empty() {
            failures.remove(&counted(address));
        }
    }

    fn forget(&self, failures: &mut HashMap<IpAddr, Failures>, now: Instant) {
        failures.retain(|_, entry| now.saturating_duration_since(entry.last) < self.lasts);
        if failures.len() >= MAX_ADDRESSES {
            let oldest = failures.iter().min_by_key(|(_, entry)| entry.last).map(|(at, _)| *at);
            oldest.map(|address| failures.remove(&address));
        }
    }
}

fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn five_failures_close_for_300_seconds() {
        let lockout = Lockout::default();
        let (start, at) = (Instant::now(), address("192.0.2.1"));
        let second = |n| start + Duration::from_secs(n);
        for n in 0..4 {
            assert!(!lockout.failed(at, second(n)));
        }
        assert_eq!(lockout.locked_for(at, second(4)), None);
        assert!(lockout.failed(at, second(4)));
        assert_eq!(lockout.locked_for(at, second(5)), Some(Duration::from_secs(299)));
        assert_eq!(lockout.locked_for(address("192.0.2.2"), second(5)), None);
        assert!(lockout.locked_for(at, second(303)).is_some());
        assert_eq!(lockout.locked_for(at, second(304)), None);
        assert!(!lockout.failed(at, second(305)));
        assert_eq!(lockout.locked_for(at, second(305)), None);
    }

    #[test]
    fn a_right_key_clears_and_neighbours_in_a_network_share() {
        let lockout = Lockout::new(2, Duration::from_secs(10));
        let now = Instant::now();
        lockout.failed(address("192.0.2.1"), now);
        lockout.succeeded(address("192.0.2.1"));
        assert!(!lockout.failed(address("192.0.2.1"), now));
        lockout.failed(address("2001:db8::1"), now);
        lockout.failed(address("2001:db8::ffff:1"), now);
        assert!(lockout.locked_for(address("2001:db8::2"), now).is_some());
        assert!(lockout.locked_for(address("2001:db8:0:1::2"), now).is_none());
        lockout.failed(address("::ffff:192.0.2.1"), now);
        assert!(lockout.locked_for(address("192.0.2.1"), now).is_some());
    }

    #[test]
    fn memory_is_bounded() {
        let lockout = Lockout::new(2, Duration::from_secs(10));
        let now = Instant::now();
        for n in 0..u32::try_from(MAX_ADDRESSES).unwrap() + 50 {
            lockout.failed(IpAddr::V4(n.into()), now);
        }
        assert_eq!(lockout.failures.lock().unwrap().len(), MAX_ADDRESSES);
    }
}
