//! An echo server on tokio: echo PORT [WORKERS]
//!
//! One worker is the current-thread runtime, several are the threads of the multi-thread runtime, which steal tasks from
//! each other. `write_all` goes on until all is sent; the next read starts after that.

use std::io::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

async fn echo(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = vec![0; 65536];
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..count]).await?;
    }
}

async fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        match listener.accept().await {
            // A connection that breaks is its client's matter.
            Ok((stream, _)) => drop(tokio::spawn(echo(stream))),
            Err(error) => eprintln!("tokio: {error}"),
        }
    }
}

fn run(port: u16, workers: usize) -> Result<()> {
    let runtime = if workers == 1 {
        Builder::new_current_thread().enable_io().build()?
    } else {
        Builder::new_multi_thread().worker_threads(workers).enable_io().build()?
    };
    // A task, so that the runtime's workers accept and not the thread that blocks here.
    runtime.block_on(async move { tokio::spawn(serve(port)).await? })
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let workers = arguments.next().map_or(Some(1), |text| text.parse().ok()).unwrap_or(0);
    if port == 0 || workers == 0 {
        eprintln!("usage: echo PORT [WORKERS]");
        std::process::exit(64);
    }
    if let Err(error) = run(port, workers) {
        eprintln!("tokio: {error}");
        std::process::exit(1);
    }
}
