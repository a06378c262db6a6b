//! The memory that Argon2 works in, in huge pages where the system has them: it is filled faster than in pages of
//! 4 KiB, each of which is a fault, and walked through faster.

use argon2::{Argon2, Block};
use memmap2::{Advice, MmapMut};
use std::cell::RefCell;

/// Bytes of a huge page, at which the memory begins. Where they are larger it is as good as any.
const HUGE: usize = 2 << 20;
/// Memory up to this many bytes is kept for the next computation of the thread: twice the default cost.
const KEPT: usize = 40 << 20;

thread_local! {
    static LAST: RefCell<Option<Memory>> = const { RefCell::new(None) };
}

/// Zeros at first, and after that what the last computation left.
struct Memory(MmapMut);

impl Memory {
    /// Room for `count` blocks from a huge page's beginning; `None` where the system has no such memory.
    fn new(count: usize) -> Option<Self> {
        let bytes = count.checked_mul(Block::SIZE)?.checked_next_multiple_of(HUGE)?.checked_add(HUGE)?;
        let map = MmapMut::map_anon(bytes).ok()?;
        // A system without huge pages says so, and gives small ones.
        let _ = map.advise(Advice::HugePage);
        Some(Self(map))
    }

    fn blocks(&mut self, count: usize) -> Option<&mut [Block]> {
        let start = self.0.as_ptr().align_offset(HUGE);
        let bytes = self.0.get_mut(start..)?;
        #[expect(
            unsafe_code,
            reason = "there is no safe view of bytes as blocks, and nothing less is page by page"
        )]
        // SAFETY: a block is 128 numbers of 64 bits; every pattern of bits is one.
        let (_, blocks, _) = unsafe { bytes.align_to_mut::<Block>() };
        blocks.get_mut(..count)
    }
}

/// The hash of `secret`, at what `argon2` says.
///
/// # Errors
/// What [`Argon2::hash_password_into`] gives.
pub fn hash(argon2: &Argon2<'_>, secret: &[u8], salt: &[u8], out: &mut [u8]) -> argon2::Result<()> {
    let count = argon2.params().block_count();
    LAST.with_borrow_mut(|last| {
        let mut memory = last.take();
        let done = if let Some(blocks) = memory.as_mut().and_then(|memory| memory.blocks(count)) {
            argon2.hash_password_into_with_memory(secret, salt, out, blocks)
        } else {
            memory = Memory::new(count);
            match memory.as_mut().and_then(|memory| memory.blocks(count)) {
                Some(blocks) => argon2.hash_password_into_with_memory(secret, salt, out, blocks),
                None => argon2.hash_password_into(secret, salt, out),
            }
        };
        *last = memory.filter(|memory| memory.0.len() <= KEPT);
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::{Algorithm, Params, Version};

    #[test]
    fn memory_that_is_used_again_gives_what_memory_of_the_library_gives() {
        for (kib, lanes) in [(64, 1), (1024, 2), (19_456, 1), (8, 1), (45_000, 4), (64, 1)] {
            let params = Params::new(kib, 1, lanes, None).expect("parameters");
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let (mut ours, mut theirs) = ([0; 32], [0; 32]);
            hash(&argon2, b"a secret", &[7; 16], &mut ours).expect("a hash");
            argon2.hash_password_into(b"a secret", &[7; 16], &mut theirs).expect("a hash");
            assert_eq!(ours, theirs, "{kib} KiB in {lanes} lanes");
        }
    }

    #[test]
    fn blocks_begin_where_a_huge_page_does() {
        let mut memory = Memory::new(19_456).expect("19 MiB");
        let blocks = memory.blocks(19_456).expect("all of them");
        assert_eq!((blocks.as_ptr().align_offset(HUGE), blocks.len()), (0, 19_456));
        assert!(memory.blocks(1 << 20).is_none(), "no more than there is");
    }

    #[test]
    fn a_large_computation_does_not_keep_its_memory() {
        let params = Params::new(45_000, 1, 1, None).expect("parameters");
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        hash(&argon2, b"a secret", &[7; 16], &mut [0; 32]).expect("a hash");
        assert!(LAST.with_borrow(Option::is_none));
    }
}
