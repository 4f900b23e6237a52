//! What the far side says on its line, read.

use tokio::io::AsyncWriteExt;

use super::*;

fn lines() -> (Lines, tokio::io::DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let lines = Lines {
        stream: Box::new(ours),
        buffer: b"early\nfir".to_vec(),
        host: "h".to_owned(),
    };
    (lines, theirs)
}

#[tokio::test]
async fn lines_come_whole_however_they_arrive() {
    let (mut lines, mut far) = lines();
    assert_eq!(lines.next().await.unwrap(), "early");
    far.write_all(b"st\nsecond\n\xff\n").await.unwrap();
    drop(far);
    assert_eq!(lines.next().await.unwrap(), "first");
    assert_eq!(lines.next().await.unwrap(), "second");
    assert_eq!(lines.next().await.unwrap(), "\u{fffd}");
    assert_eq!(lines.next().await.unwrap_err().code(), "LINK_LOST");
}

#[tokio::test]
async fn an_endless_line_and_an_endless_answer_are_cut_off() {
    let (mut lines, mut far) = lines();
    lines.next().await.unwrap();
    far.write_all(&vec![b'x'; LINE_BYTES + 9000]).await.unwrap();
    assert_eq!(lines.next().await.unwrap_err().code(), "TOO_MUCH_OUTPUT");

    let (mut lines, mut far) = self::lines();
    let row = [b'y'; 1000];
    for _ in 0..300 {
        far.write_all(&row).await.unwrap();
        far.write_all(b"\n").await.unwrap();
    }
    let endless = answer(&mut lines).await.unwrap_err();
    assert_eq!(endless.code(), "TOO_MUCH_OUTPUT");
}

#[test]
fn a_hostile_greeting_names_no_process() {
    let said = ["system Linux x86_64", "line -1 5", "gzip", "nonsense"];
    let hello = Hello::of(&said.map(str::to_owned));
    assert_eq!(hello.process, ("0".to_owned(), "5".to_owned()));
    assert!(hello.has_gzip);
}

#[test]
fn what_the_far_side_says_about_the_viewer_has_four_meanings() {
    assert_eq!(far("up 12"), Far::Up);
    assert_eq!(far("down 137"), Far::Down("137".to_owned()));
    assert_eq!(far("down"), Far::Down(String::new()));
    assert_eq!(far("gone"), Far::Gone);
    for other in ["unguarded", "unwritable", "", "nonsense"] {
        assert_eq!(far(other), Far::Unguarded, "{other}");
    }
}
