//! How fast a tunnel is beside `ssh -L`. Run by hand, in release:
//! `cargo nextest run --release -p runicorn-remote --test remote --run-ignored only speed --no-capture`.

use std::process::Stdio;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::local::Local;
use crate::support::sshd::{Sshd, program};

const BYTES: usize = 512 << 20;

async fn source() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let block = vec![7; 256 * 1024];
                for _ in 0..BYTES / block.len() {
                    if stream.write_all(&block).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

async fn sink() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                drain(&mut stream).await;
                stream.write_all(b".").await.unwrap_or_default();
            });
        }
    });
    port
}

async fn drain(from: &mut (impl AsyncReadExt + Unpin)) -> usize {
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        total += count;
    }
    total
}

async fn down(mut stream: impl AsyncReadExt + Unpin) -> f64 {
    let since = Instant::now();
    assert_eq!(drain(&mut stream).await, BYTES);
    rate(since)
}

async fn up(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) -> f64 {
    let since = Instant::now();
    let block = vec![7; 256 * 1024];
    for _ in 0..BYTES / block.len() {
        stream.write_all(&block).await.unwrap();
    }
    stream.shutdown().await.unwrap();
    assert_eq!(drain(&mut stream).await, 1);
    rate(since)
}

fn rate(since: Instant) -> f64 {
    BYTES as f64 / 1e6 / since.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; minutes of full load"]
async fn speed_of_a_tunnel_beside_ssh() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let (source, sink) = (source().await, sink().await);
    let connection = local
        .dial(&sshd.target(), &sshd.credentials())
        .await
        .unwrap();
    let free = |()| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let (down_port, up_port) = (free(()), free(()));
    let mut ssh = program("ssh")
        .args(["-N", "-F", "none", "-i"])
        .arg(sshd.key())
        .args(["-o", "StrictHostKeyChecking=no", "-o"])
        .arg("UserKnownHostsFile=/dev/null")
        .args(["-p", &sshd.port().to_string()])
        .args(["-L", &format!("{down_port}:127.0.0.1:{source}")])
        .args(["-L", &format!("{up_port}:127.0.0.1:{sink}")])
        .arg(format!("{}@127.0.0.1", sshd.username()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while TcpStream::connect(("127.0.0.1", up_port)).await.is_err() {
        tokio::task::yield_now().await;
    }
    for round in 0..4 {
        let ours_down = down(connection.open_tcp("127.0.0.1", source).await.unwrap()).await;
        let theirs = TcpStream::connect(("127.0.0.1", down_port)).await.unwrap();
        let theirs_down = down(theirs).await;
        let ours_up = up(connection.open_tcp("127.0.0.1", sink).await.unwrap()).await;
        let theirs = TcpStream::connect(("127.0.0.1", up_port)).await.unwrap();
        let theirs_up = up(theirs).await;
        println!(
            "round {round}: down {ours_down:.0} MB/s, ssh -L {theirs_down:.0}; \
             up {ours_up:.0} MB/s, ssh -L {theirs_up:.0}"
        );
    }
    ssh.kill().unwrap();
    ssh.wait().unwrap();
}
