//! Domains from files. Pinned here:
//!
//! 1. A domain of tools without code works: rows are read, listed, made, changed and removed.
//! 2. Everything that does not fit is reported at once, with its place: a schema that is none, a tool's name
//!    twice, a database that is no JSON, a task that names an unknown tool, a step that refers to nothing.
//! 3. No bytes make a loader panic, and no arguments a tool.

use proptest::prelude::*;
use serde_json::{Value, json};
use stateset_env::EnvError;
use stateset_env::database::{
    DatabaseDomain, DomainFiles, ReplayPlan, Tau2Files, TauFiles, TextFile, domain_from_files,
    load_domain, replay, tau_retail_from_files, tau2_mock_from_files,
};
use stateset_env::shop::shop_domain;

fn tool(name: &str, arguments: &[&str], steps: Value) -> Value {
    let properties: serde_json::Map<String, Value> =
        arguments.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
    json!({"type": "function", "steps": steps, "function": {"name": name, "description": "",
        "parameters": {"type": "object", "properties": properties}}})
}

fn tools() -> Vec<Value> {
    vec![
        tool(
            "get",
            &["room"],
            json!([{"op": "get", "table": "rooms", "key": "$room",
            "fields": ["room", "beds"]}]),
        ),
        tool(
            "list",
            &["beds"],
            json!([{"op": "filter", "table": "rooms",
            "where": {"beds": "$beds", "free": true}, "fields": ["room"], "limit": 2}]),
        ),
        tool(
            "book",
            &["room", "guest", "nights"],
            json!([
            {"op": "get", "table": "rooms", "key": "$room", "where": {"free": true}},
            {"op": "insert", "table": "stays", "key": "stay#", "set": {"stay": "#", "room": "$room",
                "guest": "$guest", "nights": "$nights", "beds": "$rooms.beds"}},
            {"op": "update", "table": "rooms", "key": "$room", "set": {"free": false},
                "add": {"nights.sold": "$nights"}, "push": {"stays": "$stays.stay"}}]),
        ),
        tool("leave", &["stay"], json!([{"op": "remove", "table": "stays", "key": "$stay"}])),
        tool(
            "buy",
            &["thing"],
            json!([{"op": "update", "table": "shelf", "key": "bar",
            "take": {"left.$thing": 1}}]),
        ),
    ]
}

fn database() -> Value {
    json!({
        "rooms": {"a": {"room": "a", "beds": 2, "free": true}, "b": {"room": "b", "beds": 2, "free": true},
                  "c": {"room": "c", "beds": 1, "free": false}},
        "stays": {},
        "shelf": {"bar": {"left": {"tea": 1, "cake": 0}}},
    })
}

fn read(tools: &Value, database: &str, tasks: &Value) -> Result<DatabaseDomain, EnvError> {
    let files = DomainFiles {
        name: "inn".into(),
        policy: "Be kind.".into(),
        tools: TextFile::new("tools.json", tools.to_string()),
        database: TextFile::new("database.json", database),
        tasks: TextFile::new("tasks.json", tasks.to_string()),
    };
    domain_from_files(&files, &[])
}

fn tasks() -> Value {
    json!([{"id": "one", "instruction": "You want room a for 3 nights.", "outputs": ["3 nights"],
        "actions": [{"name": "book", "arguments": {"room": "a", "guest": "Ann", "nights": 3}}]},
       {"id": "two", "topic": "leaving", "instruction": "You leave.",
        "start": {"data": {"rooms": {"c": {"free": true}}},
                  "calls": [{"name": "book", "arguments": {"room": "c", "guest": "Bo", "nights": 1}}]},
        "actions": [{"name": "leave", "arguments": {"stay": "stay1"}}]}])
}

