//! Host keys: our verdicts beside the real `ssh-keygen`, and the recorded flow of accepting, listing and removing.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use runicorn_remote::{AcceptError, HostKeyQuestion, HostKeyReason, KnownHosts, Verdict};
use russh::keys::{Certificate, PublicKey, PublicKeyOrCertificate};
use serde_json::Value;

use super::{has_program, printed, program, run};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn own(&self) -> KnownHosts {
        KnownHosts::new(self.path("state/known_hosts"))
    }

    /// A new key by the real program; its public file's text.
    fn key(&self, name: &str, kind: &[&str]) -> String {
        let path = self.path(name);
        let mut command = program("ssh-keygen");
        command.args(["-q", "-N", "", "-C", "", "-t"]).args(kind);
        run(command.arg("-f").arg(&path));
        let text = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        text.trim().to_owned()
    }

    fn write(&self, name: &str, lines: &[String]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
        path
    }

    /// A certificate for the key `name` by the real program.
    fn certificate(
        &self,
        authority: &str,
        name: &str,
        arguments: &[&str],
    ) -> PublicKeyOrCertificate {
        let mut command = program("ssh-keygen");
        command.arg("-q").arg("-s").arg(self.path(authority));
        command.args(["-I", "an-id"]).args(arguments);
        run(command.arg(self.path(name).with_extension("pub")));
        let text = std::fs::read_to_string(self.path(&format!("{name}-cert.pub"))).unwrap();
        PublicKeyOrCertificate::Certificate(Certificate::from_openssh(&text).unwrap())
    }
}

fn shown(text: &str) -> PublicKeyOrCertificate {
    PublicKey::from_openssh(text).unwrap().into()
}

fn question(verdict: Verdict) -> HostKeyQuestion {
    match verdict {
        Verdict::Unknown(question) | Verdict::Changed(question) => question,
        other => panic!("{other:?} is no question"),
    }
}

fn ask_and_accept(known: &KnownHosts, host: &str, port: u16, key: &str) {
    let question = question(known.verify(host, port, &shown(key), &[]));
    known.remember_question(&question);
    known
        .accept(
            host,
            port,
            &question.key_type,
            &question.public_key,
            &question.fingerprint_sha256,
        )
        .unwrap();
}

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
const OTHER: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB8eHRwbGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA";

fn recorded(number: u32) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/runicorn-0.7.2/golden/mutations");
    let name = format!("{number:03}_");
    let entry = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .find(|entry| entry.file_name().to_string_lossy().starts_with(&name))
        .unwrap();
    serde_json::from_slice(&std::fs::read(entry.path()).unwrap()).unwrap()
}

#[test]
fn the_recorded_flow_has_the_same_texts_files_and_lists() {
    let place = Place::new();
    let known = place.own();
    for number in 88..=103 {
        let step = recorded(number);
        let json = &step["request"]["json"];
        let text = |name: &str| json[name].as_str().unwrap();
        let port = json["port"]
            .as_u64()
            .map(|port| u16::try_from(port).unwrap());
        let path = step["request"]["path"].as_str().unwrap();
        let outcome = match path.rsplit('/').next().unwrap() {
            // Port 0 is refused before us.
            "accept" if port == Some(0) => continue,
            "accept" => {
                if step["status"] == 200 {
                    let question =
                        question(known.verify(text("host"), port.unwrap(), &shown(KEY), &[]));
                    known.remember_question(&question);
                }
                known
                    .accept(
                        text("host"),
                        port.unwrap(),
                        text("key_type"),
                        text("public_key"),
                        text("fingerprint_sha256"),
                    )
                    .map(|()| serde_json::json!({"ok": true}))
            }
            "remove" => known
                .remove(text("host"), port.unwrap(), text("key_type"))
                .map(|changed| serde_json::json!({"ok": true, "changed": changed})),
            "list" => {
                let entries: Vec<Value> = known
                    .list()
                    .into_iter()
                    .map(|entry| {
                        serde_json::json!({
                            "host": entry.host, "port": entry.port,
                            "known_hosts_host": entry.known_hosts_host, "key_type": entry.key_type,
                            "key_base64": entry.key_base64, "fingerprint_sha256": entry.fingerprint_sha256,
                        })
                    })
                    .collect();
                Ok(serde_json::json!({ "entries": entries }))
            }
            other => panic!("{other}"),
        };
        match outcome {
            Ok(body) => assert_eq!(body, step["body"], "{number}"),
            Err(error) => assert_eq!(error.to_string(), step["body"]["detail"], "{number}"),
        }
        if let Some(content) = step["home_diff"]["content"][".config/runicorn/known_hosts"].as_str()
        {
            let ours = std::fs::read_to_string(place.path("state/known_hosts")).unwrap();
            assert_eq!(ours, content, "{number}");
        }
    }
}

