// Threads, channels, caught panics, collections and files in Rust.  ownership DIRECTORY ROUNDS
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::{exit, Command};
use std::sync::{mpsc, Arc, Mutex};
use std::thread;
use std::time::Duration;

fn mix(seed: u64) -> u64 {
    (0..200_000u64).fold(seed, |value, i| value.wrapping_mul(6364136223846793005).wrapping_add(i) ^ (value >> 29))
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let directory = arguments[1].clone();
    let rounds: u64 = arguments[2].parse().unwrap();
    std::panic::set_hook(Box::new(|_| {}));
    let shared: Arc<Mutex<HashMap<u64, u64>>> = Arc::default();
    for round in 0..rounds {
        let (sender, receiver) = mpsc::channel();
        let threads: Vec<_> = (0..4u64)
            .map(|worker| {
                let (sender, shared) = (sender.clone(), Arc::clone(&shared));
                thread::spawn(move || {
                    let value = mix(round * 4 + worker);
                    *shared.lock().unwrap().entry(value % 97).or_insert(0) += 1;
                    sender.send(value).unwrap();
                })
            })
            .collect();
        drop(sender);
        let sum = receiver.iter().fold(0u64, u64::wrapping_add);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let mut log = OpenOptions::new().create(true).append(true).open(format!("{directory}/log"))?;
        writeln!(log, "{round} {sum:016x}")?;
        thread::sleep(Duration::from_millis(1));
        if round % 100 == 0 {
            let caught = thread::spawn(move || if round % 200 == 0 { panic!("round {round}") }).join().is_err();
            let child = Command::new("wc").arg("-l").arg(format!("{directory}/log")).output()?;
            let lines = String::from_utf8_lossy(&child.stdout).split_whitespace().next().unwrap_or("").to_string();
            println!("{round}: {sum:016x} {caught} {lines}");
        }
    }
    let ordered: BTreeMap<_, _> = shared.lock().unwrap().clone().into_iter().collect();
    println!("{:?}", ordered.iter().take(5).collect::<Vec<_>>());
    println!("{:?}", fs::read(format!("{directory}/absent")).map_err(|error| error.kind()));
    exit(8)
}
