//! Rewrites a template before it is parsed: generation tags become something the engine knows, and
//! checks are put where a template could eat memory.
//!
//! minijinja limits instructions (fuel), nesting and single repetitions, but not the sizes that
//! repeated joining reaches: forty times `{% set ns.s = ns.s ~ ns.s %}` is a terabyte. So operands
//! of `~`, `+` and `*`, slices, long raw texts and assigned containers get a filter that charges a
//! budget ([`super::meter`]) and passes the value on. The choice a reader would question: this
//! works on the source, because the engine has no hook there; the filters change no value, so a
//! rewritten template renders as before (tested on every template we have).

use std::collections::BTreeMap;

use super::lexer::{Kind, Part, Token, Unreadable, cut};

/// Charges an operand of `+` or a slice.
pub(super) const CHARGE: &str = "__charge";
/// Charges an operand of `~` and writes it as Python does.
pub(super) const CHARGE_TEXT: &str = "__charge_text";
/// Charges an operand of `*`.
pub(super) const CHARGE_FACTOR: &str = "__charge_factor";
/// Checks the depth of an assigned value.
pub(super) const CHECK_DEPTH: &str = "__check_depth";
/// Checks the depth of a value assigned to an attribute of a namespace.
pub(super) const CHECK_STORED: &str = "__check_stored";
/// Charges raw text.
pub(super) const CHARGE_RAW: &str = "__charge_raw";
/// Marks generated text.
pub(super) const GENERATION: &str = "__generation";

/// Raw texts shorter than this are not charged; every tag costs fuel anyway.
const FREE_RAW_BYTES: usize = 64;

const KEYWORDS: [&str; 8] = ["and", "or", "not", "in", "is", "if", "else", "recursive"];

/// A rewritten template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guarded {
    pub(super) source: String,
    /// True where the template marks generated text with `{% generation %}`.
    pub(super) marks_generation: bool,
}

/// Rewrites `source`. Lines keep their numbers.
pub(super) fn guard(source: &str) -> Result<Guarded, Unreadable> {
    let mut edits = Edits::default();
    let mut marks_generation = false;
    for part in cut(source)? {
        match part {
            Part::Raw(span) => charge_raw(source, span.start, span.end, &mut edits),
            Part::Expression(tokens) => charge_operators(source, &tokens, &mut edits),
            Part::Statement(tokens) => {
                marks_generation |= rename_generation(source, &tokens, &mut edits);
                check_assignment(source, &tokens, &mut edits);
                charge_operators(source, &tokens, &mut edits);
            }
        }
    }
    Ok(Guarded { source: edits.apply(source), marks_generation })
}

/// Text to put in at positions of the source, and stretches to replace.
#[derive(Default)]
struct Edits {
    at: BTreeMap<usize, Edit>,
}

#[derive(Default)]
struct Edit {
    filters: Vec<&'static str>,
    closing: String,
    opening: String,
    n_removed: usize,
}

impl Edits {
    fn filter(&mut self, at: usize, name: &'static str) {
        let filters = &mut self.at.entry(at).or_default().filters;
        if !filters.contains(&name) {
            filters.push(name);
        }
    }

    fn apply(self, source: &str) -> String {
        let mut out = String::with_capacity(source.len() + 24 * self.at.len());
        let mut done = 0;
        for (at, edit) in self.at {
            out.push_str(&source[done..at]);
            for name in edit.filters {
                out.push('|');
                out.push_str(name);
            }
            out.push_str(&edit.closing);
            out.push_str(&edit.opening);
            done = at + edit.n_removed;
        }
        out.push_str(&source[done..]);
        out
    }
}

/// Puts the charge in the middle of the text, behind a visible character, so that no tag next to it
/// trims other whitespace than before.
fn charge_raw(source: &str, start: usize, end: usize, edits: &mut Edits) {
    let text = &source[start..end];
    if text.len() < FREE_RAW_BYTES {
        return;
    }
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !c.is_whitespace()) {
        let at = at + c.len_utf8();
        // A brace here could become part of a delimiter.
        if c != '{' && at < text.len() {
            edits.at.entry(start + at).or_default().opening =
                format!("{{{{{CHARGE_RAW}({})}}}}", text.len());
        }
    }
}

