//! Our reading of OpenSSH configurations beside that of the real `ssh -G`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use runicorn_remote::{IdentityAgent, JumpHop, SshConfig};

use super::{has_program, printed, program};

const HOME: &str = "/home/somebody";

/// What both say, in one form.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    host_name: String,
    port: u16,
    user: String,
    identity_files: Vec<String>,
    certificate_files: Vec<String>,
    identities_only: bool,
    proxy_jump: Vec<String>,
    proxy_command: Option<String>,
    host_key_alias: Option<String>,
    user_known_hosts: Option<Vec<String>>,
    connect_timeout: Option<Duration>,
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text.replace("{dir}", folder.path().to_str().unwrap())).unwrap();
        }
        folder
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn config(&self) -> SshConfig {
        SshConfig::load(Path::new(HOME), self.path(), &local_user(), "box.example")
    }
}

fn local_user() -> String {
    printed(program("id").arg("-un")).trim().to_owned()
}

fn by_real_ssh(folder: &Folder, alias: &str, user: Option<&str>) -> Said {
    let mut command = program("ssh");
    command.arg("-F").arg(folder.path().join("config"));
    if let Some(user) = user {
        command.args(["-l", user]);
    }
    let output = printed(command.args(["-G", alias]));
    let mut values: HashMap<String, Vec<String>> = HashMap::new();
    for line in output.lines() {
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        values
            .entry(keyword.to_owned())
            .or_default()
            .push(value.to_owned());
    }
    let one = |keyword: &str| values.get(keyword).map(|values| values[0].clone());
    let all = |keyword: &str| values.get(keyword).cloned().unwrap_or_default();
    let host_name = one("hostname").unwrap();
    let port: u16 = one("port").unwrap().parse().unwrap();
    let user = one("user").unwrap();
    // `ssh -G` shows paths and commands before they are expanded.
    let expanded = |text: String| {
        let text = match text.strip_prefix("~/") {
            Some(rest) => format!("{HOME}/{rest}"),
            None => text,
        };
        text.replace("%%", "\0")
            .replace("%h", &host_name)
            .replace("%n", alias)
            .replace("%p", &port.to_string())
            .replace("%r", &user)
            .replace("%u", &local_user())
            .replace("%d", HOME)
            .replace('\0', "%")
    };
    let is_used = |file: &String| file != "none";
    let usable = ["id_rsa", "id_ecdsa", "id_ed25519"];
    let is_default = |file: &String| {
        file.strip_prefix("~/.ssh/")
            .is_none_or(|name| !name.starts_with("id_") || usable.contains(&name))
    };
    Said {
        identity_files: all("identityfile")
            .into_iter()
            .filter(is_used)
            .filter(is_default)
            .map(expanded)
            .collect(),
        certificate_files: all("certificatefile")
            .into_iter()
            .filter(is_used)
            .map(expanded)
            .collect(),
        identities_only: one("identitiesonly").unwrap() == "yes",
        proxy_jump: one("proxyjump")
            .map(|hops| {
                hops.split(',')
                    .map(|hop| JumpHop::parse(hop).unwrap().to_string())
                    .collect()
            })
            .unwrap_or_default(),
        proxy_command: one("proxycommand").map(expanded),
        host_key_alias: one("hostkeyalias"),
        user_known_hosts: one("userknownhostsfile").map(|files| {
            files
                .split(' ')
                .map(|file| expanded(real_home_to_tilde(file)))
                .filter(is_used)
                .collect()
        }),
        connect_timeout: one("connecttimeout")
            .and_then(|secs| secs.parse().ok())
            .map(Duration::from_secs),
        host_name,
        port,
        user,
    }
}

/// The files of known hosts are the only ones that `ssh -G` shows with the real home.
fn real_home_to_tilde(file: &str) -> String {
    let passwd = printed(program("getent").args(["passwd", &local_user()]));
    let home = passwd.split(':').nth(5).unwrap().to_owned();
    match file.strip_prefix(&format!("{home}/")) {
        Some(rest) => format!("~/{rest}"),
        None => file.to_owned(),
    }
}

