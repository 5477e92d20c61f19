//! What is around every page.

use maud::{DOCTYPE, Markup, html};

/// Pages of the head line.
const PAGES: [(&str, &str); 5] = [
    ("/dashboard", "Runs"),
    ("/dashboard/jobs", "Jobs"),
    ("/dashboard/compare", "Compare"),
    ("/dashboard/chat", "Chat"),
    ("/dashboard/data", "Data"),
];

/// A page called `title` below the head line entry at `place`; `script` is loaded where there is one.
pub(super) fn frame(title: &str, place: &str, script: Option<&str>, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · StateSet Agents" }
                link rel="stylesheet" href="/dashboard/dashboard.css";
                @if let Some(script) = script { script src=(script) defer {} }
            }
            body {
                a class="skip" href="#content" { "To the content" }
                header {
                    p class="kicker" { "StateSet Agents" }
                    nav aria-label="Pages" {
                        @for (href, name) in PAGES {
                            a href=(href) aria-current=[(href == place).then_some("page")] { (name) }
                        }
                    }
                }
                main id="content" { (body) }
            }
        }
    }
}

/// A number as tables show it; a dash where there is none.
pub(super) fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}
