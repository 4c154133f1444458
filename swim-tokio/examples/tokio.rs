//! A member with tokio: `cargo run -p swim-tokio --example tokio -- NAME BIND [JOIN]`.

use std::error::Error;

use swim_tokio::swim_core::Config;
use swim_tokio::{Agent, DEFAULT_PORT, Event, parse_addr};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, bind, seeds @ ..] = &args[..] else { return Err("usage: NAME BIND [JOIN]".into()) };
    let (handle, mut events) = Agent::builder(Config::lan().build()?)
        .name(name)
        .bind(parse_addr(bind, DEFAULT_PORT)?)
        .app_versions(2, 5, 4) // what a Serf pool wants to hear
        .join(seeds.iter().map(String::as_str))
        .spawn()
        .await?;
    println!("{} listens on {}", handle.name(), handle.local_addr());
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(Event::Up(member)) => println!("up: {} at {}", member.name(), member.addr()),
                Some(Event::Down { member, cause, .. }) => println!("{cause:?}: {}", member.name()),
                Some(Event::Lagged(missed)) => {
                    let live = handle.members().await?.live().count();
                    println!("missed {missed} events; {live} members are up");
                }
                Some(_) => {}
                None => return Ok(()),
            },
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    handle.leave().await?;
    handle.shutdown().await;
    Ok(())
}