#[test]
fn checks_come_in_the_documented_order() {
    let place = Place::new();
    let known = place.own();
    let fingerprint = "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA";
    for (host, key_type, key, fingerprint, expected) in [
        ("", "", "\n", "", "Invalid host"),
        ("h", "", "\n", "", "Invalid key_type"),
        ("h", "a b", "\n", "", "Invalid fingerprint_sha256"),
        ("a b", "a b", "x\ny", "a b", "Invalid public_key"),
        ("a b", "a b", "x", "a b", "Invalid host"),
        ("a,b", "a b", "x", "a b", "Invalid host"),
        ("a", "a b", "x", "a b", "Invalid key_type"),
        ("a", "a,b", "x", "a b", "Invalid fingerprint_sha256"),
        (
            "a",
            "t",
            "x",
            "f",
            "Invalid public_key: Invalid public key format",
        ),
        (
            "a",
            "t",
            "x ?",
            "f",
            "Invalid public_key: Invalid base64 public key",
        ),
        ("a", "t", KEY, "f", "key_type does not match public_key"),
        (
            "a",
            "ssh-ed25519",
            KEY,
            "f",
            "fingerprint_sha256 does not match public_key",
        ),
    ] {
        let refusal = known
            .accept(host, 22, key_type, key, fingerprint)
            .unwrap_err();
        assert_eq!(refusal.to_string(), expected);
    }
    // The type is that of the key itself, not only of the word in front of it.
    let lied = KEY.replace("ssh-ed25519 ", "ssh-rsa ");
    let refusal = known
        .accept("a", 22, "ssh-rsa", &lied, fingerprint)
        .unwrap_err();
    assert_eq!(refusal.to_string(), "key_type does not match public_key");
}

#[test]
fn a_key_that_nobody_was_asked_about_is_not_accepted() {
    let place = Place::new();
    let known = place.own();
    let asked = question(known.verify("gpu", 22, &shown(KEY), &[]));
    let accept = |known: &KnownHosts, host: &str, port| {
        known.accept(
            host,
            port,
            &asked.key_type,
            &asked.public_key,
            &asked.fingerprint_sha256,
        )
    };
    assert!(matches!(
        accept(&known, "gpu", 22),
        Err(AcceptError::NoPending { .. })
    ));
    known.remember_question(&asked);
    assert!(matches!(
        accept(&known, "gpu", 23),
        Err(AcceptError::NoPending { .. })
    ));
    assert!(matches!(
        accept(&known, "other", 22),
        Err(AcceptError::NoPending { .. })
    ));
    assert!(!place.path("state/known_hosts").exists());
    accept(&known, "gpu", 22).unwrap();
    assert!(matches!(
        accept(&known, "gpu", 22),
        Err(AcceptError::NoPending { .. })
    ));
    assert_eq!(known.verify("GPU", 22, &shown(KEY), &[]), Verdict::Known);
}

