//! Scripts through real shells of this machine: as login shells that get the constant command, and as `/bin/sh`.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use super::reply::Reply;
use super::{After, LOGIN_COMMAND, Opening, Script, ScriptOutput, blank_lines, cleaned, quoted};
use crate::error::RemoteError;

/// Login shells that this machine has.
fn login_shells() -> Vec<&'static str> {
    let all = [
        "/bin/sh",
        "/bin/dash",
        "/bin/bash",
        "/usr/bin/zsh",
        "/usr/bin/fish",
        "/usr/bin/tcsh",
        "/bin/csh",
        "/bin/ksh",
        "/bin/mksh",
    ];
    let (present, absent): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|shell| std::path::Path::new(shell).exists());
    if !absent.is_empty() {
        println!("skipped, not installed: {absent:?}");
    }
    present
}

/// What may stand behind `/bin/sh`.
pub(crate) fn posix_shells() -> Vec<String> {
    let others = ["/zsh", "/fish", "/tcsh", "/csh"];
    let is_posix = |shell: &&str| !others.iter().any(|other| shell.ends_with(other));
    let mut shells: Vec<_> = login_shells()
        .into_iter()
        .filter(is_posix)
        .map(str::to_owned)
        .collect();
    if std::path::Path::new("/bin/busybox").exists() {
        shells.push("/bin/busybox sh".to_owned());
    }
    shells
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests run the shells of this machine"
)]
pub(crate) fn shell(login: &str) -> Command {
    Command::new(login)
}

/// The constant command with another shell in the place of `/bin/sh`.
pub(crate) fn login_command(sh: &str) -> String {
    LOGIN_COMMAND.replace("/bin/sh", sh)
}