fn by_us(folder: &Folder, alias: &str, user: Option<&str>) -> Said {
    let resolved = folder.config().resolve(alias, user);
    let text = |path: &PathBuf| {
        // Default files are those of the folder that stands for `~/.ssh`.
        match path.strip_prefix(folder.path()) {
            Ok(name) => format!("{HOME}/.ssh/{}", name.display()),
            Err(_) => path.display().to_string(),
        }
    };
    Said {
        host_name: resolved.host_name,
        port: resolved.port.unwrap_or(22),
        user: resolved.user.unwrap_or_else(local_user),
        identity_files: resolved.identity_files.iter().map(text).collect(),
        certificate_files: resolved.certificate_files.iter().map(text).collect(),
        identities_only: resolved.identities_only,
        proxy_jump: resolved.proxy_jump,
        proxy_command: resolved.proxy_command,
        host_key_alias: resolved.host_key_alias,
        user_known_hosts: Some(resolved.user_known_hosts_files.iter().map(text).collect()),
        connect_timeout: resolved.connect_timeout,
    }
}

fn check(files: &[(&str, &str)], aliases: &[&str]) {
    if !has_program("ssh") {
        return;
    }
    let folder = Folder::new(files);
    for alias in aliases {
        for user in [None, Some("given")] {
            assert_eq!(
                by_us(&folder, alias, user),
                by_real_ssh(&folder, alias, user),
                "{alias} {user:?} in {files:?}"
            );
        }
    }
}

#[test]
fn plain_hosts_are_read_as_ssh_reads_them() {
    check(
        &[(
            "config",
            "User everybody\nHost gpu gpu2\n  HostName GPU.Example\n  Port 2222\n  User ada\n  IdentityFile ~/.ssh/one\n\
             Host *\n  Port 22\n  IdentityFile ~/keys/two\n  IdentityFile /abs/three\n  ConnectTimeout 1m5s\n",
        )],
        &["gpu", "gpu2", "other", "GPU"],
    );
}

#[test]
fn separators_quotes_case_and_comments_are_those_of_ssh() {
    check(
        &[(
            "config",
            "# comment\n\tHOST=a \"b\" # c\n hostname = x.y\n\tPoRt\t=\t7\r\nIdentityFile \"/a b/c\" \n\
             IdentityFile '/single quoted'\nIdentityFile /back\\ slash\nUserKnownHostsFile /k1 ~/k2\n\
             Host=d\nHostName=\"q\"\nIdentitiesOnly=yes\n",
        )],
        &["a", "b", "c", "d"],
    );
}

#[test]
fn patterns_and_negations_choose_as_in_ssh() {
    check(
        &[(
            "config",
            "Host *.lab !bad.lab\n  User lab\nHost bad*\n  User bad\nHost ?\n  Port 1\nHost !x *\n  Port 2\nHost x\n  Port 3\n",
        )],
        &["good.lab", "bad.lab", "bad", "x", "y", "xx"],
    );
}

#[test]
fn match_blocks_choose_as_in_ssh() {
    check(
        &[(
            "config",
            "Host gpu\n  HostName gpu1.lab\nMatch host *.lab\n  Port 5\nMatch originalhost gpu,cpu user given\n  IdentityFile /given\n\
             Match !originalhost gpu\n  IdentityFile /not-gpu\nMatch originalhost gpu !host gpu\n  User matched\n\
             Match localuser nobody-like-this\n  HostKeyAlias wrong\nMatch all\n  HostKeyAlias right\n",
        )],
        &["gpu", "cpu", "x.lab"],
    );
}

#[test]
fn match_final_reads_everything_again_with_the_real_name() {
    check(
        &[(
            "config",
            "Host gpu1.lab\n  User again\n  IdentityFile /again\nMatch final host gpu1.lab\n  Port 9\nMatch canonical\n  IdentityFile /canonical\n\
             Host gpu\n  HostName %h1.lab\n",
        )],
        &["gpu", "gpu1.lab", "other"],
    );
    check(
        &[(
            "config",
            "Match canonical\n  Port 1\nMatch !final all\n  Port 2\n",
        )],
        &["a"],
    );
}