fn rename_generation(source: &str, tokens: &[Token], edits: &mut Edits) -> bool {
    let [only] = tokens else { return false };
    let (text, begins) = match &source[only.span.clone()] {
        "generation" => (format!("filter {GENERATION}"), true),
        "endgeneration" => ("endfilter".to_string(), false),
        _ => return false,
    };
    let edit = edits.at.entry(only.span.start).or_default();
    edit.opening = text;
    edit.n_removed = only.span.len();
    begins
}

/// `{% set a = value %}` becomes `{% set a = (value)|check %}` where `value` may build a container.
fn check_assignment(source: &str, tokens: &[Token], edits: &mut Edits) {
    let word = |t: &Token| &source[t.span.clone()];
    if tokens.first().map(word) != Some("set") {
        return;
    }
    // Brackets before the sign would belong to a filter of the block form of `set`.
    let is_open = |t: &Token| t.kind == Kind::Open;
    let equals = tokens.iter().position(|t| is_open(t) || word(t) == "=");
    let Some(equals) = equals.filter(|&i| !is_open(&tokens[i])) else { return };
    let (target, value) = (&tokens[1..equals], &tokens[equals + 1..]);
    let (Some(first), Some(last)) = (value.first(), value.last()) else { return };
    let stores = target.iter().any(|t| word(t) == ".");
    let builds = value.iter().any(|t| t.kind == Kind::Open || matches!(word(t), "|" | ","));
    if stores || builds {
        let check = if stores { CHECK_STORED } else { CHECK_DEPTH };
        edits.at.entry(first.span.start).or_default().opening.push('(');
        edits.at.entry(last.span.end).or_default().closing = format!(")|{check}");
    }
}

/// Charges the operands of `~`, `+` and `*`, and every slice.
fn charge_operators(source: &str, tokens: &[Token], edits: &mut Edits) {
    let word = |i: usize| tokens.get(i).map_or("", |t| &source[t.span.clone()]);
    let operands = operands(source, tokens);
    let ending_at = |end: usize| operands.iter().find(|operand| operand.1 == end);
    let starting_at = |start: usize| operands.iter().find(|operand| operand.0 == start);
    for (i, token) in tokens.iter().enumerate() {
        let op = match word(i) {
            op @ ("~" | "+" | "*") if token.kind == Kind::Operator => op,
            "[" if is_slice(source, tokens, i) => {
                let end = operands.iter().filter(|o| o.0 < i && i < o.1).map(|o| o.1).min();
                if let Some(end) = end {
                    edits.filter(tokens[end - 1].span.end, CHARGE);
                }
                continue;
            }
            _ => continue,
        };
        let Some(left) = ending_at(i) else { continue };
        let unsigned = (i + 1..tokens.len()).find(|&j| !matches!(word(j), "-" | "+" | "not"));
        let right = unsigned.and_then(starting_at);
        for &(start, end) in [Some(left), right].into_iter().flatten() {
            // What binds tighter than `~` must see the value itself, not its text.
            let is_tight = |j: usize| matches!(word(j), "*" | "/" | "//" | "%" | "**");
            let has_tight_sign = is_tight(end) || (start > 0 && is_tight(start - 1));
            let name = match op {
                "*" => CHARGE_FACTOR,
                "~" if !has_tight_sign => CHARGE_TEXT,
                _ => CHARGE,
            };
            edits.filter(tokens[end - 1].span.end, name);
        }
    }
}