/// Runs a script as SSH would, all input at once.
pub(crate) fn through(
    mut login: Command,
    command: &str,
    script: &Script,
) -> Result<ScriptOutput, RemoteError> {
    let (token, mut reply) = script.new_reply();
    let mut child = login
        .arg("-c")
        .arg(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut bytes = blank_lines(Opening::AtOnce);
    bytes.extend(script.bytes(&token, After::Status));
    let writing = std::thread::spawn(move || stdin.write_all(&bytes).unwrap_or_default());
    let mut errors = child.stderr.take().unwrap();
    let complaints = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        errors.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let mut stdout = child.stdout.take().unwrap();
    let mut part = [0; 1000];
    let mut taken = Ok(());
    loop {
        let count = stdout.read(&mut part).unwrap();
        if count == 0 {
            break;
        }
        taken = reply.take_stdout(&part[..count]);
        if taken.is_err() {
            break;
        }
    }
    drop(stdout);
    reply.take_stderr(&complaints.join().unwrap());
    writing.join().unwrap();
    child.wait().unwrap();
    taken?;
    reply.finished().ok_or_else(|| RemoteError::Command {
        what: script.what.to_owned(),
        detail: reply.everything_said(),
    })
}

const HOSTILE: [&str; 12] = [
    "",
    "plain",
    "with space",
    "it's",
    "\"double\" `id` $(id) $HOME ${x}",
    "line\nbreak\n\n",
    "\n#runicorn echo no",
    "back\\slash \\n \\",
    "!! !x ^a^b # * ? [a] {a,b} ~ ; & | < >",
    "名前 é \u{1f600}",
    "-n",
    "\t tab \u{7} bell \u{1b}[31m",
];

#[test]
fn every_login_shell_runs_a_script_with_hostile_arguments_unharmed() {
    let mut script = Script::new(
        "test",
        "for word; do printf '%s\\000' \"$word\"; done; exit 7",
    );
    for word in HOSTILE {
        script = script.arg(word);
    }
    for login in login_shells() {
        let output = through(shell(login), LOGIN_COMMAND, &script).unwrap();
        let words: Vec<_> = output.stdout.split_terminator('\0').collect();
        assert_eq!(words, HOSTILE, "{login}");
        assert_eq!((output.status, output.stderr.as_str()), (7, ""), "{login}");
    }
}

#[test]
fn every_posix_shell_hands_the_input_to_the_script_and_nothing_else() {
    let script = Script::new("test", "printf '[%s]' \"$1\"\ncat\nprintf 'oops\\n' >&2")
        .arg("a'b")
        .input(b"first\n\0\xff#runicorn exit\nlast".to_vec());
    for sh in posix_shells() {
        let output = through(shell("/bin/bash"), &login_command(&sh), &script).unwrap();
        let expected = b"[a'b]first\n\0\xff#runicorn exit\nlast";
        assert_eq!(output.stdout_bytes, expected, "{sh}");
        assert_eq!((output.status, output.stderr.as_str()), (0, "oops"), "{sh}");
    }
}

#[test]
fn a_script_that_is_wrong_or_ends_early_still_tells_its_status() {
    for (text, status) in [
        ("if", 2),
        ("exit 3; echo no", 3),
        ("kill -9 $$; exit 1", 255),
        ("(exit 5)", 5),
        ("", 0),
    ] {
        for login in ["/bin/sh", "/bin/bash"] {
            let result = through(shell(login), LOGIN_COMMAND, &Script::new("test", text));
            match result {
                Ok(output) => assert_eq!(
                    (output.status, output.stdout.as_str()),
                    (status, ""),
                    "{text}"
                ),
                Err(error) => assert!(text.starts_with("kill"), "{text}: {error}"),
            }
        }
    }
}

#[test]
fn the_environment_of_a_script_is_the_same_everywhere() {
    let script = Script::new("test", "echo \"$LC_ALL|${CDPATH-unset}|$#|$PATH\"");
    let mut login = shell("/bin/bash");
    login
        .env("CDPATH", "/tmp")
        .env("LC_ALL", "de_DE.UTF-8")
        .env("PATH", "/nowhere");
    let output = through(login, LOGIN_COMMAND, &script).unwrap();
    assert_eq!(output.stdout, "C|unset|0|/nowhere:/usr/bin:/bin\n");
}

#[test]
fn noise_around_and_between_does_not_matter() {
    let token = "rn1";
    let mut reply = Reply::new(token, "test", 100);
    let all = b"Welcome!\nrn1b no\n#runicorn\n\nrn1b\nhello rn1e 5\n\nrn1e 4\nbye\n";
    for byte in all {
        reply.take_stdout(&[*byte]).unwrap();
    }
    reply.take_stderr(b"motd \x1b[31mred\n\nrn1b\nreal\n\nrn1e\nbye");
    let output = reply.finished().unwrap();
    assert_eq!(output.stdout, "hello rn1e 5\n");
    assert_eq!((output.status, output.stderr.as_str()), (4, "real"));
}

#[test]
fn endless_output_and_endless_noise_are_ended() {
    let mut noise = Reply::new("rn1", "test", 1000);
    let many = std::iter::repeat_with(|| noise.take_stdout(&[b'x'; 4096])).take(200);
    assert!(many.last().unwrap().is_err());
    let script = Script::new("test", "while :; do echo yyyyyyyyyyyyyyyyy; done")
        .limits(std::time::Duration::from_secs(5), 10_000);
    let result = through(shell("/bin/sh"), LOGIN_COMMAND, &script);
    assert!(matches!(
        result,
        Err(RemoteError::TooMuchOutput {
            limit_bytes: 10_000,
            ..
        })
    ));
    let exact =
        Script::new("test", "printf 1234567890").limits(std::time::Duration::from_secs(5), 10);
    assert_eq!(
        through(shell("/bin/sh"), LOGIN_COMMAND, &exact)
            .unwrap()
            .stdout,
        "1234567890"
    );
}

#[test]
fn a_shell_that_runs_something_else_is_told_by_its_words() {
    let result = through(
        shell("/bin/sh"),
        "echo 'This account is \u{1b}[1mclosed'; exit 1",
        &Script::new("test", "id"),
    );
    let Err(RemoteError::Command { detail, .. }) = result else {
        panic!("it ran: {result:?}")
    };
    assert_eq!(detail, "This account is closed");
}

#[test]
fn quoting_is_undone_by_a_shell() {
    for word in HOSTILE {
        let script = Script::new("test", format!("printf %s {}", quoted(word)));
        let output = through(shell("/bin/sh"), LOGIN_COMMAND, &script).unwrap();
        assert_eq!(output.stdout, word);
    }
    assert_eq!(cleaned("a\u{1b}[2Jb", 10), "ab");
}