#[test]
fn a_host_with_another_key_has_changed_whatever_its_type() {
    if !has_program("ssh-keygen") {
        return;
    }
    let place = Place::new();
    let known = place.own();
    let rsa = place.key("rsa", &["rsa", "-b", "2048"]);
    ask_and_accept(&known, "gpu", 22, KEY);
    let Verdict::Changed(changed) = known.verify("gpu", 22, &shown(OTHER), &[]) else {
        panic!("it has changed");
    };
    assert_eq!(changed.reason, HostKeyReason::Changed);
    assert_eq!(changed.expected_public_key.as_deref(), Some(KEY));
    assert_eq!(
        changed.expected_fingerprint_sha256.as_deref(),
        Some("SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA")
    );
    // As the real client: who cannot show the key that we know must not get away with another type.
    assert!(matches!(
        known.verify("gpu", 22, &shown(&rsa), &[]),
        Verdict::Changed(_)
    ));
    assert_eq!(known.preferred_key_types("gpu", 22, &[]), ["ssh-ed25519"]);
    // Accepting the second type keeps the first.
    ask_and_accept(&known, "gpu", 22, &rsa);
    assert_eq!(known.verify("gpu", 22, &shown(&rsa), &[]), Verdict::Known);
    assert_eq!(known.verify("gpu", 22, &shown(KEY), &[]), Verdict::Known);
    assert_eq!(
        known.preferred_key_types("gpu", 22, &[]),
        ["ssh-ed25519", "ssh-rsa"]
    );
    // Accepting a changed key replaces the one of its type.
    ask_and_accept(&known, "gpu", 22, OTHER);
    assert!(matches!(
        known.verify("gpu", 22, &shown(KEY), &[]),
        Verdict::Changed(_)
    ));
}

#[test]
fn the_key_of_port_22_is_good_for_other_ports_and_not_the_other_way() {
    let place = Place::new();
    let known = place.own();
    ask_and_accept(&known, "gpu", 22, KEY);
    assert_eq!(known.verify("gpu", 2222, &shown(KEY), &[]), Verdict::Known);
    assert!(matches!(
        known.verify("gpu", 2222, &shown(OTHER), &[]),
        Verdict::Unknown(_)
    ));
    ask_and_accept(&known, "cpu", 2222, KEY);
    let asked = question(known.verify("cpu", 22, &shown(KEY), &[]));
    assert_eq!(asked.reason, HostKeyReason::Unknown);
    assert_eq!(asked.known_hosts_host, "cpu");
    assert_eq!(
        question(known.verify("cpu", 2223, &shown(OTHER), &[])).known_hosts_host,
        "[cpu]:2223"
    );
}

#[test]
fn the_users_files_are_believed_and_never_written() {
    let place = Place::new();
    let known = place.own();
    let theirs = place.write("theirs", &[format!("gpu,10.0.0.1 {KEY} comment")]);
    let others = [place.path("absent"), theirs.clone()];
    assert_eq!(
        known.verify("gpu", 22, &shown(KEY), &others),
        Verdict::Known
    );
    assert_eq!(
        known.verify("10.0.0.1", 22, &shown(KEY), &others),
        Verdict::Known
    );
    let changed = question(known.verify("gpu", 22, &shown(OTHER), &others));
    assert_eq!(changed.reason, HostKeyReason::Changed);
    let before = std::fs::read(&theirs).unwrap();
    known.remember_question(&changed);
    known
        .accept(
            "gpu",
            22,
            &changed.key_type,
            &changed.public_key,
            &changed.fingerprint_sha256,
        )
        .unwrap();
    assert_eq!(
        known.verify("gpu", 22, &shown(OTHER), &others),
        Verdict::Known
    );
    assert_eq!(std::fs::read(&theirs).unwrap(), before);
}

#[test]
fn a_revoked_key_is_refused_although_it_is_known() {
    let place = Place::new();
    let known = place.own();
    ask_and_accept(&known, "gpu", 22, KEY);
    let theirs = place.write("theirs", &[format!("@revoked g* {KEY}")]);
    let others = [theirs.clone()];
    assert_eq!(
        known.verify("gpu", 22, &shown(KEY), &others),
        Verdict::Revoked(theirs.clone())
    );
    assert_eq!(
        known.verify("gpu", 2222, &shown(KEY), &others),
        Verdict::Revoked(theirs)
    );
    assert!(matches!(
        known.verify("cpu", 22, &shown(KEY), &others),
        Verdict::Unknown(_)
    ));
}

