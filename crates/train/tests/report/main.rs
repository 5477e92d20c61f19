//! The report of a run folder:
//!
//! 1. a finished run has every section, and the figures of its summary;
//! 2. an unfinished run, an empty folder and damaged files give a page with notes, never an error;
//! 3. what users, models and file names say cannot become markup;
//! 4. the page loads nothing from anywhere;
//! 5. building it twice gives the same bytes.
//!
//! With `STATESET_TEST_KEEP=<folder>` the pages of 1 and 2 are kept there to be looked at.

mod fixture;

use std::fs;
use std::path::PathBuf;

use stateset_core::{
    Border, ConversationTurn, Message, RewardComponent, RewardResult, RolloutError, Score,
    ToolCall, Trajectory,
};
use stateset_train::{
    Event, EventLog, RunFolder, RunStart, Sink, build_report, write_conversations, write_report,
};

fn keep(name: &str, page: &str) {
    if let Some(folder) = std::env::var_os("STATESET_TEST_KEEP") {
        fs::write(PathBuf::from(folder).join(name), page).expect("the folder exists");
    }
}

/// The page without style, charts, preformatted text and all conversations but the first, which have
/// tests of their own.
fn skeleton(page: &str) -> String {
    let mut page = page.to_owned();
    for (from, to) in [("<style>", "</style>"), ("<svg ", "</svg>"), ("<pre ", "</pre>")] {
        page = without(&page, from, to);
    }
    let is_first = page.find("<details class=\"dialogue\" open>").expect("one is open");
    let (start, rest) = page.split_at(is_first + 1);
    let rest = without(rest, "<details class=\"dialogue\">", "</section>");
    // One blank line is as good as many.
    let lines = format!("{start}{rest}");
    lines.lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n")
}

/// `text` with a note in the place of everything between `from` and `to`.
fn without(text: &str, from: &str, to: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(from) {
        kept += &rest[..start];
        kept += &format!("[{} …]", from.trim_matches(['<', '>', ' ']));
        let end = rest[start..].find(to).expect("it is closed");
        rest = &rest[start + end + to.len()..];
    }
    kept + rest
}

#[test]
fn a_finished_run() {
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::new(temp.path());
    fixture::write_run(&run, fixture::N_STEPS);
    write_report(&run).unwrap();
    let page = fs::read_to_string(run.report()).unwrap();
    keep("finished.html", &page);
    assert_eq!(page, build_report(&run).unwrap());
    assert_eq!(page.matches("<svg ").count(), 10, "nine charts, the first in two sizes");
    assert_eq!(page.matches("<details class=\"dialogue\"").count(), 12);
    for figure in ["6,413", "9,870", "584 MiB", "12 min 22 s", "2,214,400", "25,600"] {
        assert!(page.contains(figure), "{figure}");
    }
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"([ >:(])[-+]?\d(?:[\d.,]*\d)?", "$1[n]");
    settings.bind(|| insta::assert_snapshot!(skeleton(&page)));
}

#[test]
fn an_unfinished_run_is_compared_with_its_last_evaluation() {
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::new(temp.path());
    fixture::write_run(&run, 60);
    let page = build_report(&run).unwrap();
    keep("unfinished.html", &page);
    assert!(page.contains("This run has not finished: 60 of 200 steps are done."));
    assert!(page.contains("At step 50"));
    assert!(page.contains("Only the conversations before training are stored so far."));
}

#[test]
fn an_empty_folder_gives_a_page() {
    let temp = tempfile::tempdir().unwrap();
    let page = build_report(&RunFolder::new(temp.path())).unwrap();
    keep("empty.html", &page);
    assert!(page.contains("This folder holds no started run."));
    assert!(page.contains("The configuration is missing."));
    assert!(!page.contains("<table") && !page.contains("<svg"));
}

