//! The program: the real world, handed to [`patctl::run`].

mod door;

fn main() {
    door::enter()
}
