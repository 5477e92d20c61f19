//! A process with everything it starts: its environment, limits, last words and end.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::Harness;

/// Bytes of each output that are kept: its end.
const KEPT_BYTES: usize = 16 << 10;
/// Where programs find the server.
const OURS: &str = "127.0.0.1,localhost";

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// `None` for 0, else what is told of the failure.
    pub(super) failure: Option<String>,
    /// The end of its standard output.
    pub(super) stdout: String,
}

/// A running program. Dropping it kills the program and all its children.
pub(super) struct Program {
    ending: watch::Receiver<Option<Ending>>,
    /// Dropped with the program.
    _alive: oneshot::Sender<()>,
}

impl Program {
    /// Starts the program of `harness` with further `variables`.
    ///
    /// # Errors
    /// What the system says where it cannot be started.
    pub(super) fn start(
        harness: &Harness,
        variables: &[(&str, String)],
    ) -> std::io::Result<Program> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(harness.script());
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.envs(around_proxies(|name| std::env::var(name).ok()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.process_group(0).kill_on_drop(true);
        let child = command.spawn()?;
        let (tell, ending) = watch::channel(None);
        let (alive, gone) = oneshot::channel();
        let limit = harness.time_limit;
        tokio::spawn(async move {
            let ending = attend(child, limit, gone).await;
            let _ = tell.send(Some(ending));
        });
        Ok(Program { ending, _alive: alive })
    }

    /// Waits for its end.
    pub(super) async fn ended(&self) -> Ending {
        let mut ending = self.ending.clone();
        let waited = ending.wait_for(Option::is_some).await;
        let known = waited.ok().and_then(|ending| ending.clone());
        let lost = || Ending { failure: Some("it was lost".to_owned()), stdout: String::new() };
        known.unwrap_or_else(lost)
    }
}

/// The server is on this machine, where no proxy finds it. Clients read one of two names; a name that is not
/// there yet takes over what the other says, which it would hide otherwise.
fn around_proxies(given: impl Fn(&str) -> Option<String>) -> [(&'static str, String); 2] {
    let with_ours = |name: &'static str, other: &str| {
        let hosts = given(name).or_else(|| given(other)).filter(|hosts| !hosts.trim().is_empty());
        (name, hosts.into_iter().chain([OURS.to_owned()]).collect::<Vec<_>>().join(","))
    };
    [with_ours("NO_PROXY", "no_proxy"), with_ours("no_proxy", "NO_PROXY")]
}

async fn attend(mut child: Child, limit: Duration, gone: oneshot::Receiver<()>) -> Ending {
    // Its own group was made for it, so the group has its number.
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let stdout = child.stdout.take().map(|pipe| tokio::spawn(tail(pipe)));
    let stderr = child.stderr.take().map(|pipe| tokio::spawn(tail(pipe)));
    let failure = tokio::select! {
        status = child.wait() => status.map_or_else(|e| Some(e.to_string()), failure_of),
        () = tokio::time::sleep(limit) => {
            Some(format!("it was killed after {} s", limit.as_secs_f64()))
        }
        _ = gone => Some("it was not needed any longer".to_owned()),
    };
    // Children that outlive it would hold its outputs open.
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait().await;
    let (stdout, stderr) = (last_words(stdout).await, last_words(stderr).await);
    let failure = failure.map(|failure| match stderr.trim() {
        "" => failure,
        words => format!("{failure}; its last words: {words}"),
    });
    Ending { failure, stdout }
}

fn failure_of(status: ExitStatus) -> Option<String> {
    (!status.success()).then(|| format!("it ended with {status}"))
}

async fn last_words(reading: Option<JoinHandle<Vec<u8>>>) -> String {
    let Some(reading) = reading else { return String::new() };
    let read = tokio::time::timeout(Duration::from_secs(2), reading).await;
    let bytes = read.ok().and_then(Result::ok).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads to the end and keeps the end.
async fn tail(mut pipe: impl AsyncRead + Unpin) -> Vec<u8> {
    let (mut kept, mut chunk) = (Vec::new(), vec![0; 8 << 10]);
    while let Ok(n @ 1..) = pipe.read(&mut chunk).await {
        kept.extend_from_slice(&chunk[..n]);
        if kept.len() > 2 * KEPT_BYTES {
            kept.drain(..kept.len() - KEPT_BYTES);
        }
    }
    let start = kept.len().saturating_sub(KEPT_BYTES);
    kept.split_off(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(command: &str, limit: Duration) -> Program {
        let harness = Harness { time_limit: limit, ..Harness::new(command, "run") };
        Program::start(&harness, &[("WORD", "hello".to_owned())]).unwrap()
    }

    #[tokio::test]
    async fn programs_end_well_badly_or_at_their_limit() {
        let long = Duration::from_secs(60);
        let well = started("echo $WORD", long).ended().await;
        assert_eq!(well, Ending { failure: None, stdout: "hello\n".to_owned() });
        let badly = started("echo no >&2; exit 3", long).ended().await.failure.unwrap();
        assert!(badly.contains("exit status: 3") && badly.ends_with("last words: no"), "{badly}");
        let hung = started("sleep 100 & wait", Duration::from_millis(100)).ended().await;
        assert_eq!(hung.failure.unwrap(), "it was killed after 0.1 s");
    }

    #[test]
    fn proxies_stay_and_are_told_of_us() {
        let given = |upper: Option<&'static str>, lower: Option<&'static str>| {
            let found = around_proxies(|name| match name {
                "NO_PROXY" => upper.map(str::to_owned),
                _ => lower.map(str::to_owned),
            });
            found.map(|(_, hosts)| hosts)
        };
        let ours = OURS.to_owned();
        assert_eq!(given(None, None), [ours.clone(), ours.clone()]);
        assert_eq!(given(Some(" "), None), [ours.clone(), ours.clone()]);
        let both = |hosts: &str| format!("{hosts},{ours}");
        assert_eq!(given(Some(".shop"), None), [both(".shop"), both(".shop")]);
        assert_eq!(given(None, Some("a, b")), [both("a, b"), both("a, b")]);
        assert_eq!(given(Some("a"), Some("b")), [both("a"), both("b")]);
    }

    #[tokio::test]
    async fn programs_are_told_that_no_proxy_is_needed() {
        let ending =
            started("echo $NO_PROXY; echo $no_proxy", Duration::from_secs(60)).ended().await;
        assert!(ending.stdout.lines().all(|line| line.ends_with(OURS)), "{}", ending.stdout);
        assert_eq!(ending.stdout.lines().count(), 2);
    }

    #[tokio::test]
    async fn only_the_end_of_what_is_printed_is_kept() {
        let much = "i=0; while [ $i -lt 20000 ]; do echo number $i; i=$((i+1)); done";
        let ending = started(much, Duration::from_secs(60)).ended().await;
        assert!(ending.stdout.len() <= KEPT_BYTES && ending.stdout.ends_with("number 19999\n"));
    }

    #[tokio::test]
    async fn children_go_with_their_program() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("late");
        let command = format!("(sleep 1; echo late > {}) & wait", file.display());
        drop(started(&command, Duration::from_secs(60)));
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(!file.exists());
    }
}
