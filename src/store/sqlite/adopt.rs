//! A new key for the seals of a database that had only checksums.

use super::evidence::each_sample;
use super::integrity::Seals;
use super::reseal::{self, reseal};
use super::transaction::SqliteTransaction;
use super::{Result, head, outbox, tombstone};
use crate::domain::integrity::{Damage, IntegrityKey, ROWS, Sealer};
use crate::store::integrity::{Adopted, Reseal};

impl Reseal for SqliteTransaction<'_> {
    fn adopt(&mut self, key: &IntegrityKey) -> Result<Adopted> {
        let db = self.db();
        let keyed = Seals::new(Sealer::new(Some(key.clone())));
        let (mut mine, mut foreign) = (0_u64, 0_u64);
        each_sample(db, &keyed, &mut |sample, check, _| {
            if sample.seal.is_some_and(Sealer::is_keyed) {
                *(if check.is_ok() { &mut mine } else { &mut foreign }) += 1;
            }
            Ok(())
        })?;
        // Nobody without the key can make even one.
        if mine > 0 {
            return Ok(Adopted::Already);
        }
        if foreign > 0 {
            return Ok(Adopted::Foreign);
        }
        let sealed = reseal(db, &Seals::default(), &keyed, |seal| seal.is_ok())?;
        tombstone::reseal(db, &keyed, &keyed, |damage| *damage == Damage::Unkeyed)?;
        outbox::adopt(db, &keyed)?;
        self.reseal_head(keyed);
        Ok(Adopted::Sealed(sealed))
    }

    fn widen(&mut self) -> Result<Option<u64>> {
        if self.head().seal.is_ok() && self.head().head.row_seals == Some(ROWS) {
            return Ok(None);
        }
        let sealed = reseal::widen(self.db(), self.seals())?;
        self.rows_are_sealed(ROWS);
        Ok(Some(sealed))
    }

    fn adopt_head(&mut self) -> Result<bool> {
        if self.head().seal != Err(Damage::Unkeyed) || head::read(self.db(), &Seals::default())?.seal.is_err()
        {
            return Ok(false);
        }
        let db = self.db();
        tombstone::reseal(db, self.seals(), self.seals(), |damage| *damage == Damage::Unkeyed)?;
        self.believe_head();
        Ok(true)
    }
}