#[test]
fn includes_are_followed_as_in_ssh() {
    check(
        &[
            (
                "config",
                "Include {dir}/conf.d/*.conf\nHost inside\n  Include {dir}/more\nHost after\n  Port 3\nHost *\n  Include {dir}/absent\n  User last\n",
            ),
            ("conf.d/20.conf", "Port 20\nHost only20\n  User twenty\n"),
            ("conf.d/10.conf", "Host only10\n  User ten\n"),
            ("conf.d/ignored.txt", "Port 99\n"),
            ("conf.d/.hidden.conf", "Port 98\n"),
            (
                "more",
                "User more\nHost *\n  IdentityFile /more\nHost after\n  IdentityFile /more-after\n",
            ),
        ],
        &["only10", "only20", "inside", "after", "x"],
    );
}

#[test]
fn jumps_and_commands_are_those_of_ssh() {
    check(
        &[(
            "config",
            "Host a\n  ProxyJump j1\nHost b\n  ProxyJump u@j1:2222,ssh://v@j2:33,w@[::1]:44\nHost c\n  ProxyJump none\n\
             Host d\n  ProxyCommand nc -X 5 \"%h\" %p # not a comment\nHost e\n  ProxyCommand none\n\
             Host f\n  ProxyCommand=ssh -W %h:%p %r@j\n  ProxyJump never\n  HostName f.lab\nHost g\n  ProxyJump first\n  ProxyCommand never\n\
             Host *\n  ProxyJump everybody\n",
        )],
        &["a", "b", "d", "f", "g", "x"],
    );
    // `none` is not shown by `ssh -G` in the same way by all versions; what counts is that there is no way.
    let folder = Folder::new(&[(
        "config",
        "Host c\n ProxyJump none\nHost e\n ProxyCommand none\nHost *\n ProxyJump everybody\n",
    )]);
    for alias in ["c", "e"] {
        let resolved = folder.config().resolve(alias, None);
        assert!(resolved.proxy_jump.is_empty(), "{alias}");
        assert_eq!(resolved.proxy_command, None, "{alias}");
    }
}

#[test]
fn tokens_are_expanded_as_in_ssh() {
    check(
        &[(
            "config",
            "Host gpu\n  HostName %h.lab\n  Port 2222\n  IdentityFile ~/.ssh/%h_%n_%p_%r_%u\n  IdentityFile %d/k%%\n  CertificateFile ~/c-%h\n",
        )],
        &["gpu"],
    );
}

#[test]
fn no_key_files_means_no_key_files() {
    check(
        &[(
            "config",
            "Host a\n  IdentityFile none\nHost b\n  IdentityFile none\n  IdentityFile /b\nHost c\n  UserKnownHostsFile none\n",
        )],
        &["a", "b", "c", "d"],
    );
}

/// Small configurations from a grammar, each beside the real program.
#[test]
fn random_configurations_are_read_as_ssh_reads_them() {
    if !has_program("ssh") {
        return;
    }
    let mut state: u64 = 0x1234_5678_9abc_def1;
    let mut pick = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % 1_000_003).unwrap() % limit
    };
    let blocks = [
        "Host gpu",
        "Host g* !gpu2",
        "Host *",
        "Host gpu2 x",
        "Host ?pu",
        "Match host gpu.lab",
        "Match originalhost g*",
        "Match user ada",
        "Match all",
        "Match !user ada originalhost gpu",
        "Match final",
        "Match final host gpu*",
        "Match canonical",
        "Host=\"gpu\"",
        "Include {dir}/inc",
    ];
    let settings = [
        "HostName gpu.lab",
        "HostName %h.lab",
        "Port 1",
        "Port=2",
        "User ada",
        "User bob",
        "IdentityFile /a",
        "IdentityFile ~/b-%h",
        "IdentityFile \"/a\"",
        "CertificateFile /c",
        "IdentitiesOnly yes",
        "ProxyJump j1,u@j2:3",
        "ProxyCommand nc %h %p",
        "HostKeyAlias k",
        "ConnectTimeout 3",
    ];
    for _ in 0..60 {
        let mut text = |lines: usize| {
            (0..lines)
                .map(|_| match pick(3) {
                    0 => format!("{}\n", blocks[pick(blocks.len())]),
                    _ => format!("  {}\n", settings[pick(settings.len())]),
                })
                .collect::<String>()
        };
        let config = text(14);
        let included = text(5).replace("Include {dir}/inc", "# nothing");
        check(
            &[("config", &config), ("inc", &included)],
            &["gpu", "gpu2", "x"],
        );
    }
}

