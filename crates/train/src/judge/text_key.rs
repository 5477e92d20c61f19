//! Randomness for a question, addressed by its text: the same question is answered the same, whoever
//! asks it and when.

use stateset_core::{JudgeRequest, Purpose, RunSeed, Stream, StreamKey};

/// The stream of a question (FNV-1a over its texts).
pub(super) fn stream_of(seed: RunSeed, request: &JudgeRequest) -> Stream {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let texts = [request.instructions.as_bytes(), b"\0", request.question.as_bytes()];
    for byte in texts.into_iter().flatten() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let key =
        StreamKey { step: (hash >> 32) as u32, scenario: hash as u32, ..StreamKey::default() };
    seed.stream(Purpose::Reward, key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_matters() {
        let draw = |instructions: &str, question: &str| {
            let request = JudgeRequest {
                instructions: instructions.into(),
                question: question.into(),
                options: Vec::new(),
            };
            stream_of(RunSeed(1), &request).next_u32()
        };
        assert_eq!(draw("a", "b"), draw("a", "b"));
        assert_ne!(draw("a", "b"), draw("a", "c"));
        assert_ne!(draw("a", "b"), draw("ab", ""));
    }
}
