//! Runs a node without std. If any crate below linked std there would be two panic handlers, and
//! the compiler refuses that.
#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::net::SocketAddr;
use core::panic::PanicInfo;

use swim_core::{Config, Identity, Input, Instant, Node, Seed};

/// Makes a node, lets time pass and says how many datagrams came of it.
#[unsafe(no_mangle)]
pub extern "C" fn swim_datagrams(now_ns: u64) -> u64 {
    let addr = SocketAddr::from(([10, 0, 0, 1], 7946));
    let (Ok(config), Ok(me)) = (Config::lan().build(), Identity::new("n", addr)) else {
        return 0;
    };
    let mut node = Node::new(config, me, Seed::from(1), Instant::ZERO);
    if node.handle(Instant::from_nanos(now_ns), Input::Timeout).is_err() {
        return 0;
    }
    let mut buf = Default::default();
    core::iter::from_fn(|| node.poll_transmit(&mut buf)).count() as u64
}

#[panic_handler]
fn on_panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

struct NoMemory;

// SAFETY: it hands out no memory.
unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static MEMORY: NoMemory = NoMemory;
