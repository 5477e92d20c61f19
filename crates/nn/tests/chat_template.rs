//! What chat templates promise:
//!
//! 1. every template renders every conversation to the bytes of transformers, and refuses what it
//!    refuses;
//! 2. the text inside `{% generation %}` is the text transformers reports;
//! 3. errors name the template's words, the file, the line and the turn;
//! 4. no template stops the program, hangs it or eats its memory.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "these are tests")]

mod text_support;

use proptest::prelude::*;
use stateset_core::Message;
use stateset_nn::{ChatTemplate, RenderOptions, TextError, TextFiles};
use text_support::{conversation, golden, options, template};

#[test]
fn renders_are_those_of_transformers() {
    let golden = golden("chat_template.json");
    for case in golden["cases"].as_array().unwrap() {
        let Some(template) = template(case["where"].as_str().unwrap()) else { continue };
        let (messages, tools) = conversation(&golden, case["conversation"].as_str().unwrap());
        let mut options = options(&golden, case, tools);
        for expected in case["renders"].as_array().unwrap() {
            let n = expected["n_messages"].as_u64().unwrap() as usize;
            options.add_generation_prompt = expected["prompt"].as_bool().unwrap();
            let found = template.render(&messages[..n], &options);
            let name =
                format!("{} {} {} {n}", case["template"], case["conversation"], case["kwargs"]);
            match (expected["text"].as_str(), found) {
                (Some(expected), Ok(found)) => assert_eq!(found, expected, "{name}"),
                (None, Err(TextError::TemplateRaised { message, .. })) => {
                    assert_eq!(message, expected["error"].as_str().unwrap(), "{name}");
                }
                (None, Err(TextError::TemplateFailed { .. })) => {
                    assert_eq!(expected["error"], "TypeError", "{name}")
                }
                // The engine takes `none` for an empty list where Python refuses to loop over it.
                (None, Ok(_)) => assert_eq!(expected["error"], "TypeError", "{name}"),
                (None, Err(TextError::TemplateLimit { .. })) => {
                    assert_eq!(expected["error"], "RecursionError", "{name}")
                }
                (expected, found) => panic!("{name}: expected {expected:?}, found {found:?}"),
            }
        }
    }
}

#[test]
fn generated_text_is_where_transformers_says() {
    let golden = golden("chat_template.json");
    let mut n_found = 0;
    for case in golden["cases"].as_array().unwrap() {
        let Some(expected) = case["spans"].as_array() else { continue };
        let Some(template) = template(case["where"].as_str().unwrap()) else { continue };
        let (messages, tools) = conversation(&golden, case["conversation"].as_str().unwrap());
        let options = options(&golden, case, tools);
        assert!(template.marks_generation(&options).unwrap());
        let found = template.render_with_spans(&messages, &options).unwrap();
        assert_eq!(found.text, template.render(&messages, &options).unwrap());
        let characters = |at: usize| found.text[..at].chars().count() as u64;
        let spans: Vec<[u64; 2]> = found
            .generated
            .iter()
            .map(|span| [characters(span.start), characters(span.end)])
            .collect();
        let expected: Vec<[u64; 2]> = expected
            .iter()
            .map(|span| [span[0].as_u64().unwrap(), span[1].as_u64().unwrap()])
            .collect();
        assert_eq!(spans, expected, "{} {}", case["template"], case["conversation"]);
        n_found += 1;
    }
    assert!(n_found >= 6);
}

fn talk() -> Vec<Message> {
    vec![Message::user("a"), Message::assistant("b"), Message::user("c")]
}

fn fail(source: &str) -> TextError {
    let rendered = ChatTemplate::from_source("t.jinja", source)
        .and_then(|template| template.render(&talk(), &RenderOptions::default()));
    rendered.unwrap_err()
}

