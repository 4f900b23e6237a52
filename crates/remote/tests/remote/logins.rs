//! Every way to log in, against OpenSSH.

use runicorn_remote::connection::RunLimits;

use crate::support::local::Local;
use crate::support::sshd::Sshd;

#[tokio::test]
async fn a_key_file_logs_in_and_runs_a_command() {
    let sshd = Sshd::start();
    let local = Local::knowing(&[&sshd]);
    let connection = local
        .dial(&sshd.target(), &sshd.credentials())
        .await
        .unwrap();
    let output = connection
        .run("echo $HOME; id -un", b"", &RunLimits::of("a test"))
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        format!("{}\n{}\n", sshd.home().display(), sshd.username())
    );
}