#[test]
fn hosts_are_listed_in_order_without_patterns() {
    let folder = Folder::new(&[
        (
            "config",
            "Include inc/*\nHost b *.lab !no a\n  HostName b.lab\n  ProxyJump j\nHost b\nMatch originalhost m\n",
        ),
        ("inc/one", "Host first\n  Port 7\n"),
    ]);
    let hosts = folder.config().hosts();
    let names: Vec<&str> = hosts.iter().map(|host| host.alias.as_str()).collect();
    assert_eq!(names, ["first", "b", "a"]);
    assert_eq!(hosts[0].resolved.port, Some(7));
    assert_eq!(hosts[1].resolved.host_name, "b.lab");
    assert_eq!(hosts[1].resolved.proxy_jump, ["j"]);
}

#[test]
fn match_exec_is_never_run_and_that_is_said() {
    let folder = Folder::new(&[(
        "config",
        "Match exec \"touch {dir}/ran\"\n  Port 1\nMatch !exec \"touch {dir}/ran\"\n  Port 2\nMatch localnetwork 10.0.0.0/8\n  Port 3\n\
         Match originalhost other exec true\n  Port 4\n",
    )]);
    let config = folder.config();
    let resolved = config.resolve("gpu", None);
    assert_eq!(resolved.port, None);
    assert!(!folder.path().join("ran").exists());
    let notes = resolved.notes.join("\n");
    assert!(
        notes.contains("line 1: `Match exec` is never run"),
        "{notes}"
    );
    assert!(
        notes.contains("`Match localnetwork` is not supported"),
        "{notes}"
    );
    assert!(!notes.contains("line 7"), "{notes}");
    assert_eq!(config.problems().len(), 4, "{:?}", config.problems());
}

#[test]
fn agents_are_named_none_or_left_to_the_session() {
    let folder = Folder::new(&[(
        "config",
        "Host a\n  IdentityAgent none\nHost b\n  IdentityAgent SSH_AUTH_SOCK\nHost c\n  IdentityAgent ~/%n.sock\n\
         Host d\n  IdentityAgent $AGENT\nHost e\n  IdentityAgent ${AGENT}.2\nHost f\n  IdentityAgent $NOPE\n",
    )]);
    let environment = HashMap::from([("AGENT".to_owned(), "/run/agent".to_owned())]);
    let config = folder.config().with_environment(environment);
    let socket = |path: &str| Some(IdentityAgent::Socket(PathBuf::from(path)));
    for (alias, expected) in [
        ("a", Some(IdentityAgent::None)),
        ("b", None),
        ("c", socket("/home/somebody/c.sock")),
        ("d", socket("/run/agent")),
        ("e", socket("/run/agent.2")),
        ("f", None),
        ("g", None),
    ] {
        assert_eq!(
            config.resolve(alias, None).identity_agent,
            expected,
            "{alias}"
        );
    }
    assert!(config.resolve("f", None).notes[0].contains("NOPE"));
}

#[test]
fn the_machines_configuration_comes_behind_the_users() {
    let folder = Folder::new(&[
        ("config", "Host gpu\n  Port 1\n"),
        (
            "etc/ssh_config",
            "Include ssh_config.d/*.conf\nHost *\n  Port 2\n",
        ),
        ("etc/ssh_config.d/a.conf", "User machine\n"),
    ]);
    let config = folder
        .config()
        .and_system(&folder.path().join("etc/ssh_config"));
    let resolved = config.resolve("gpu", None);
    assert_eq!(resolved.port, Some(1));
    assert_eq!(resolved.user.as_deref(), Some("machine"));
    assert_eq!(config.resolve("x", None).port, Some(2));
}

#[test]
fn an_absent_or_unreadable_configuration_is_an_empty_one() {
    let folder = Folder::new(&[]);
    assert!(folder.config().hosts().is_empty());
    assert!(folder.config().problems().is_empty());
    std::fs::create_dir(folder.path().join("config")).unwrap();
    assert!(folder.config().hosts().is_empty());
    assert_eq!(folder.config().problems().len(), 1);
}