#[test]
fn errors_name_file_line_and_turn() {
    let cases = [
        (
            "a\n{% if %}",
            "parse the chat template t.jinja, line 2: syntax error: unexpected end of block",
        ),
        ("{{ x", "parse the chat template t.jinja, line 1: syntax error: "),
        (
            "{% for m in messages %}{% if m.content == 'b' %}{{ raise_exception('no ' + m.content) }}{% endif %}{% endfor %}",
            "render turn 1 with t.jinja: the template refuses it: no b",
        ),
        (
            "x\n{% for m in messages %}\n{{ m.a.b if m.content == 'c' }}{% endfor %}",
            "render turn 2 with t.jinja, line 3: undefined value",
        ),
        (
            "{{ messages | nothing }}",
            "render turn 0 with t.jinja, line 1: unknown filter: filter nothing is unknown",
        ),
        ("{{ strftime_now('%Y') }}", "the template asks for the date, and the run gives none"),
        ("{% macro f() %}{{ raise_exception('deep') }}{% endmacro %}{{ f() }}", "refuses it: deep"),
    ];
    for (source, expected) in cases {
        let error = fail(source).to_string();
        assert!(error.contains(expected), "{error}\n  does not hold\n{expected}");
    }
    assert_eq!(fail("{{ messages[2].content + none }}").turn(), Some(2));
}

#[test]
fn hostile_templates_reach_a_limit() {
    let deep = format!("{{% set x = [] %}}{}", "{% set x = [x] %}".repeat(5000));
    let knot = "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns == ns }}";
    let cases = [
        "{% for i in range(100000) %}{% for j in range(100000) %}x{% endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s | length }}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s.replace('', ns.s) %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s | replace('a', ns.s) %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = [ns.s, ns.s] | join %}{% endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set x %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = x %}{% endfor %}",
        "{% set s = 'x' * 4000 %}{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = ns.l + [s * 4000] %}{% endfor %}",
        "{% set s = ('x' * 4000) * 250 %}{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = ns.l + [s[1:]] %}{% endfor %}",
        "{% set s = ('x' * 4000) * 250 %}{% set ns = namespace(l=[]) %}{% for i in range(100000) %}{% set ns.l = ns.l + [s | upper] %}{% endfor %}",
        "{% set ns = namespace(x=[]) %}{% for i in range(100000) %}{% set ns.x = [ns.x] %}{% endfor %}",
        "{% set ns = namespace(x=[]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == ns.x }}",
        "{{ 'x' * 100000000 }}",
        "{{ [1] * 100000000 }}",
        "{{ '%999999999d' | format(1) }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ 'x'.ljust(999999999) }}",
        "{{ 'x' | indent(999999999) }}",
        "{% for i in range(1000) %}{% for j in range(1000) %}{{ 'x' * 1000 }}{% endfor %}{% endfor %}",
        knot,
        &deep,
    ];
    for source in cases {
        let error = fail(source);
        assert!(matches!(error, TextError::TemplateLimit { .. }), "{source}: {error}");
    }
    let raw = format!(
        "{{% set x %}}{{% for i in range(100000) %}}{}{{% endfor %}}{{% endset %}}",
        "y".repeat(100_000)
    );
    assert!(matches!(fail(&raw), TextError::TemplateLimit { .. }));
    assert!(matches!(fail(&"x".repeat(300_000)), TextError::FileTooLarge { .. }));
    assert!(matches!(
        fail(&format!("{{{{ {} }}}}", "(".repeat(100_000))),
        TextError::TemplateSyntax { .. }
    ));
    let parts = "(".repeat(2000) + "1" + &")".repeat(2000);
    let error = fail(&(format!("{{{{ {parts} }}}}") + &"{%if 1%}".repeat(20_000)));
    assert!(matches!(error, TextError::TemplateSyntax { .. }), "{error}");
    let nested = format!("{{{{ {}1{} }}}}", "[".repeat(2000), "]".repeat(2000));
    let _ = ChatTemplate::from_source("t", &nested)
        .map(|t| t.render(&talk(), &RenderOptions::default()));
    for (piece, end) in [
        ("-", "1 }}"),
        ("a.", "b }}"),
        ("1 + ", "1 }}"),
        ("1 ~ ", "1 }}"),
        ("not ", "1 }}"),
        ("x and ", "1 }}"),
    ] {
        let source = format!("{{{{ {}{end}", piece.repeat(50_000));
        let _ = ChatTemplate::from_source("t", &source)
            .map(|t| t.render(&talk(), &RenderOptions::default()));
    }
    for tag in ["{% if x %}", "{% for x in [] %}", "{% if x %}{% elif x %}", "{% filter upper %}"] {
        assert!(matches!(fail(&tag.repeat(250_000 / tag.len())), TextError::TemplateSyntax { .. }));
    }
    assert!(matches!(fail("{{ debug() }}"), TextError::TemplateFailed { .. }));
}

