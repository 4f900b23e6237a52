//! The scripts through every shell of this machine that may stand behind `/bin/sh`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::reading::{asked, environments};
use super::{CONFIG, PROBE, is_too_old, list};
use crate::info::EnvironmentKind;
use crate::script::ScriptOutput;
use crate::script::tests::{login_command, posix_shells, shell, through};

fn write_program(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn every_posix_shell_finds_the_same_environments() {
    let home = tempfile::tempdir().unwrap();
    let at = |rest: &str| home.path().join(rest);
    write_program(&at("conda 3/envs/a b/bin/python"), "#!/bin/sh\nexit 1\n");
    write_program(
        &at("envs/it's $(x)/bin/python"),
        "#!/bin/sh\nexec sleep 1000\n",
    );
    fs::write(
        at("envs/it's $(x)/pyvenv.cfg"),
        "uv = 0.1\nversion_info = 3.9.2\n",
    )
    .unwrap();
    let conda = format!(
        "#!/bin/sh\nprintf '# x\\n\\nbase   %s\\n* %s\\n' '{0}/conda 3' '{0}/conda 3/envs/a b'\n",
        home.path().display()
    );
    write_program(&at("conda 3/bin/conda"), &conda);
    let setup = format!(
        "__conda_setup=\"$('{}/conda 3/bin/conda' 'shell.bash' 'hook' 2> /dev/null)\"\n",
        home.path().display()
    );
    fs::write(at(".bashrc"), setup).unwrap();
    for sh in posix_shells() {
        let mut login = shell("/bin/bash");
        login
            .env_clear()
            .env("HOME", home.path())
            .env("PATH", "/usr/bin:/bin");
        let output = through(login, &login_command(&sh), &list()).unwrap();
        let found = environments(&output.stdout_bytes);
        let shown: Vec<_> = found
            .iter()
            .filter(|one| one.kind != EnvironmentKind::System)
            .map(|one| {
                (
                    one.name.as_str(),
                    one.kind,
                    one.python_version.as_str(),
                    one.is_default,
                )
            })
            .collect();
        let conda = at("conda 3/envs/a b").display().to_string();
        let expected = [
            (conda.as_str(), EnvironmentKind::Conda, "Unknown", true),
            ("it's $(x)", EnvironmentKind::Uv, "Python 3.9.2", false),
        ];
        assert_eq!(shown, expected, "{sh}: {output:?}");
    }
}

#[test]
fn start_files_tell_where_conda_is() {
    let home = tempfile::tempdir().unwrap();
    let at = |rest: &str| home.path().join(rest);
    for place in ["a a", "b", "c", "d", "e", "f", "g", "no"] {
        write_program(
            &at(&format!("{place}/envs/of {place}/bin/python")),
            "#!/bin/sh\nexit 1\n",
        );
    }
    let root = home.path().display();
    let files = [
        (
            ".bashrc",
            format!(
                "# '{root}/no/bin/conda'\nif x; then\n  __conda_setup=\"$('{root}/a a/bin/conda' 'shell.bash' 'hook')\"\nfi\n"
            ),
        ),
        (
            ".zshrc",
            format!(
                "if [ -f \"$HOME/b/etc/profile.d/conda.sh\" ]; then . \"$HOME/b/etc/profile.d/conda.sh\"; fi\nexport PATH=\"{root}/c/condabin:$PATH\"\n"
            ),
        ),
        (
            ".config/fish/config.fish",
            "eval ~/d/bin/conda \"shell.fish\" \"hook\" $argv | source\n".to_owned(),
        ),
        (
            ".tcshrc",
            format!("source {root}/e/etc/profile.d/conda.csh\n"),
        ),
        (
            ".profile",
            "export MAMBA_ROOT_PREFIX=${HOME}/f;\nexport X=`touch pwned`\n".to_owned(),
        ),
        (".cshrc", format!("setenv MAMBA_ROOT_PREFIX '{root}/g'")),
    ];
    for (name, text) in files {
        fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        fs::write(at(name), text).unwrap();
    }
    let mut login = shell("/bin/sh");
    login
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin");
    let output = through(login, &login_command("/bin/sh"), &list()).unwrap();
    let found = environments(&output.stdout_bytes);
    let mut names: Vec<_> = found
        .iter()
        .filter_map(|one| one.name.strip_prefix("of "))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["a a", "b", "c", "d", "e", "f", "g"]);
}

#[test]
fn without_any_python_the_home_and_the_default_root_are_told() {
    let output = shell("/bin/sh")
        .env_clear()
        .env("HOME", "/no/such/home")
        .env("PATH", "/nowhere")
        .args(["-c", CONFIG, "sh", PROBE, "5", ""])
        .output()
        .unwrap();
    let output = ScriptOutput {
        stdout_bytes: output.stdout,
        ..ScriptOutput::default()
    };
    let asked = asked(&output).unwrap();
    assert_eq!(
        (asked.python.as_deref(), asked.home.as_str()),
        (None, "/no/such/home")
    );
    assert!(asked.says.is_none());
    assert_eq!(asked.storage_root(), ("/no/such/home/runicorn_data", false));
}

#[test]
fn a_runicorn_before_0_6_is_too_old_for_a_viewer_behind_a_tunnel() {
    for version in ["0.5.3", "0.5", "0", "0.4.99rc1"] {
        assert!(is_too_old(version), "{version}");
    }
    for version in [
        "0.6.0",
        "0.6",
        "0.7.2",
        "0.10.0",
        "1",
        "0.6.0rc1",
        "unknown",
        "0.6.0+local",
    ] {
        assert!(!is_too_old(version), "{version}");
    }
}
