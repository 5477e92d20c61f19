//! The layout of the database, and how it came to be: one file for each change, never edited afterwards.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Numbers, names and statements, in the order in which they are made. Both databases understand them.
const ALL: &[(i64, &str, &str)] = &[
    (1, "conversations", include_str!("migrations/0001_conversations.sql")),
    (2, "jobs", include_str!("migrations/0002_jobs.sql")),
    (3, "api keys", include_str!("migrations/0003_api_keys.sql")),
    (4, "owners", include_str!("migrations/0004_owners.sql")),
];

/// Brings a database up to date.
pub(super) fn migrator() -> Migrator {
    let one = |&(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(ALL.iter().map(one).collect())
}