#[test]
fn long_conversations_stay_inside_the_limits() {
    let Some(template) = template("data:chat-templates/qwen3.jinja") else { return };
    let turn =
        [Message::user("Where is it? ".repeat(20)), Message::assistant("There. ".repeat(20))];
    let messages: Vec<Message> = turn.iter().cycle().take(3000).cloned().collect();
    let text = template.render(&messages, &RenderOptions::default()).unwrap();
    assert_eq!(text.matches("<|im_start|>").count(), 3000);
}

#[test]
fn templates_are_found_where_models_keep_them() {
    let render = |files: &[(&str, &str)], with_tools: bool| {
        let files = files.iter().map(|(name, text)| (*name, text.as_bytes().to_vec().into()));
        let template = ChatTemplate::load(&TextFiles::from_memory("m", files)?)?;
        let mut options = RenderOptions::default();
        if with_tools {
            options.tools.push(stateset_core::ToolSpec {
                name: "t".into(),
                description: String::new(),
                parameters: serde_json::json!({}),
            });
        }
        template.render(&talk(), &options)
    };
    let one = r#"{"chat_template": "one"}"#;
    let two = r#"{"chat_template": [{"name": "default", "template": "d"}, {"name": "tool_use", "template": "t"}]}"#;
    let neither =
        r#"{"chat_template": [{"name": "a", "template": "d"}, {"name": "b", "template": "t"}]}"#;
    let config = "tokenizer_config.json";
    assert_eq!(render(&[(config, one)], true).unwrap(), "one");
    assert_eq!(render(&[(config, two)], false).unwrap(), "d");
    assert_eq!(render(&[(config, two)], true).unwrap(), "t");
    assert_eq!(render(&[(config, one), ("chat_template.jinja", "file")], false).unwrap(), "file");
    let named = [("chat_template.jinja", "file"), ("chat_templates/tool_use.jinja", "tool")];
    assert_eq!(render(&named, true).unwrap(), "tool");
    assert_eq!(render(&[], false).unwrap(), "User: a\nAssistant: b\nUser: c\n");
    let error = render(&[(config, neither)], false).unwrap_err().to_string();
    assert!(error.contains("it has a, b"), "{error}");
    let error = render(&[(config, r#"{"chat_template": 3}"#)], false).unwrap_err().to_string();
    assert!(error.contains("m/tokenizer_config.json: chat_template: found 3"), "{error}");
}

/// Pieces of templates, so that random ones often parse.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "{{ ",
        " }}",
        "{% ",
        " %}",
        "{%- ",
        " -%}",
        "{# ",
        " #}",
        "if ",
        "for m in messages",
        "set x = ",
        "endif",
        "endfor",
        "generation",
        "endgeneration",
        "raw",
        "endraw",
        "macro f(a)",
        "endmacro",
        "messages",
        "[0]",
        ".content",
        "[1:]",
        " + ",
        " ~ ",
        " * ",
        "(",
        ")",
        "'a'",
        "\"",
        "1",
        "2.5",
        "|",
        "trim",
        "tojson",
        "join",
        "x",
        " is ",
        "defined",
        " in ",
        ",",
        "=",
        "namespace(",
        "ns.",
        "\n",
        " ",
        "text",
        "é",
        "-",
        "not ",
        "{",
        "}",
        "%",
        "raise_exception('x')",
        ".split('a')",
    ]);
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_template_ends(source in pieces()) {
        if let Ok(template) = ChatTemplate::from_source("t", &source) {
            let _ = template.render(&talk(), &RenderOptions::default());
            let _ = template.render_with_spans(&talk(), &RenderOptions::default());
        }
    }

    #[test]
    fn any_text_is_rendered(content in "\\PC{0,40}", source in prop::sample::select(vec!["features", "spans", "whitespace", "instruct"])) {
        let template = template(&format!("own:text/templates/{source}.jinja")).unwrap();
        let mut options = RenderOptions { date: Some(stateset_nn::Date::parse("2026-01-02").unwrap()), ..RenderOptions::default() };
        options.special_tokens.set("bos_token", "<s>");
        let text = template.render(&[Message::user(content.clone())], &options).unwrap();
        prop_assert!(text.contains(content.trim()));
    }
}
