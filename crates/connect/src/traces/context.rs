//! Where a span stands among others.
//!
//! Source: W3C Trace Context, level 1, section 3.2. Ids are drawn by the caller, as all randomness.

/// The ids of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace: everything that one request causes, on all machines.
    pub trace_id: [u8; 16],
    /// The span.
    pub span_id: [u8; 8],
    /// True where whoever began the trace keeps it.
    pub is_sampled: bool,
}

impl TraceContext {
    /// The header that carries it from one program to the next.
    pub const HEADER: &'static str = "traceparent";

    /// What a header says; `None` where it is not of the layout, which is to be treated as absent.
    pub fn parse(header: &str) -> Option<TraceContext> {
        let mut parts = header.split('-');
        let [version, trace, span, flags] = [(); 4].map(|()| parts.next().unwrap_or_default());
        let [version] = bytes(version)?;
        // Later versions may say more at the end; the first one says exactly this.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let ([flags], trace_id, span_id) = (bytes(flags)?, bytes(trace)?, bytes(span)?);
        let is_some = trace_id != [0; 16] && span_id != [0; 8];
        is_some.then_some(TraceContext { trace_id, span_id, is_sampled: flags & 1 == 1 })
    }

    /// The first span of a trace that begins here; both ids are random.
    pub fn root(trace_id: [u8; 16], span_id: [u8; 8]) -> TraceContext {
        TraceContext { trace_id, span_id, is_sampled: true }
    }

    /// A span below this one, with a random id.
    pub fn child(self, span_id: [u8; 8]) -> TraceContext {
        TraceContext { span_id, ..self }
    }

    /// The trace's id, as people and headers write it.
    pub fn trace(&self) -> String {
        self.trace_id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Bytes in lower-case hexadecimal.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |c: u8| matches!(c, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != 2 * N || !text.bytes().all(digit) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of the specification, and what it forbids.
    #[test]
    fn headers_are_read_as_the_specification_says() {
        let example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let read = TraceContext::parse(example).unwrap();
        assert_eq!(read.trace(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(read.span_id, [0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]);
        assert!(read.is_sampled);
        let unsampled = example.replace("-01", "-00");
        assert!(!TraceContext::parse(&unsampled).unwrap().is_sampled);
        let later = example.replacen("00", "cc", 1) + "-what-the-future-will-be-like";
        assert_eq!(TraceContext::parse(&later).unwrap(), read);
        let wrong = [
            String::new(),
            example[..54].to_owned(),
            format!("{example}-01"),
            example.replacen("00", "ff", 1),
            example.replacen("4b", "4B", 1),
            example.replacen("4b", "4é", 1),
            example.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            example.replace("00f067aa0ba902b7", &"0".repeat(16)),
            example.replace('-', "_"),
        ];
        for header in wrong {
            assert_eq!(TraceContext::parse(&header), None, "{header}");
        }
    }
}