#[test]
fn pictures_and_fingerprints_are_those_of_ssh_keygen() {
    if !has_program("ssh-keygen") {
        return;
    }
    let place = Place::new();
    for (number, kind) in [
        &["ed25519"][..],
        &["rsa", "-b", "2048"],
        &["rsa", "-b", "3072"],
        &["rsa", "-b", "1032"],
        &["ecdsa", "-b", "256"],
        &["ecdsa", "-b", "384"],
        &["ecdsa", "-b", "521"],
        &["ed25519"],
        &["ed25519"],
    ]
    .iter()
    .enumerate()
    {
        let name = format!("key{number}");
        let key = place.key(&name, kind);
        let asked = question(place.own().verify("h", 22, &shown(&key), &[]));
        let output = printed(program("ssh-keygen").arg("-lvf").arg(place.path(&name)));
        let (line, picture) = output.split_once('\n').unwrap();
        assert_eq!(asked.randomart, picture.trim_end(), "{kind:?}");
        assert_eq!(
            line.split(' ').nth(1),
            Some(asked.fingerprint_sha256.as_str())
        );
        assert_eq!(asked.public_key, key);
    }
}

#[test]
fn hashed_names_and_patterns_mean_what_ssh_keygen_says() {
    if !has_program("ssh-keygen") {
        return;
    }
    let place = Place::new();
    let names = [
        "gpu",
        "GPU",
        "gpu.lab",
        "bad.lab",
        "[gpu]:2222",
        "[x.lab]:7",
        "10.0.0.1",
        "::1",
        "[::1]:22",
        "nobody",
    ];
    let plain = place.write(
        "plain",
        &[
            "# a comment".to_owned(),
            format!("gpu,10.0.0.1,::1 {KEY}"),
            format!("*.lab,!bad.lab {KEY}"),
            format!("[gpu]:2222,[*.lab]:7 {KEY}"),
        ],
    );
    let hashed = place.write(
        "hashed",
        &[
            format!("gpu {KEY}"),
            format!("[gpu]:2222,::1 {KEY} c"),
            format!("10.0.0.1 {KEY}"),
        ],
    );
    run(program("ssh-keygen").arg("-H").arg("-f").arg(&hashed));
    let text = std::fs::read_to_string(&hashed).unwrap();
    assert_eq!(text.matches("|1|").count(), 4, "{text}");
    for file in [plain, hashed] {
        for name in names {
            let real = program("ssh-keygen")
                .args(["-F", name, "-f"])
                .arg(&file)
                .output()
                .unwrap();
            let (host, port) = match name
                .strip_prefix('[')
                .and_then(|rest| rest.split_once("]:"))
            {
                Some((host, port)) => (host, port.parse().unwrap()),
                None => (name, 22),
            };
            // `ssh-keygen -F` asks with the letters as given; clients ask in lower case.
            if name == "GPU" || port == 22 && name.starts_with('[') {
                continue;
            }
            // What only the name without its port means is no answer here.
            let others = [file.clone()];
            let is_known = place.own().verify(host, port, &shown(KEY), &others) == Verdict::Known;
            let by_plain_name =
                port != 22 && place.own().verify(host, 22, &shown(KEY), &others) == Verdict::Known;
            assert_eq!(
                is_known,
                real.status.success() || by_plain_name,
                "{name} in {}",
                file.display()
            );
        }
    }
}

#[test]
fn ssh_keygen_finds_what_was_accepted() {
    if !has_program("ssh-keygen") {
        return;
    }
    let place = Place::new();
    ask_and_accept(&place.own(), "gpu.lab", 2222, KEY);
    let found = printed(
        program("ssh-keygen")
            .args(["-F", "[gpu.lab]:2222", "-f"])
            .arg(place.path("state/known_hosts")),
    );
    assert!(found.contains(KEY), "{found}");
}

