//! How large an engine each command needs.

use std::thread::available_parallelism;

use stateset_nn::{PAGE_TOKENS, Path, SamplerSize};
use stateset_train::EngineSpec;
use tokio::runtime::Runtime;

use super::error::{CliError, Outcome};

/// Tokens of one pass of a sampler.
const PASS_TOKENS: usize = 1024;

/// Tokens a cache holds where nobody says otherwise, unless one conversation needs more.
const CACHE_TOKENS: usize = 1 << 16;

/// Threads of the machine.
pub(crate) fn machine_threads() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// What asynchronous work runs on; the engine has threads of its own.
pub(crate) fn runtime() -> Outcome<Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| CliError::failed(format!("start the program: {error}")))
}

/// A cache for `n` conversations of up to `longest` tokens, within reason.
fn cache_tokens(n: usize, longest: usize) -> usize {
    let whole = longest.next_multiple_of(PAGE_TOKENS);
    n.saturating_mul(whole).min(CACHE_TOKENS.max(whole))
}

/// An engine that samples `n` answers at a time, in conversations of up to `longest` tokens.
pub(crate) fn sampling_spec(threads: Option<usize>, n: usize, longest: usize) -> EngineSpec {
    let (n, longest) = (n.max(1), longest.max(2));
    EngineSpec {
        threads: threads.unwrap_or_else(machine_threads),
        path: Path::best(),
        context: longest,
        sampler: SamplerSize {
            max_running: n,
            max_rows: PASS_TOKENS.min(longest.saturating_mul(n)).max(n),
            cache_tokens: cache_tokens(n, longest),
        },
        training: None,
        scorer_tokens: None,
    }
}

/// An engine that scores rows of up to `longest` tokens, `tokens` in one pass.
pub(crate) fn scoring_spec(threads: Option<usize>, longest: usize, tokens: usize) -> EngineSpec {
    let longest = longest.max(2);
    let nothing = SamplerSize { max_running: 1, max_rows: 1, cache_tokens: PAGE_TOKENS };
    EngineSpec {
        sampler: nothing,
        scorer_tokens: Some(tokens.max(longest)),
        ..sampling_spec(threads, 1, longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_hold_at_least_one_conversation_and_not_the_world() {
        assert_eq!(cache_tokens(4, 100), 4 * 112);
        assert_eq!(cache_tokens(64, 32_768), CACHE_TOKENS);
        assert_eq!(cache_tokens(64, 100_001), 100_016);
        let spec = scoring_spec(Some(1), 300, 100);
        assert_eq!((spec.threads, spec.context, spec.scorer_tokens), (1, 300, Some(300)));
        assert_eq!(scoring_spec(None, 0, 0).context, 2);
    }
}
