//! A whole episode of every world, as text. `STATESET_WRITE_GENERATED=1 cargo test` writes them anew.

use std::fmt::Write;
use std::path::PathBuf;

use stateset_core::Role;
use stateset_env::customer::Split;

use super::play::{Played, Policy, named, play};
use super::{cross_sell, fraud, fulfilment, pricing, returns};

fn transcript(played: &Played) -> String {
    let mut text = String::new();
    for message in &played.messages {
        for call in &message.tool_calls {
            writeln!(text, "agent calls {} {}", call.name, call.arguments).expect("it is written");
        }
        if message.role == Role::Assistant && !message.tool_calls.is_empty() {
            continue;
        }
        let speaker = if message.role == Role::Assistant { "agent" } else { message.role.as_str() };
        writeln!(text, "{speaker}: {}", message.content).expect("it is written");
    }
    let status = played.state.status;
    writeln!(
        text,
        "\n{status:?} after {} turns, reward {:.4}",
        played.state.turn_count, played.reward
    )
    .expect("it is written");
    for (name, reading) in played.state.metadata["kpis"].as_object().expect("figures") {
        let (value, score) = (&reading["value"], reading["score"].as_f64().expect("a score"));
        writeln!(text, "{name}: {value}, score {score:.4}").expect("it is written");
    }
    text
}

#[test]
fn episodes_are_as_written_down() {
    let worlds: [(&str, Policy<'_>); 5] = [
        ("returns_desk", &returns::sensible),
        ("dynamic_pricing", &pricing::sensible),
        ("fulfilment", &fulfilment::sensible),
        ("cross_sell", &cross_sell::sensible),
        ("fraud_review", &fraud::sensible),
    ];
    for (name, policy) in worlds {
        let world = named(name);
        let scenario = &world.scenarios(Split::Train)[3];
        let found = transcript(&play(world.as_ref(), scenario, policy, 1));
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/commerce/episodes")
            .join(format!("{name}.txt"));
        if std::env::var_os("STATESET_WRITE_GENERATED").is_some() {
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(&path, &found).expect("it is written");
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(found, kept, "{name}: not as in {}", path.display());
    }
}
