//! The roles as released, and the same with fail points.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};
use ostler_test_harness::{
    Process,
    paths::binary,
    workload::{self, Workload},
};
use ostler_tests_node::World;

use crate::operation::Victim;

/// How a role was started.
pub struct Started {
    args: Vec<String>,
    env: BTreeMap<String, String>,
}

/// Kills a role that runs as released, and says how it was started.
pub fn kill(world: &mut World, victim: Victim) -> Result<Started> {
    let role = match victim {
        Victim::Node => world.node_role.as_mut().context("no node role")?,
        Victim::Manager => &mut world.manager,
    };
    let started = started(role)?;
    role.process.kill();
    if victim == Victim::Node {
        world.node_role = None;
    }
    Ok(started)
}

fn started(role: &Workload) -> Result<Started> {
    let proc = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", role.process.pid()));
    let args = proc("cmdline")?.split('\0').skip(1).filter(|a| !a.is_empty()).map(str::to_owned).collect();
    let environ = proc("environ")?;
    let env = environ.split('\0').filter_map(|v| v.split_once('=')).map(|(k, v)| (k.into(), v.into()));
    Ok(Started { args, env: env.collect() })
}

/// Starts it with fail points, to end after `points` further ones than the first. It is not waited for.
pub fn crashing(world: &World, started: &Started, points: usize) -> Result<Process> {
    let mut env = started.env.clone();
    env.insert("FAILPOINTS".to_owned(), format!("crash={points}*off->return"));
    let env: Vec<_> = env.into_iter().collect();
    Process::start("crashing", &binary("controller-with-fail-points")?, &started.args, &env, world.cluster.scratch())
}

/// After what it ended, for the last one that did.
pub fn last_words(process: &Process) -> String {
    let log = process.log();
    let line = log.lines().rev().find(|l| l.contains("fail point: this process ends here")).unwrap_or_default();
    line.split_once("after=").map_or("?", |(_, name)| name.trim().trim_matches('"')).to_owned()
}

/// Starts it as released.
pub async fn start(world: &mut World, victim: Victim) -> Result<()> {
    match victim {
        Victim::Node => world.start_node_role().await,
        Victim::Manager => {
            let flags = ["--image-allow-cidr=127.0.0.0/8"];
            world.manager = workload::manager(&world.cluster, "manager", &flags).await?;
            Ok(())
        }
    }
}