fn inn() -> DatabaseDomain {
    let domain = read(&json!(tools()), &database().to_string(), &tasks());
    domain.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn declared_tools_do_what_they_say() {
    let domain = inn();
    let mut session = domain.session("one").unwrap();
    let mut call = |name: &str, arguments: Value| session.call(name, &arguments);
    assert_eq!(call("get", json!({"room": "a"})), Ok(json!({"room": "a", "beds": 2})));
    assert_eq!(call("get", json!({"room": "z"})), Err("rooms has no z".into()));
    assert_eq!(call("list", json!({"beds": 2})), Ok(json!([{"room": "a"}, {"room": "b"}])));
    assert_eq!(call("list", json!({})).unwrap().as_array().unwrap().len(), 2, "no wish, any bed");
    let booked = call("book", json!({"room": "a", "guest": "Ann", "nights": 3})).unwrap();
    assert_eq!(booked["nights"], json!({"sold": 3}));
    assert_eq!(booked["stays"], json!(["stay1"]));
    let again = call("book", json!({"room": "a", "guest": "Bo"}));
    assert_eq!(again, Err("a: free is false, not true".into()));
    assert_eq!(call("buy", json!({"thing": "tea"})).unwrap()["left"]["tea"], json!(0));
    assert_eq!(call("buy", json!({"thing": "tea"})), Err("bar: left.tea is 0".into()));
    assert_eq!(session.database.row("stays", "stay1").unwrap()["beds"], json!(2));
    session.hear("That makes 3 nights.");
    let report = session.report();
    assert_eq!((report.database.met, report.outputs.met, report.n_wrong_rows), (0, 1, 1), "tea");
    assert_eq!(
        domain.session("two").unwrap().call("leave", &json!({"stay": "stay1"})).unwrap()["guest"],
        "Bo"
    );
    for id in ["one", "two"] {
        let whole = replay(&domain, id, &ReplayPlan::default()).unwrap();
        assert_eq!(whole.report.score().value(), Some(1.0), "{id}");
        let plan = ReplayPlan { without_call: Some(0), ..ReplayPlan::default() };
        assert_eq!(replay(&domain, id, &plan).unwrap().report.score().value(), Some(0.0), "{id}");
    }
    assert!(domain.database().rows("stays").is_empty(), "the domain is as it was");
}

fn problems(tools: Value, tasks: Value) -> Vec<String> {
    match read(&tools, &database().to_string(), &tasks) {
        Err(EnvError::Entries { problems, .. }) => {
            problems.iter().map(ToString::to_string).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_problem_names_its_place() {
    let mut bad = tools();
    bad.push(tool("get", &[], json!([{"op": "filter", "table": "rooms"}])));
    bad.push(
        json!({"type": "function", "function": {"name": "odd", "parameters": {"type": "objekt"}},
        "steps": [{"op": "filter", "table": "rooms"}]}),
    );
    bad.push(json!({"type": "function", "function": {"name": "odder",
        "parameters": {"type": "object", "properties": {"a": {"type": "strin"}}}},
        "steps": [{"op": "filter", "table": "rooms"}]}));
    bad.push(tool("steps", &["room"], json!([{"op": "gett", "table": "room", "key": "$rom"}])));
    bad.push(tool("bound", &["room"], json!([{"op": "get", "table": "rooms", "key": "$rom"}])));
    bad.push(json!({"function": {"name": "idle"}}));
    bad.push(json!({"functions": {}}));
    let found = problems(
        json!(bad),
        json!([{"instruction": "x", "actions": [{"nam": "get"}],
        "basis": ["data"], "user": {"opening": 3.5}}]),
    );
    for expected in [
        "tools.json entry 5: `name`: found \"get\" again",
        "tools.json entry 6: `parameters`: found a schema of type \"objekt\"",
        "tools.json entry 7: `parameters`: found no JSON schema",
        "tools.json entry 8: `steps[0].op`: found \"gett\", allowed is get, filter, insert, update and remove; did you mean \"get\"?",
        "tools.json entry 8: `steps[0].table`: found \"room\", allowed is a table of the database: rooms, stays and shelf; did you mean \"rooms\"?",
        "tools.json entry 9: `steps[0].op`: found $rom",
        "tools.json entry 10: `steps`: found nothing that \"idle\" does",
        "tools.json entry 11: `functions`: found an unknown key, allowed is type, function, steps, ends and by_user; did you mean `function`?",
        "tasks.json entry 0: `actions[0]`: found {\"nam\":\"get\"}",
        "tasks.json entry 0: `basis`: found \"data\"",
        "tasks.json entry 0: `user.opening`: found a number",
    ] {
        assert!(found.iter().any(|p| p.starts_with(expected)), "{expected}\n{found:#?}");
    }
}

#[test]
fn tasks_must_fit_the_tools() {
    let call = |name: &str, arguments: Value| json!({"name": name, "arguments": arguments});
    let strict = json!({"type": "function", "function": {"name": "strict", "parameters":
        {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}},
        "steps": [{"op": "filter", "table": "rooms"}]});
    let mut tools = tools();
    tools.push(strict);
    let found = problems(
        json!(tools),
        json!([
            {"id": "a", "instruction": "x", "actions": [call("bok", json!({}))]},
            {"id": "b", "instruction": "x", "actions": [call("strict", json!({"n": "one"}))]},
            {"id": "c", "instruction": "x"},
            {"id": "c", "instruction": "x"},
            {"id": "d", "instruction": "x", "start": {"calls": [call("leave", json!({"stay": "no"}))]}},
        ]),
    );
    assert_eq!(
        found,
        [
            "tasks.json entry 0: `actions[0].name`: found the unknown tool \"bok\", allowed is a tool: get, \
             list, book, leave, buy and strict; did you mean \"book\"?",
            "tasks.json entry 1: `actions[0].arguments`: found n: \"one\" is not of type \"integer\", \
             allowed is arguments of strict",
            "tasks.json entry 3: `id`: found \"c\" again, allowed is an id that no other task has",
            "tasks.json entry 4: `start.calls[0]`: found a call that fails: stays has no no, allowed is one \
             that works",
        ]
    );
}

#[test]
fn a_database_that_is_no_json_is_refused() {
    let refused = |database: &str| {
        read(&json!(tools()), database, &tasks()).map(|_| ()).unwrap_err().to_string()
    };
    let error = refused("{\"rooms\": {]");
    assert!(error.starts_with("load database.json: 1 problem\n  database.json: found"), "{error}");
    assert!(error.contains("line 1 column 12"), "{error}");
    assert!(refused("[]").contains("found a list, allowed is an object"));
    let error = refused("{\"rooms\": [], \"stays\": {}, \"shelf\": {}}");
    assert!(error.contains("database.json: `rooms`: found a list, allowed is a table"), "{error}");
}

#[test]
fn a_folder_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
    write("tools.json", json!(tools()).to_string());
    write("database.json", database().to_string());
    write("tasks.json", tasks().to_string());
    assert_eq!(load_domain(folder.path(), &[]).unwrap().policy(), "");
    write("policy.md", "Be kind.".to_owned());
    let domain = load_domain(folder.path(), &[]).unwrap();
    let scenarios = domain.scenarios();
    assert_eq!(scenarios[0].system_prompt.as_deref(), Some("Be kind."));
    assert_eq!((scenarios[1].id.as_str(), scenarios[1].topic.as_str()), ("two", "leaving"));
    std::fs::remove_file(folder.path().join("tasks.json")).unwrap();
    let error = load_domain(folder.path(), &[]).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("read ") && error.contains("tasks.json"), "{error}");
}

/// JSON that is near enough to a domain's files to get far into the loaders.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "id",
        "name",
        "instruction",
        "actions",
        "arguments",
        "kwargs",
        "function",
        "parameters",
        "type",
        "object",
        "steps",
        "op",
        "get",
        "filter",
        "insert",
        "update",
        "table",
        "rooms",
        "key",
        "$room",
        "set",
        "take",
        "#",
        "where",
        "user",
        "opening",
        "outputs",
        "properties",
        "user_scenario",
        "instructions",
        "evaluation_criteria",
        "initial_state",
        "message_history",
        "role",
        "assistant",
        "tool_calls",
        "reward_basis",
        "DB",
        "env_assertions",
        "func_name",
        "create_task",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3i64..4).prop_map(Value::from),
        words.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..5).prop_map(|fields| {
                Value::Object(
                    fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_files_are_read(a in any_json(), b in any_json(), c in any_json(), bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let file = |value: &Value| TextFile::new("x", value.to_string());
        let raw = TextFile::new("x", bytes);
        for (tools, database, tasks) in [(&a, &b, &c), (&json!(tools()), &database(), &c), (&json!([a]), &database(), &tasks())] {
            let files = DomainFiles { tools: file(tools), database: file(database), tasks: file(tasks), ..DomainFiles::default() };
            if let Ok(domain) = domain_from_files(&files, &[]) {
                for task in domain.tasks() {
                    prop_assert!(replay(&domain, &task.id, &ReplayPlan::default()).is_some());
                }
            }
        }
        let _ = domain_from_files(&DomainFiles { database: raw.clone(), ..DomainFiles::default() }, &[]);
        let tables = vec![("users".to_owned(), file(&a)), ("orders".to_owned(), file(&b))];
        let _ = tau_retail_from_files(&TauFiles { tools: raw.clone(), tables: tables.clone(), ..TauFiles::default() });
        let _ = tau_retail_from_files(&TauFiles { tools: file(&json!([])), tables, tasks: vec![("train".into(), file(&c))], ..TauFiles::default() });
        let _ = tau2_mock_from_files(&Tau2Files { database: file(&json!({})), tasks: file(&json!([a, c])), users_database: Some(raw), ..Tau2Files::default() });
        let _ = tau2_mock_from_files(&Tau2Files { database: file(&json!({})), tasks: file(&json!([a, c])), ..Tau2Files::default() });
    }

    #[test]
    fn any_arguments_are_answered(name in prop::sample::select(vec!["get_order", "get_item", "cancel_order", "return_order", "exchange_order", "x"]), arguments in any_json(), item in any_json()) {
        let domain = shop_domain();
        let mut session = domain.session("shop-train-000").unwrap();
        let _ = session.call(name, &arguments);
        let _ = session.call(name, &json!({"order": item, "item": item}));
        let report = session.report();
        prop_assert!((0.0..=1.0).contains(&report.progress));
        let inn = inn();
        let mut session = inn.session("one").unwrap();
        for name in ["get", "list", "book", "leave", "buy"] {
            let _ = session.call(name, &json!({"room": item, "stay": item, "thing": item, "nights": arguments}));
        }
    }
}
