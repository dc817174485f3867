//! Random commands, time jumps and restarts over several queues and a topic, against a simple model.

mod operation;
mod shadow;

use proptest::{prelude::*, test_runner::Config};

use operation::Operation;
use shadow::Shadow;

proptest! {
    #![proptest_config(Config { max_shrink_iters: 20_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_rules_hold_whatever_comes(operations in prop::collection::vec(operation::any(), 1..120)) {
        let mut shadow = Shadow::new();
        for operation in operations {
            shadow.carry_out(operation);
        }
        shadow.carry_out(Operation::Restart);
    }
}
