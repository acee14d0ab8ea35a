//! The stores that are compared: [`Kind`]. Each is opened anew for every call, as each run of a
//! program does, and holds encoded results by key.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use pyqa::cache::entry::Entry;
use pyqa::cache::store::Store;
use pyqa::hash::Fingerprint;
use redb::{Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase, TableDefinition};
use rusqlite::Connection;

pub type Outcome<T> = Result<T, Box<dyn Error>>;

const TABLE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("results");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What pyqa uses: packed files that are never changed, a new one for each run that learnt
    /// something.
    Pyqa,
    Redb,
    /// With a write-ahead log.
    Sqlite,
    /// A file for each result, written beside and renamed.
    Files,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Pyqa, Self::Redb, Self::Sqlite, Self::Files];

    pub fn name(self) -> &'static str {
        match self {
            Self::Pyqa => "pyqa",
            Self::Redb => "redb",
            Self::Sqlite => "SQLite",
            Self::Files => "a file each",
        }
    }

    pub fn named(name: &str) -> Outcome<Self> {
        Ok(Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or("no such store")?)
    }

    /// Adds results in one step.
    pub fn put(self, folder: &Path, entries: &[(Fingerprint, Entry)]) -> Outcome<()> {
        match self {
            Self::Pyqa => Ok(Store::new(folder).pack(&pack()).add(entries, &[])?),
            Self::Redb => put_redb(folder, entries),
            Self::Sqlite => put_sqlite(folder, entries),
            Self::Files => put_files(folder, entries),
        }
    }

    /// How many of `keys` have a result that can be decoded.
    pub fn look_up(self, folder: &Path, keys: &[Fingerprint]) -> Outcome<usize> {
        match self {
            Self::Pyqa => {
                let pack = Store::new(folder).pack(&pack());
                Ok(keys.iter().filter(|key| pack.get(key).is_some()).count())
            }
            Self::Redb => look_up_redb(folder, keys),
            Self::Sqlite => look_up_sqlite(folder, keys),
            Self::Files => {
                let read = |key: &Fingerprint| decode(&fs::read(file(folder, key)).ok()?);
                Ok(keys.iter().filter_map(read).count())
            }
        }
    }
}

fn pack() -> Fingerprint {
    Fingerprint([7; 32])
}

fn encode(entry: &Entry) -> Vec<u8> {
    postcard::to_stdvec(entry).expect("plain data always encodes")
}

fn decode(bytes: &[u8]) -> Option<Entry> {
    postcard::from_bytes(bytes).ok()
}

fn put_redb(folder: &Path, entries: &[(Fingerprint, Entry)]) -> Outcome<()> {
    let database = Database::create(folder.join("results.redb"))?;
    let writing = database.begin_write()?;
    {
        let mut table = writing.open_table(TABLE)?;
        for (key, entry) in entries {
            table.insert(key.0.as_slice(), encode(entry).as_slice())?;
        }
    }
    Ok(writing.commit()?)
}

fn look_up_redb(folder: &Path, keys: &[Fingerprint]) -> Outcome<usize> {
    let file = folder.join("results.redb");
    let reading = match ReadOnlyDatabase::open(&file) {
        Ok(database) => database.begin_read()?,
        // A writer that was killed has left something to repair.
        Err(DatabaseError::RepairAborted) => Database::open(&file)?.begin_read()?,
        Err(error) => return Err(error.into()),
    };
    let table = reading.open_table(TABLE)?;
    let mut found = 0;
    for key in keys {
        let value = table.get(key.0.as_slice())?;
        found += usize::from(value.is_some_and(|value| decode(value.value()).is_some()));
    }
    Ok(found)
}

fn open_sqlite(folder: &Path) -> Outcome<Connection> {
    let connection = Connection::open(folder.join("results.sqlite"))?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.execute(
        "create table if not exists results (key blob primary key, value blob) without rowid",
        [],
    )?;
    Ok(connection)
}

fn put_sqlite(folder: &Path, entries: &[(Fingerprint, Entry)]) -> Outcome<()> {
    let mut connection = open_sqlite(folder)?;
    let writing = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    {
        let mut insert = writing.prepare("insert or replace into results values (?1, ?2)")?;
        for (key, entry) in entries {
            insert.execute((key.0.as_slice(), encode(entry)))?;
        }
    }
    Ok(writing.commit()?)
}

fn look_up_sqlite(folder: &Path, keys: &[Fingerprint]) -> Outcome<usize> {
    let connection = open_sqlite(folder)?;
    let mut query = connection.prepare("select value from results where key = ?1")?;
    let mut found = 0;
    for key in keys {
        let mut rows = query.query([key.0.as_slice()])?;
        if let Some(row) = rows.next()? {
            found += usize::from(decode(row.get_ref(0)?.as_blob()?).is_some());
        }
    }
    Ok(found)
}

fn put_files(folder: &Path, entries: &[(Fingerprint, Entry)]) -> Outcome<()> {
    for (key, entry) in entries {
        let path = file(folder, key);
        let parent = path.parent().ok_or("a path without a folder")?;
        fs::create_dir_all(parent)?;
        let beside = tempfile::NamedTempFile::new_in(parent)?;
        fs::write(beside.path(), encode(entry))?;
        beside.persist(path)?;
    }
    Ok(())
}

fn file(folder: &Path, key: &Fingerprint) -> PathBuf {
    let name = key.to_string();
    folder.join(&name[..2]).join(&name[2..])
}