#[test]
fn a_broken_line_costs_only_itself() {
    let folder = Folder::new(&[(
        "config",
        "Host gpu\n  Port 99999999\n  Port x\n  IdentityFile \"open\n  Port\n  ProxyJump -oX=y\n  Port 7\n  User ada\nMatch all host x\n  User wrong\n",
    )]);
    let config = folder.config();
    let resolved = config.resolve("gpu", None);
    assert_eq!(
        (resolved.port, resolved.user.as_deref()),
        (Some(7), Some("ada"))
    );
    assert!(resolved.proxy_jump.is_empty());
    assert_eq!(resolved.notes.len(), 3, "{:?}", resolved.notes);
    assert_eq!(config.problems().len(), 3, "{:?}", config.problems());
}

#[test]
fn includes_that_turn_in_circles_or_go_too_deep_end() {
    let mut files = vec![
        (
            "config".to_owned(),
            "Include config loop\nInclude deep0\nHost end\n  Port 5\n".to_owned(),
        ),
        (
            "loop".to_owned(),
            "Include config\nInclude loop\n".to_owned(),
        ),
    ];
    for depth in 0..40 {
        files.push((
            format!("deep{depth}"),
            format!("Include deep{}\n", depth + 1),
        ));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let config = Folder::new(&files).config();
    assert_eq!(config.resolve("end", None).port, Some(5));
    assert!(config.problems().len() >= 3, "{:?}", config.problems());
}

#[test]
fn includes_that_fan_out_without_end_are_cut() {
    let fan = "Include fan*\n".repeat(20);
    let names: Vec<String> = (0..10).map(|number| format!("fan{number}")).collect();
    let mut files: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), fan.as_str()))
        .collect();
    files.push(("config", &fan));
    let folder = Folder::new(&files);
    let start = Instant::now();
    assert!(!folder.config().problems().is_empty());
    assert!(start.elapsed() < Duration::from_mins(1));
}

#[test]
fn a_huge_file_is_refused_and_a_long_one_is_cut() {
    let huge = "#".repeat(2 << 20);
    let folder = Folder::new(&[("config", &huge)]);
    assert_eq!(folder.config().problems().len(), 1);
    let long = "Host *a*b*c*d*e*f*\n".repeat(50_000);
    let folder = Folder::new(&[("config", &long)]);
    let config = folder.config();
    assert!(!config.problems().is_empty());
    assert_eq!(config.resolve(&"a".repeat(255), None).port, None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_reader_panic(text in "(?s).{0,400}", alias in "\\PC{0,40}") {
        let folder = Folder::new(&[("config", &text)]);
        let config = folder.config();
        config.resolve(&alias, None);
        prop_assert!(config.hosts().len() <= 1_000);
    }

    #[test]
    fn no_lines_of_keywords_make_the_reader_panic(
        lines in prop::collection::vec(
            ("(?i)host|match|port|proxyjump|proxycommand|identityfile|include|hostname|connecttimeout|identityagent",
             "[ =\t]{1,2}",
             "[-a-z0-9*?!%~${}@:,/\\[\\]\"'\\\\# ]{0,30}"),
            0..30,
        ),
        alias in "[a-z0-9*?-]{0,10}",
    ) {
        let lines: Vec<String> = lines
            .iter()
            .map(|(keyword, separator, rest)| format!("{keyword}{separator}{rest}"))
            .collect();
        let text = lines.join("
");
        // Includes stay inside of the folder.
        let text = text.replace('/', "_");
        let folder = Folder::new(&[("config", &text)]);
        let config = folder.config();
        config.resolve(&alias, Some("u"));
        config.hosts();
    }
}

#[test]
fn a_command_that_cannot_be_expanded_safely_is_left_as_it_is_and_said() {
    let folder = Folder::new(&[(
        "config",
        "Host a\n  HostName x;id\n  ProxyCommand nc %h %p\nHost b\n  ProxyCommand nc %C\nHost c\n  ProxyCommand nc %h %p\n",
    )]);
    for (alias, expected, notes) in [("a", "nc %h %p", 1), ("b", "nc %C", 1), ("c", "nc c 22", 0)] {
        let resolved = folder.config().resolve(alias, None);
        assert_eq!(resolved.proxy_command.as_deref(), Some(expected));
        assert_eq!(resolved.notes.len(), notes, "{:?}", resolved.notes);
    }
}
