//! A viewer's socket on stdin and stdout, for far sides whose SSH server forwards nothing: `--connect-stdio`.

use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, stdin, stdout};
use tokio::net::UnixStream;

/// What is written before the bytes of the socket, on a line of its own.
const CONNECTED: &[u8] = b"connected\n";

/// Says `connected` and carries bytes until the viewer closes. The end of stdin is passed on, the answer to it still comes.
///
/// # Errors
/// When nobody listens on the socket, or either side breaks.
pub async fn carry(socket: &Path) -> std::io::Result<()> {
    let stream = UnixStream::connect(socket).await?;
    let (mut from, mut to) = stream.into_split();
    let mut out = stdout();
    out.write_all(CONNECTED).await?;
    out.flush().await?;
    let there = async {
        copy(&mut stdin(), &mut to).await?;
        to.shutdown().await?;
        std::future::pending::<std::io::Result<()>>().await
    };
    let back = async {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = from.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            out.write_all(&buffer[..count]).await?;
            out.flush().await?;
        }
    };
    tokio::select! {
        done = there => done,
        done = back => done,
    }
}
