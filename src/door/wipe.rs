//! Memory that is given back is wiped: a secret passes through more hands (a parser's scratch space, a buffer that
//! grew, an error on the way out) than could each be told to wipe it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

/// The allocator of the system, which gets back nothing but zeros.
pub struct Wiping;

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by its trait; this one only writes to what is given back"
)]
// SAFETY: every call is passed on to the system's allocator as it came. `realloc` is the trait's own: a new
// allocation, a copy, and the old one given back, so that nothing stays behind where it was.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the system asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: until it is given back, all of `layout` is the caller's to write to.
        unsafe { at.write_bytes(0, layout.size()) };
        // The compiler knows that nobody reads it again, and would leave the zeros out.
        let at = black_box(at);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) };
    }
}
