//! No configuration makes the resolver panic, and what it accepts it writes down faithfully.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use stateset_train::config::{
    ConfigSources, Flag, Format, Key, Kind, ModelOverlay, all_keys, report, resolve,
};

use crate::common::{file, with_file};

/// Any JSON value, small.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3i64..40).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0.0..2.0f64).prop_map(Value::from),
        "[a-z \n\"\\\\#=]{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{0,4}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A value that the key probably takes.
fn fitting_value(key: &'static Key) -> BoxedStrategy<Value> {
    match key.kind {
        Kind::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Integer { min, .. } => (min..min.saturating_add(70)).prop_map(Value::from).boxed(),
        Kind::Number(range) => {
            let high = range.high.min(range.low + 2.0);
            (range.low..high).prop_map(Value::from).boxed()
        }
        Kind::Text { .. } | Kind::Path => any::<String>().prop_map(Value::from).boxed(),
        Kind::Choice { names, .. } => select(names).prop_map(Value::from).boxed(),
        Kind::TextList => {
            prop::collection::vec(any::<String>(), 0..3).prop_map(Value::from).boxed()
        }
        Kind::Weights => json_table((-1.0..2.0f64).prop_map(Value::from).boxed()),
        Kind::Object => json_table(any_value().boxed()),
        Kind::ObjectList => prop::collection::vec(json_table(any_value().boxed()), 0..3)
            .prop_map(Value::from)
            .boxed(),
        Kind::Any => any_value().boxed(),
    }
}

fn json_table(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop::collection::btree_map("[a-z]{1,4}", value, 0..4)
        .prop_map(|fields| Value::Object(fields.into_iter().collect()))
        .boxed()
}

fn any_key() -> impl Strategy<Value = &'static Key> {
    select(all_keys().collect::<Vec<_>>())
}

fn settings(
    value: impl Fn(&'static Key) -> BoxedStrategy<Value> + 'static,
) -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let setting =
        any_key().prop_flat_map(move |key| value(key).prop_map(move |value| (key.path, value)));
    prop::collection::vec(setting, 0..6)
}

/// A JSON file of these settings.
fn json_text(settings: &[(&str, Value)]) -> String {
    let mut root = Map::new();
    for (path, value) in settings {
        match path.split_once('.') {
            Some((section, name)) => {
                let section = root.entry(section).or_insert_with(|| json!({}));
                section[name] = value.clone();
            }
            None => {
                root.insert((*path).to_owned(), value.clone());
            }
        }
    }
    Value::Object(root).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_in_a_file_makes_it_panic(settings in settings(|_| any_value().boxed())) {
        if let Err(problems) = resolve(&with_file(Format::Json, &json_text(&settings))) {
            prop_assert!(!report(&problems).is_empty());
        }
    }

    #[test]
    fn nothing_in_flags_variables_and_overlays_makes_it_panic(
        path in "[a-z_.]{0,20}",
        key in any_key(),
        texts in prop::array::uniform4("\\PC{0,12}"),
    ) {
        let [first, second, third, toml] = texts;
        let flag = |path: &str, value| Flag { flag: "--x".to_owned(), path: path.to_owned(), value };
        let variable = format!("STATESET_{}", key.path.replace('.', "_").to_uppercase());
        let sources = ConfigSources {
            overlay: Some(ModelOverlay { model: "m".to_owned(), toml }),
            environment: vec![(variable, third)],
            flags: vec![flag(&path, first), flag(key.path, second)],
            ..ConfigSources::default()
        };
        let _ = resolve(&sources);
    }

    #[test]
    fn what_is_accepted_is_written_down_faithfully(settings in settings(fitting_value)) {
        let sources = with_file(Format::Json, &json_text(&settings));
        if let Ok(first) = resolve(&sources) {
            let text = first.to_toml();
            let again = ConfigSources { file: Some(file(Format::Toml, &text)), ..sources };
            let second = match resolve(&again) {
                Ok(second) => second,
                Err(problems) => return Err(TestCaseError::fail(report(&problems) + &text)),
            };
            prop_assert_eq!(&second.config, &first.config);
            prop_assert_eq!(second.values.fingerprint(), first.values.fingerprint());
        }
    }
}