/// Operands as ranges of tokens: a primary with everything that follows it by `.`, `[`, `(` and
/// `|`.
fn operands(source: &str, tokens: &[Token]) -> Vec<(usize, usize)> {
    let word = |i: usize| tokens.get(i).map_or("", |t| &source[t.span.clone()]);
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let is_test_name = i > 0
            && (word(i - 1) == "is" || (i > 1 && word(i - 1) == "not" && word(i - 2) == "is"));
        let follows = i > 0
            && (matches!(word(i - 1), "." | "|")
                || (token.kind == Kind::Open && ends_operand(source, &tokens[i - 1])));
        let begins = match token.kind {
            Kind::Name => !KEYWORDS.contains(&word(i)),
            Kind::Number | Kind::Text => !(i > 0 && tokens[i - 1].kind == Kind::Text),
            Kind::Open => true,
            Kind::Close | Kind::Operator => false,
        };
        if begins && !follows && !is_test_name {
            found.push((i, end_of_operand(source, tokens, i)));
        }
    }
    found
}

fn ends_operand(source: &str, token: &Token) -> bool {
    match token.kind {
        Kind::Name => !KEYWORDS.contains(&&source[token.span.clone()]),
        Kind::Number | Kind::Text | Kind::Close => true,
        Kind::Open | Kind::Operator => false,
    }
}

fn end_of_operand(source: &str, tokens: &[Token], start: usize) -> usize {
    let word = |i: usize| tokens.get(i).map_or("", |t| &source[t.span.clone()]);
    let mut end =
        if tokens[start].kind == Kind::Open { after_bracket(tokens, start) } else { start + 1 };
    if tokens[start].kind == Kind::Text {
        while tokens.get(end).is_some_and(|t| t.kind == Kind::Text) {
            end += 1;
        }
    }
    loop {
        match word(end) {
            "." | "|" if end + 1 < tokens.len() => end += 2,
            "[" | "(" => end = after_bracket(tokens, end),
            _ => return end,
        }
    }
}

