//! Domains over databases: the first byte says whose format it is, the rest is split at zero bytes into the
//! files. Of what is accepted every task can be replayed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use stateset_env::database::{
    DomainFiles, ReplayPlan, Tau2Files, TauFiles, TextFile, domain_from_files, replay,
    tau_retail_from_files, tau2_mock_from_files,
};

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    let mut parts = bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    let mut file = |name: &str| TextFile::new(name, parts.next().unwrap_or_default());
    let domain = match first % 3 {
        0 => {
            let (tools, database, tasks) = (file("tools"), file("database"), file("tasks"));
            let files =
                DomainFiles { name: "fuzz".into(), policy: String::new(), tools, database, tasks };
            domain_from_files(&files, &[])
        }
        1 => {
            let tables = ["orders", "products", "users"].map(|name| (name.to_owned(), file(name)));
            let (tools, tasks) = (file("tools"), vec![("train".to_owned(), file("tasks"))]);
            let tables = tables.into_iter().collect();
            tau_retail_from_files(&TauFiles { policy: String::new(), tools, tables, tasks })
        }
        _ => {
            let (database, users, tasks) = (file("db"), Some(file("user_db")), file("tasks"));
            let policy = String::new();
            tau2_mock_from_files(&Tau2Files { policy, database, users_database: users, tasks })
        }
    };
    let Ok(domain) = domain else { return };
    for task in domain.tasks() {
        assert!(replay(&domain, &task.id, &ReplayPlan::default()).is_some());
    }
});
