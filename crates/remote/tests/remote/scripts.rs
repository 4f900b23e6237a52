//! Scripts through real login shells with real start files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use runicorn_remote::RemoteError;
use runicorn_remote::script::{Script, ScriptOutput};
use russh::ChannelMsg;
use tokio::io::AsyncWriteExt;

use crate::far_side::{FarSide, write};
use crate::support::sshd::{SshdOptions, is_root_or_skip};

const WORDS: &str = "it's \"a\" $(touch pwned) `id`\n!x \\ 名";

fn options(shell: &str) -> Option<SshdOptions> {
    let path = PathBuf::from(shell);
    if !path.exists() {
        println!("skipped, not installed: {shell}");
        return None;
    }
    is_root_or_skip("login shells").then(|| SshdOptions {
        shell: Some(path),
        ..SshdOptions::default()
    })
}

async fn echo(far: &FarSide) -> ScriptOutput {
    let script = Script::new("a test", "printf '%s' \"$1\"; cat; echo oops >&2; exit 3")
        .arg(WORDS)
        .input(b"\nthe input\0".to_vec());
    script.run(&far.connection).await.unwrap()
}

fn expected() -> ScriptOutput {
    let stdout = format!("{WORDS}\nthe input\0");
    ScriptOutput {
        status: 3,
        stdout_bytes: stdout.clone().into_bytes(),
        stdout,
        stderr: "oops".to_owned(),
    }
}

/// The same script, with these start files.
async fn works_with(shell: &str, files: &[(&str, &str)]) {
    let Some(options) = options(shell) else {
        return;
    };
    let fill = |home: &Path| {
        for (name, text) in files {
            write(home.join(name), text);
        }
    };
    let far = FarSide::with(&options, fill).await;
    assert_eq!(echo(&far).await, expected(), "{shell}: {files:?}");
    assert!(far.is_unharmed());
}

#[tokio::test]
async fn bash_with_noisy_start_files_that_read_a_line_runs_scripts() {
    let noise = "echo noise; echo noise >&2; stty -echo; printf '\\033[2J'; read line; cd() { echo no; }; export -f cd\n";
    works_with("/bin/bash", &[(".bashrc", noise)]).await;
}

#[tokio::test]
async fn bash_with_start_files_for_people_only_runs_scripts() {
    let guard = "case $- in *i*) ;; *) echo not for you; return;; esac\nexec zsh\n";
    works_with("/bin/bash", &[(".bashrc", guard)]).await;
}

#[tokio::test]
async fn start_files_that_read_a_whole_block_cost_a_second_try() {
    works_with("/bin/bash", &[(".bashrc", "head -n 1 >/dev/null\n")]).await;
}

#[tokio::test]
async fn start_files_that_end_in_another_shell_do_not_matter() {
    if Path::new("/usr/bin/zsh").exists() {
        works_with("/bin/bash", &[(".bashrc", "exec zsh\n")]).await;
    }
    works_with(
        "/bin/bash",
        &[(".bashrc", "[ -n \"$in\" ] || in=1 exec bash --norc\n")],
    )
    .await;
    works_with("/bin/bash", &[(".bashrc", "exec dash\n")]).await;
}

#[tokio::test]
async fn zsh_fish_tcsh_and_ksh_with_noisy_start_files_run_scripts() {
    works_with(
        "/usr/bin/zsh",
        &[(".zshenv", "echo noise; read line; setopt no_match\n")],
    )
    .await;
    let fish = "echo noise; echo noise >&2; read -l line\n";
    works_with("/usr/bin/fish", &[(".config/fish/config.fish", fish)]).await;
    works_with(
        "/usr/bin/tcsh",
        &[(".tcshrc", "echo noise\nset line = $<\n")],
    )
    .await;
    works_with("/bin/csh", &[(".cshrc", "echo noise\n")]).await;
    works_with("/bin/ksh", &[(".profile", "echo noise\n")]).await;
}