/// Position after the bracket that closes the one at `open`; brackets inside a tag are balanced.
fn after_bracket(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

fn is_slice(source: &str, tokens: &[Token], open: usize) -> bool {
    let end = after_bracket(tokens, open);
    let mut depth = 0usize;
    open > 0
        && ends_operand(source, &tokens[open - 1])
        && tokens[open..end].iter().any(|token| {
            match token.kind {
                Kind::Open => depth += 1,
                Kind::Close => depth -= 1,
                _ => {}
            }
            depth == 1 && &source[token.span.clone()] == ":"
        })
}

#[cfg(test)]
mod tests {
    use minijinja::{ErrorKind, Value};
    use proptest::prelude::*;

    use super::super::environment::environment;
    use super::super::meter::{Marks, Meter, VARIABLE};
    use super::*;

    fn guarded(source: &str) -> String {
        guard(source).unwrap().source.replace("__charge", "C").replace("__check", "K")
    }

    #[test]
    fn operands_are_charged_as_a_whole() {
        assert_eq!(
            guarded("{{ a.b['c'](d) + 'x' 'y'|trim }}"),
            "{{ a.b['c'](d)|C + 'x' 'y'|trim|C }}"
        );
        assert_eq!(
            guarded("{{ a ~ -b ~ c * 2 }}"),
            "{{ a|C_text ~ -b|C_text ~ c|C|C_factor * 2|C_factor }}"
        );
        assert_eq!(guarded("{{ f(x + 1, *rest) }}"), "{{ f(x|C + 1|C, *rest) }}");
        assert_eq!(
            guarded("{{ x if a + b is defined else +1 }}"),
            "{{ x if a|C + b|C is defined else +1 }}"
        );
        assert_eq!(guarded("{%+ if a -%}{{ x -}}{{+ y }}"), "{%+ if a -%}{{ x -}}{{+ y }}");
    }

    #[test]
    fn slices_and_assignments_are_checked() {
        assert_eq!(guarded("{{ m[1:].x }}{{ m[{'a': 1}] }}"), "{{ m[1:].x|C }}{{ m[{'a': 1}] }}");
        assert_eq!(guarded("{% set ns.x = y %}"), "{% set ns.x = (y)|K_stored %}");
        assert_eq!(guarded("{% set a, b = [x], 1 %}"), "{% set a, b = ([x], 1)|K_depth %}");
        assert_eq!(
            guarded("{% set a = b %}{% set c %}x{% endset %}"),
            "{% set a = b %}{% set c %}x{% endset %}"
        );
        assert_eq!(guarded("{% set c | f(a=1) %}"), "{% set c | f(a=1) %}");
        assert_eq!(guarded("{% set a = b + c %}"), "{% set a = b|C + c|C %}");
    }

    #[test]
    fn generation_tags_become_a_filter_and_keep_their_signs() {
        let found = guard("{%- generation -%}x{%+ endgeneration %}").unwrap();
        assert_eq!(found.source, "{%- filter __generation -%}x{%+ endfilter %}");
        assert!(found.marks_generation);
        assert!(!guard("{{ generation }}").unwrap().marks_generation);
    }

    #[test]
    fn long_raw_text_is_charged_behind_a_visible_character() {
        let raw = format!("\n  {}", "word ".repeat(20));
        assert_eq!(guarded(&raw), format!("\n  w{{{{C_raw(103)}}}}{}", &raw[4..]));
    }

    fn render(source: &str) -> Result<String, minijinja::Error> {
        let marks = Marks { control: ['(', ')'], generated: ['[', ']'] };
        let words: Value = ["a", "bc", "def"].into_iter().map(Value::from).collect();
        let variables = [
            (VARIABLE, Value::from_object(Meter::new(None, marks, false))),
            ("x", Value::from("text")),
            ("n", Value::from(3)),
            ("l", words),
            ("d", Value::from_pairs([("k", Value::from(1)), ("s", Value::from("v"))])),
        ];
        environment().render_str(source, Value::from_pairs(variables))
    }

    /// Expressions and statements, nested and joined at random.
    fn template() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "x",
            "n",
            "l",
            "d",
            "'q'",
            "2",
            "1.5",
            "d.s",
            "d['k']",
            "l[0]",
            "x[1:]",
            "l[:-1]",
            "(n)",
            "[n, 1]",
            "{'k': x}",
            "x.upper()",
            "x|length",
            "l|join('-')",
            "-n",
            "x 'y'",
            "('a', n)",
        ]);
        let expression = leaf.prop_map(str::to_string).prop_recursive(4, 12, 2, |inner| {
            let sign = prop::sample::select(vec![
                "+",
                "*",
                "-",
                "//",
                "%",
                "==",
                "<",
                " and ",
                " or ",
                " in ",
                " if x else ",
                " ~ x ~ ",
            ]);
            let ending = prop::sample::select(vec!["", "|string", "[0]", "|list", " is defined"]);
            (inner.clone(), sign, inner, ending, any::<bool>()).prop_map(
                |(a, sign, b, end, boxed)| {
                    if boxed {
                        format!("({a}{sign}{b}){end}")
                    } else {
                        format!("{a}{sign}{b}{end}")
                    }
                },
            )
        });
        let part = (expression, 0..6usize).prop_map(|(e, kind)| match kind {
            0 => format!("{{{{ {e} }}}}\n"),
            1 => format!("  {{%- if {e} %}}yes{{% else %}}no{{% endif +%}} "),
            2 => format!("{{% set y = {e} -%}}\n {{{{ y }}}}"),
            3 => format!("{{% for i in [{e}] %}}{{{{ i }}}}{{% endfor %}}"),
            4 => format!("{{% set ns = namespace(v=1) %}}{{% set ns.v = {e} %}}{{{{- ns.v -}}}} "),
            _ => format!("{}{{{{ {e} }}}}{}", " word".repeat(20), "{% raw %}{{ x }}{% endraw %}"),
        });
        proptest::collection::vec(part, 1..4).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn guarded_templates_render_as_before(source in template()) {
            let guarded = guard(&source).unwrap().source;
            match (render(&source), render(&guarded)) {
                (Ok(before), Ok(after)) => prop_assert_eq!(before, after, "{}", guarded),
                (Err(before), Err(after)) => prop_assert_eq!(before.kind(), after.kind()),
                (_, Err(after)) => prop_assert_eq!(after.kind(), ErrorKind::OutOfFuel, "{}", guarded),
                (Err(before), Ok(_)) => prop_assert!(false, "{before}: {guarded}"),
            }
        }
    }
}
