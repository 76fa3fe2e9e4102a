//! A share of `make crash`: one Server through its life, and in each operation crash after crash, so that each process has
//! to do with what the one before it left. Needs root, and the controller with fail points (`tests/crash/build.sh`).

use anyhow::{Result, ensure};
use ostler_tests_crash::{Stage, Tally, operation::named};

#[tokio::test(flavor = "multi_thread")]
async fn crash_after_crash_of_the_node_role_and_of_the_manager_ends_as_without() -> Result<()> {
    let mut stage = Stage::new("crashes").await?;
    let mut sum = Tally::default();
    let share =
        ["create", "resize-auto", "revert", "rebuild", "snapshot", "shelve", "delete-resized", "manager-shelve"];
    for operation in share.iter().filter_map(|name| named(name)) {
        let tally = stage.again_and_again(operation).await?;
        ensure!(tally.points > 0, "{} has no points: was the controller built with them?", operation.name);
        println!("{}: {tally}", operation.name);
        sum.add(tally);
    }
    println!("{sum}");
    ensure!(sum.wrong.is_empty() && sum.disturbed == 0, "{sum}: {:#?}", sum.wrong);
    Ok(())
}