#[tokio::test]
async fn start_files_that_read_everything_are_named() {
    let Some(options) = options("/bin/bash") else {
        return;
    };
    let fill = |home: &Path| write(home.join(".bashrc"), "cat >/dev/null\n");
    let far = FarSide::with(&options, fill).await;
    let script = Script::new("a test", "echo no").limits(Duration::from_secs(8), 1000);
    let refused = script.run(&far.connection).await.unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("start files of the login shell read"),
        "{text}"
    );
}

#[tokio::test]
async fn a_login_that_may_run_nothing_is_told_in_the_server_s_words() {
    let forced = SshdOptions::default()
        .line("ForceCommand printf '\\033[31mBackups only!\\033[0m\\n'; exit 4");
    let mut cases = vec![(forced, "Backups only!")];
    if let Some(options) = options("/usr/sbin/nologin") {
        cases.push((options, "This account is currently not available."));
    }
    for (options, words) in cases {
        let far = FarSide::with(&options, |_| ()).await;
        let refused = Script::new("a test", "id").run(&far.connection).await;
        let Err(RemoteError::Forbidden { detail, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(detail, words);
    }
}

#[tokio::test]
async fn endless_and_late_scripts_are_ended() {
    let far = FarSide::with(&SshdOptions::default(), |_| ()).await;
    let endless = Script::new(
        "a test",
        "while :; do printf '\\033]0;x\\007yyyyyyyy'; done",
    )
    .limits(Duration::from_mins(1), 100_000);
    let result = endless.run(&far.connection).await;
    assert!(
        matches!(result, Err(RemoteError::TooMuchOutput { .. })),
        "{result:?}"
    );
    let late = Script::new("a test", "exec sleep 1000").limits(Duration::from_secs(1), 100);
    let result = late.run(&far.connection).await;
    assert!(
        matches!(result, Err(RemoteError::Timeout { .. })),
        "{result:?}"
    );
    assert_eq!(echo(&far).await, expected());
}

#[tokio::test]
async fn a_script_is_over_when_it_ends_and_not_when_all_it_started_does() {
    let far = FarSide::with(&SshdOptions::default(), |_| ()).await;
    let script = Script::new("a test", "sleep 1000 & echo $!").limits(Duration::from_mins(1), 100);
    let output = script.run(&far.connection).await.unwrap();
    let pid: u32 = output.stdout.trim().parse().unwrap();
    assert!(Path::new(&format!("/proc/{pid}")).exists());
}

#[tokio::test]
async fn complaints_are_shown_without_escape_codes_and_only_their_end() {
    let far = FarSide::with(&SshdOptions::default(), |_| ()).await;
    let text = "i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done; printf '\\033[31mthe end\\033[0m\\007' >&2; exit 1";
    let output = Script::new("a test", text)
        .run(&far.connection)
        .await
        .unwrap();
    assert!(
        output.stderr.ends_with("line 19999\nthe end"),
        "{}",
        output.stderr
    );
    assert!(output.stderr.len() <= 4000 && output.status == 1);
}

#[tokio::test]
async fn a_started_script_keeps_its_stdin() {
    let far = FarSide::with(&SshdOptions::default(), |_| ()).await;
    let text = "echo hello \"$1\"; while read -r line; do echo \"got $line\"; done; echo end";
    let script = Script::new("a test", text)
        .arg("you")
        .input(b"first\n".to_vec());
    let mut started = script.start(&far.connection).await.unwrap();
    let mut seen = started.first_bytes.clone();
    let mut stdin = started.running.stdin();
    stdin.write_all(b"second\n").await.unwrap();
    stdin.shutdown().await.unwrap();
    while let Some(message) = started.running.next().await {
        if let ChannelMsg::Data { data } = message {
            seen.extend_from_slice(&data);
        }
    }
    let seen = String::from_utf8(seen).unwrap();
    assert!(
        seen.starts_with("hello you\ngot first\ngot second\nend\n"),
        "{seen}"
    );
}