#[test]
fn certificates_count_when_a_known_authority_made_them_for_this_host_and_now() {
    if !has_program("ssh-keygen") {
        return;
    }
    let place = Place::new();
    let authority = place.key("ca", &["ed25519"]);
    place.key("ca2", &["ed25519"]);
    let rsa_authority = place.key("rsa-ca", &["rsa", "-b", "2048"]);
    let host_key = place.key("host", &["ecdsa"]);
    let known = place.own();
    let theirs = place.write(
        "theirs",
        &[
            format!("@cert-authority *.lab {authority}"),
            format!("@cert-authority *.lab {rsa_authority}"),
        ],
    );
    let others = [theirs];
    let verdict = |authority: &str, host: &str, port: u16, arguments: &[&str]| {
        known.verify(
            host,
            port,
            &place.certificate(authority, "host", arguments),
            &others,
        )
    };
    let good = ["-h", "-n", "gpu.lab,*.cpu.lab"];
    assert_eq!(verdict("ca", "gpu.lab", 22, &good), Verdict::Known);
    assert_eq!(verdict("ca", "GPU.lab", 2222, &good), Verdict::Known);
    assert_eq!(verdict("ca", "a.cpu.lab", 22, &good), Verdict::Known);
    assert_eq!(verdict("rsa-ca", "gpu.lab", 22, &good), Verdict::Known);
    for (authority, host, arguments) in [
        ("ca", "other.lab", &good[..]),
        ("ca2", "gpu.lab", &good),
        ("ca", "gpu.lab", &["-n", "gpu.lab"]),
        (
            "ca",
            "gpu.lab",
            &["-h", "-n", "gpu.lab", "-V", "20000101:20000102"],
        ),
        (
            "ca",
            "gpu.lab",
            &["-h", "-n", "gpu.lab", "-V", "20990101:20990102"],
        ),
        ("ca", "gpu.home", &["-h", "-n", "gpu.home"]),
        (
            "rsa-ca",
            "gpu.lab",
            &["-h", "-n", "gpu.lab", "-t", "ssh-rsa"],
        ),
    ] {
        let asked = question(verdict(authority, host, 22, arguments));
        assert_eq!(
            asked.reason,
            HostKeyReason::Unknown,
            "{authority} {host} {arguments:?}"
        );
        // The question is about the key, which can be accepted without its certificate.
        assert_eq!(asked.public_key, host_key);
    }
    assert!(known.has_authority("gpu.lab", 2222, &others));
    assert!(!known.has_authority("gpu.home", 22, &others));
    ask_and_accept(&known, "other.lab", 22, &host_key);
    assert_eq!(verdict("ca", "other.lab", 22, &good), Verdict::Known);
}

#[test]
fn a_certificate_with_a_changed_byte_or_a_revoked_authority_is_not_believed() {
    if !has_program("ssh-keygen") {
        return;
    }
    let place = Place::new();
    let authority = place.key("ca", &["ed25519"]);
    place.key("host", &["ed25519"]);
    let known = place.own();
    let certificate = place.certificate("ca", "host", &["-h", "-n", "gpu"]);
    let theirs = place.write("theirs", &[format!("@cert-authority * {authority}")]);
    let others = [theirs.clone()];
    assert_eq!(
        known.verify("gpu", 22, &certificate, &others),
        Verdict::Known
    );
    let mut bytes = certificate.certificate().unwrap().to_bytes().unwrap();
    let at = bytes.windows(5).position(|part| part == b"an-id").unwrap();
    bytes[at] = b'b';
    let forged = PublicKeyOrCertificate::Certificate(Certificate::from_bytes(&bytes).unwrap());
    assert!(matches!(
        known.verify("gpu", 22, &forged, &others),
        Verdict::Unknown(_)
    ));
    let revoking = place.write("revoking", &[format!("@revoked * {authority}")]);
    let others = [theirs, revoking.clone()];
    assert_eq!(
        known.verify("gpu", 22, &certificate, &others),
        Verdict::Revoked(revoking)
    );
}