#[test]
fn damaged_files_are_named() {
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::new(temp.path());
    fixture::write_run(&run, 60);
    for path in [run.metrics(), run.events(), run.summary(), run.conversations("before")] {
        fs::write(path, "\u{1}{]\n").unwrap();
    }
    let page = build_report(&run).unwrap();
    for name in ["metrics.jsonl", "events.jsonl", "summary.json", "before.jsonl"] {
        assert!(page.contains(name), "{name}");
    }
}

/// Text that would run, load or close something if it were taken for markup.
const HOSTILE: &str = "</pre></style></title><script>alert(1)</script><img src=x onerror=alert(2)>\
    \" onmouseover=\"alert(3)\" '{{ 7 * 7 }} {% raw %} <!-- &lt;script&gt; \u{202e}";

fn hostile_trajectory() -> Trajectory {
    let mut message = Message::assistant(HOSTILE);
    message.reasoning = Some(HOSTILE.into());
    message.name = Some(HOSTILE.into());
    message.tool_calls.push(ToolCall {
        id: HOSTILE.into(),
        name: HOSTILE.into(),
        arguments: serde_json::json!({ HOSTILE: HOSTILE }),
    });
    let part = RewardComponent {
        name: HOSTILE.into(),
        weight: 1.0,
        score: Score::with_evidence(0.5, HOSTILE),
    };
    Trajectory {
        scenario_id: HOSTILE.into(),
        turns: vec![ConversationTurn::new(Message::user(HOSTILE)), ConversationTurn::new(message)],
        reward: Some(RewardResult { total: Score::unscorable(HOSTILE), components: vec![part] }),
        error: Some(RolloutError::new(Border::Tool, HOSTILE)),
        ..Trajectory::default()
    }
}

#[test]
fn hostile_text_stays_text() {
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::new(temp.path());
    run.create().unwrap();
    fs::write(run.config(), HOSTILE).unwrap();
    let mut log = EventLog::open(&run.events(), None).unwrap();
    log.handle(&Event::RunStarted(RunStart {
        run_name: HOSTILE.into(),
        algorithm: HOSTILE.into(),
        model: HOSTILE.into(),
        environment: HOSTILE.into(),
        memory_plan: HOSTILE.into(),
        ..RunStart::default()
    }));
    log.handle(&Event::Warning { text: HOSTILE.into() });
    let mut summary = stateset_train::EvaluationSummary::default();
    let interval = stateset_algo::Interval { low: 0.0, estimate: 0.5, high: 1.0 };
    summary.components.insert(HOSTILE.into(), interval);
    log.handle(&Event::EvaluationFinished { name: HOSTILE.into(), step: 1, summary });
    write_conversations(&run, RunFolder::BEFORE, &[hostile_trajectory()]).unwrap();
    write_conversations(&run, RunFolder::AFTER, &[hostile_trajectory()]).unwrap();
    let page = build_report(&run).unwrap();

    let harmless = "&lt;script&gt;alert(1)&lt;&#x2f;script&gt;";
    assert!(page.matches(harmless).count() > 20, "the text is there, as text");
    assert!(page.contains("{{ 7 * 7 }}"), "and is not taken for a template");
    for markup in ["<script", "<img", "onerror=alert(2)>", "\" onmouseover", "<!--"] {
        assert!(!page.contains(markup), "{markup}");
    }
    for tag in ["</style>", "</title>", "<body>", "</html>"] {
        assert_eq!(page.matches(tag).count(), 1, "{tag}");
    }
}

#[test]
fn the_page_needs_nothing_else() {
    let temp = tempfile::tempdir().unwrap();
    let run = RunFolder::new(temp.path());
    fixture::write_run(&run, fixture::N_STEPS);
    let page = build_report(&run).unwrap();
    for outside in ["src=", "<link", "<script", "@import", "url(", "<iframe", "<object"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let addresses = page.matches("http").count();
    assert_eq!(
        addresses,
        page.matches("http-equiv").count() + page.matches("xmlns=\"http").count()
    );
    let links = page.match_indices("href=\"").map(|(at, found)| &page[at + found.len()..]);
    assert!(links.into_iter().all(|target| target.starts_with('#')));
}
