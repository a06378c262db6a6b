//! What root runs in the directory of somebody else: every command that opens a file there.

use super::ground::Database::{self, Damaged, Open, Shared, Whole, Wide};

/// The database, the command, and the status it ends with when nobody exchanges anything.
pub type Deed = (Database, &'static str, i32);

pub const DEEDS: [Deed; 72] = [
    (Whole, "create -q", 0),
    (Whole, "create -q --token-file a/b/out", 0),
    (Whole, "create -q --restrict-file a/b/rules", 0),
    (Whole, "--db {theirs}/a/b/new.db create -q", 0),
    (Whole, "-D patctl.token.vault.key.file={theirs}/a/b/key create -q", 78),
    (Whole, "-D patctl.integrity.key.file={theirs}/a/b/key create -q", 78),
    (Whole, "--config a/b/setenv.sh list", 78),
    (Whole, "list --all", 0),
    (Whole, "show {id}", 0),
    (Whole, "stats", 0),
    (Whole, "edit {id} --note x", 0),
    (Whole, "edit {id} --restrict-file a/b/rules", 0),
    (Whole, "rotate {id} --grace 1h -q", 0),
    (Whole, "rotate {id} --yes --token-file a/b/out", 0),
    (Whole, "disable {id}", 0),
    (Whole, "enable {id}", 0),
    (Whole, "revoke {id}", 0),
    (Whole, "bulk-revoke --user c --yes", 0),
    (Whole, "verify --token-file a/b/token", 0),
    (Whole, "verify --token-file a/b/token --method POST --url /x --data-file a/b/rules", 0),
    // No runtime directory: the key of the cache is made beside the database.
    (Whole, "whoami --token-file {theirs}/a/b/token", 0),
    (Whole, "verify --batch", 0),
    (Whole, "check --restrict-file a/b/rules --method GET --url /a", 0),
    (Whole, "scan a --revoke --yes --no-ignore", 1),
    (Whole, "scan a/b/tree --revoke --yes", 1),
    (Whole, "scan a/b/tree/leak --revoke --yes", 1),
    (Whole, "snippet {id} --url https://x.example/ --data-file a/b/rules", 0),
    (Whole, "prune", 0),
    (Whole, "audit", 0),
    (Whole, "audit verify", 0),
    (Whole, "audit head", 0),
    (Whole, "notify", 0),
    (Whole, "expiring", 2),
    (Whole, "schedule", 0),
    (Whole, "schedule --crontab", 0),
    (Whole, "schedule --systemd", 0),
    (Whole, "schedule --systemd a/b/units", 0),
    (Whole, "doctor", 0),
    (Whole, "doctor --fix", 0),
    (Whole, "doctor --compact", 0),
    (Whole, "doctor --accept-clock --yes", 0),
    (Whole, "backup a/b/out", 0),
    (Whole, "restore a/b/back.db --dry-run", 0),
    (Whole, "restore a/b/back.db --yes", 0),
    (Damaged, "restore a/b/back.db --yes", 0),
    (Whole, "--db {theirs}/a/b/new.db restore a/b/back.db --yes", 0),
    (Whole, "config show", 0),
    (Whole, "config check", 0),
    (Whole, "config import a/b/setenv.sh", 0),
    (Whole, "import jsonl a/b/in.jsonl", 0),
    (Whole, "--db {theirs}/a/b/new.db import jsonl a/b/in.jsonl", 0),
    (Whole, "import atlassian a/b/dump.csv", 0),
    (Whole, "export jsonl", 0),
    (Whole, "export atlassian", 0),
    (Whole, "__complete show 7", 0),
    (Damaged, "doctor", 1),
    (Damaged, "doctor --fix", 1),
    (Wide, "doctor", 1),
    (Wide, "doctor --fix", 1),
    (Wide, "create -q", 77),
    (Wide, "restore a/b/back.db --yes", 77),
    (Open, "doctor", 1),
    (Open, "doctor --fix", 0),
    (Shared, "create -q --token-file a/b/out", 0),
    (Shared, "verify --token-file a/b/token", 0),
    (Shared, "backup a/b/out", 0),
    (Shared, "schedule --systemd a/b/units", 0),
    (Shared, "restore a/b/back.db --yes", 0),
    (Shared, "doctor --compact", 0),
    (Shared, "--db {theirs}/a/b/new.db create -q", 0),
    (Shared, "--db {theirs}/a/b/new.db restore a/b/back.db --yes", 0),
    (Shared, "-D patctl.integrity.key.file={theirs}/a/b/key --db {theirs}/a/b/new.db create -q", 78),
];

/// Of these it is not asked yet that they read nothing of root's: `scan` follows the path that it is given.
pub const FOLLOWING: [&str; 3] = [
    "scan a --revoke --yes --no-ignore",
    "scan a/b/tree --revoke --yes",
    "scan a/b/tree/leak --revoke --yes",
];

/// What a program does that knows no better: it looks whether there is a link on the way, and then goes that way.
pub const NAIVE: [(&str, &str); 2] = [
    (
        "a new file",
        "for way in $THEIRS/a $THEIRS/a/b $THEIRS/a/b/out; do [ ! -L $way ] || exit 77; done; echo x > $way",
    ),
    (
        "a new directory",
        "for way in $THEIRS/a $THEIRS/a/b; do [ ! -L $way ] || exit 77; done; exec install -d $way/units",
    ),
];