#[test]
fn lines_that_are_not_meant_stay_byte_for_byte() {
    let place = Place::new();
    let known = place.own();
    let path = place.path("state/known_hosts");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let before = [
        b"# mine\r\n\n  \t\n\xff\xfe no text\n" as &[u8],
        format!("  gpu,alias\t {KEY}  a comment\r\n").as_bytes(),
        format!("@cert-authority gpu {KEY}\n@revoked gpu {KEY}\n*.lab {KEY}\n").as_bytes(),
        b"no end of line",
    ]
    .concat();
    std::fs::write(&path, &before).unwrap();
    assert!(!known.remove("absent", 22, "ssh-ed25519").unwrap());
    assert!(!known.remove("gpu", 22, "ssh-rsa").unwrap());
    assert!(!known.remove("x.lab", 22, "ssh-ed25519").unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert!(known.remove("GPU", 22, "ssh-ed25519").unwrap());
    let after = std::fs::read(&path).unwrap();
    let expected = String::from_utf8_lossy(&before).replace("  gpu,alias\t", "  alias\t");
    assert_eq!(String::from_utf8_lossy(&after), expected);
    ask_and_accept(&known, "new", 22, KEY);
    let after = std::fs::read_to_string(&path).unwrap_err();
    assert_eq!(after.kind(), std::io::ErrorKind::InvalidData);
    let after = std::fs::read(&path).unwrap();
    let added = format!("no end of line\nnew {KEY}\n");
    assert!(after.ends_with(added.as_bytes()));
}

#[test]
fn a_hashed_name_is_listed_as_it_stands_and_can_be_removed_by_either_name() {
    if !has_program("ssh-keygen") {
        return;
    }
    let place = Place::new();
    let known = place.own();
    let file = place.write(
        "state/known_hosts",
        &[format!("gpu {KEY}"), format!("cpu {KEY}")],
    );
    run(program("ssh-keygen").arg("-H").arg("-f").arg(&file));
    let listed = known.list();
    assert_eq!(listed.len(), 2);
    assert!(listed[0].host.starts_with("|1|") && listed[0].port == 22);
    assert!(known.remove(&listed[0].host, 22, "ssh-ed25519").unwrap());
    assert!(known.remove("cpu", 22, "ssh-ed25519").unwrap());
    assert!(known.list().is_empty());
}

#[cfg(unix)]
#[test]
fn our_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    ask_and_accept(&place.own(), "gpu", 22, KEY);
    let mode = std::fs::metadata(place.path("state/known_hosts"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for number in 0..16 {
            // Two values on one file are like two processes.
            let known = place.own();
            scope.spawn(move || {
                for port in 1..5 {
                    ask_and_accept(&known, &format!("host{number}"), port, KEY);
                }
            });
        }
    });
    assert_eq!(place.own().list().len(), 64);
}

#[test]
fn another_file_is_imported_once() {
    let place = Place::new();
    let known = place.own();
    ask_and_accept(&known, "gpu", 22, KEY);
    let theirs = place.write(
        "theirs",
        &[
            format!("gpu {KEY}"),
            format!("cpu {OTHER}"),
            "rubbish".to_owned(),
        ],
    );
    known.import_once(&theirs);
    assert_eq!(known.list().len(), 2);
    assert!(known.remove("cpu", 22, "ssh-ed25519").unwrap());
    known.import_once(&theirs);
    assert_eq!(known.list().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_file_makes_the_reader_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        hosts in "[-a-z|*?!,\\[\\]:=/+0-9]{0,40}",
        marker in "@?[a-z-]{0,15} ?",
        host in "\\PC{0,20}",
    ) {
        let place = Place::new();
        let known = place.own();
        let theirs = place.path("theirs");
        let line = format!("\n{marker}{hosts} {KEY}\n|1|{hosts} {KEY}\n");
        std::fs::write(&theirs, [bytes, line.into_bytes()].concat()).unwrap();
        let others = [theirs.clone()];
        known.verify(&host, 22, &shown(KEY), &others);
        known.verify(&host, 2222, &shown(OTHER), &others);
        known.preferred_key_types(&host, 22, &others);
        known.import_once(&theirs);
        known.list();
        drop(known.remove(&host, 22, "ssh-ed25519"));
    }

    #[test]
    fn nothing_that_is_accepted_breaks_out_of_its_line(
        host in "\\PC{1,20}", key_type in "\\PC{1,20}", key in "\\PC{0,40}", fingerprint in "\\PC{1,60}",
    ) {
        let place = Place::new();
        prop_assert!(place.own().accept(&host, 22, &key_type, &key, &fingerprint).is_err());
        prop_assert!(!place.path("state/known_hosts").exists());
    }
}
