//! Python environments of a real far side: real virtual environments, a stand-in for conda that replays what was recorded.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use runicorn_remote::environments::{config_of, detect, python_of};
use runicorn_remote::{Environment, EnvironmentKind, RemoteError};

use crate::far_side::{FarSide, recorded, write, write_program};
use crate::support::sshd::{SshdOptions, output, program, run};

/// Debian's, which the user of the far side may run.
const PYTHON: &str = "/usr/bin/python3";
const ODD: &str = "it's $(touch pwned) `touch pwned` \"x\" é\n*";

fn venv(folder: &Path) {
    run(program(PYTHON)
        .args(["-m", "venv", "--without-pip"])
        .arg(folder));
}

/// What pip leaves behind, as far as it matters here. Its configuration names `root`, and importing it leaves a trace.
fn install(folder: &Path, version: &str, root: Option<&Path>) {
    let lib = fs::read_dir(folder.join("lib")).unwrap().next().unwrap();
    let site = lib.unwrap().path().join("site-packages");
    write(
        site.join(format!("runicorn-{version}.dist-info/METADATA")),
        "",
    );
    let imported = folder.join("imported");
    let text = format!(
        "print('noise')\nopen({:?}, 'w')\n",
        imported.display().to_string()
    );
    write(site.join("runicorn/__init__.py"), &text);
    let root = root.map_or("None".to_owned(), |root| {
        format!("{:?}", root.display().to_string())
    });
    let text = format!("def get_user_root_dir():\n    return {root}\n");
    write(site.join("runicorn/config.py"), &text);
}

fn python_version() -> String {
    output(program(PYTHON).arg("--version"))
}

fn named<'a>(found: &'a [Environment], name: &str) -> &'a Environment {
    let one = found.iter().find(|one| one.name == name);
    one.unwrap_or_else(|| panic!("no {name:?} in {found:#?}"))
}

/// The home of the recording: conda in `miniconda3` with three environments, `python3` in `rbin`.
fn recorded_home(home: &Path) {
    for place in ["miniconda3", "miniconda3/envs/dl", "miniconda3/envs/bare"] {
        venv(&home.join(place));
    }
    install(&home.join("miniconda3/envs/dl"), "0.7.2", None);
    fs::create_dir_all(home.join("rbin")).unwrap();
    fs::create_dir_all(home.join("runicorn_data")).unwrap();
    symlink(PYTHON, home.join("rbin/python3")).unwrap();
    let conda = format!(
        "#!/bin/sh\necho \"$*\" >>'{0}/conda-calls'\n[ \"$*\" = 'info --envs' ] || exit 2\ncat <<'END'\n\
         # conda environments:\n#\n\
         base                  *  {0}/miniconda3\n\
         dl                       {0}/miniconda3/envs/dl\n\
         bare                     {0}/miniconda3/envs/bare\n\
         \x20                        /opt/unnamed/env\n\nEND\n",
        home.display()
    );
    write_program(home.join("miniconda3/bin/conda"), &conda);
}

/// A far side whose path begins with `rbin` of the home.
async fn recorded_far_side() -> FarSide {
    // The path is set by a start file because the home is known only when the server is.
    let options = SshdOptions {
        shell: Some("/bin/bash".into()),
        ..SshdOptions::default()
    };
    let fill = |home: &Path| {
        recorded_home(home);
        write(home.join(".bashrc"), "export PATH=\"$HOME/rbin:$PATH\"\n");
    };
    FarSide::with(&options, fill).await
}

#[tokio::test]
async fn the_recorded_far_side_has_the_recorded_environments() {
    if !crate::support::sshd::is_root_or_skip("a login shell of its own") {
        return;
    }
    let far = recorded_far_side().await;
    let found = detect(&far.connection).await.unwrap();
    for version in ["0.6.0", "0.7.2"] {
        let expected = recorded(version, "/api/remote/conda-envs", far.home());
        let expected = expected["envs"].as_array().unwrap();
        assert_eq!(expected.len(), found.len(), "{found:#?}");
        for (row, one) in expected.iter().zip(&found) {
            assert_eq!(row["name"], one.name.as_str());
            assert_eq!(row["type"], one.kind.word());
            assert_eq!(row["path"], one.python.as_str());
            assert_eq!(row["is_default"], one.is_default);
            assert_eq!(one.python_version, python_version());
        }
    }
    let expected = recorded("0.7.2", "/api/remote/env-configs", far.home());
    for one in &found {
        let expected = expected["configs"][&one.name]["runicornVersion"].as_str();
        assert_eq!(expected, one.runicorn_version.as_deref(), "{}", one.name);
    }
    let calls = fs::read_to_string(far.home().join("conda-calls")).unwrap();
    assert_eq!(
        calls, "info --envs\n",
        "conda is asked once and runs nothing"
    );
    assert!(!far.home().join("miniconda3/envs/dl/imported").exists());
}

#[tokio::test]
async fn the_recorded_configurations_come_out_the_same() {
    if !crate::support::sshd::is_root_or_skip("a login shell of its own") {
        return;
    }
    let far = recorded_far_side().await;
    for name in ["dl", "bare", "system"] {
        let request =
            format!("/api/remote/config?connection_id=mluser@127.0.0.1:2222&conda_env={name}");
        let expected = recorded("0.7.2", &request, far.home());
        let config = config_of(&far.connection, name).await.unwrap();
        assert_eq!(expected["condaEnv"], config.environment.as_str());
        assert_eq!(
            expected["runicornVersion"].as_str(),
            config.runicorn_version.as_deref()
        );
        assert_eq!(
            expected["defaultStorageRoot"],
            config.default_storage_root.as_str()
        );
        assert_eq!(expected["storageRootExists"], config.storage_root_exists);
        assert_eq!(expected["homeDirectory"], config.home_directory.as_str());
        assert_eq!(config.python_version, python_version());
        assert!(config.suggested_remote_port >= 1024);
    }
    let request = "/api/remote/config?connection_id=mluser@127.0.0.1:2222&conda_env=nope";
    let expected = recorded("0.7.2", request, far.home());
    let refused = config_of(&far.connection, "nope").await.unwrap_err();
    assert_eq!(expected["detail"], refused.to_string().as_str());
    let missing = python_of(&far.connection, Some("bare")).await.unwrap_err();
    let python = far.at("miniconda3/envs/bare/bin/python");
    let text = format!(
        "runicorn not installed on remote server.\nPlease install: {python} -m pip install runicorn"
    );
    assert_eq!(missing.to_string(), text);
    let found = python_of(&far.connection, Some("dl")).await.unwrap();
    assert_eq!(found.python, far.at("miniconda3/envs/dl/bin/python"));
    assert_eq!(found.runicorn_version.as_deref(), Some("0.7.2"));
}

#[tokio::test]
async fn every_kind_of_environment_is_found_with_its_versions() {
    let fill = |home: &Path| {
        venv(&home.join("venv"));
        venv(&home.join("project/.venv"));
        install(&home.join("project/.venv"), "0.6.0", None);
        venv(&home.join(".virtualenvs").join(ODD));
        install(&home.join(".virtualenvs").join(ODD), "0.7.2", None);
        venv(&home.join("outside/conda env"));
        write(home.join("outside/conda env/conda-meta/history"), "");
        let listed = format!(
            "{0}/outside/conda env\n{0}/gone\nrelative\n{0}/venv",
            home.display()
        );
        write(home.join(".conda/environments.txt"), &listed);
        for (place, version) in [
            (".pyenv/versions/3.9.1", "3.9.1"),
            (".local/share/uv/python/cpython-3.12.1-linux", "3.12.1"),
        ] {
            write_program(home.join(place).join("bin/python"), "#!/bin/sh\nexit 1\n");
            write(home.join(place).join("version"), version);
        }
        symlink(
            "cpython-3.12.1-linux",
            home.join(".local/share/uv/python/cpython-3.12-linux"),
        )
        .unwrap();
        write_program(
            home.join("micromamba/envs/broken/bin/python"),
            "#!/bin/sh\necho noise; exit 1\n",
        );
        write(
            home.join("micromamba/envs/broken/conda-meta/python-3.10.4-h1_0.json"),
            "{}",
        );
        let dist_info =
            "micromamba/envs/broken/lib/python3.10/site-packages/runicorn-0.5.3.dist-info/METADATA";
        write(home.join(dist_info), "");
        write(home.join("not one/bin/python"), "no program");
        let rc = "export MAMBA_ROOT_PREFIX='$HOME/my mamba';\nexport PATH=\"/nowhere/miniconda3/bin:$PATH\"\n";
        write(home.join(".zshrc"), rc);
        venv(&home.join("my mamba/envs/mm"));
    };
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let found = detect(&far.connection).await.unwrap();
    let is =
        |name: &str, kind: EnvironmentKind, prefix: &str, version: &str, runicorn: Option<&str>| {
            let one = named(&found, name);
            assert_eq!(one.kind, kind, "{name:?}");
            assert_eq!(one.python, far.at(&format!("{prefix}/bin/python")));
            assert_eq!(one.python_version, version, "{name:?}");
            assert_eq!(one.runicorn_version.as_deref(), runicorn, "{name:?}");
            assert!(!one.is_default, "{name:?}");
        };
    let real = python_version();
    is("venv", EnvironmentKind::Venv, "venv", &real, None);
    is(
        "project",
        EnvironmentKind::Venv,
        "project/.venv",
        &real,
        Some("0.6.0"),
    );
    is(
        ODD,
        EnvironmentKind::Venv,
        &format!(".virtualenvs/{ODD}"),
        &real,
        Some("0.7.2"),
    );
    let unnamed = far.at("outside/conda env");
    is(
        &unnamed,
        EnvironmentKind::Conda,
        "outside/conda env",
        &real,
        None,
    );
    is(
        "3.9.1",
        EnvironmentKind::Pyenv,
        ".pyenv/versions/3.9.1",
        "Unknown",
        None,
    );
    let uv = "cpython-3.12.1-linux";
    is(
        uv,
        EnvironmentKind::Uv,
        &format!(".local/share/uv/python/{uv}"),
        "Unknown",
        None,
    );
    is(
        "broken",
        EnvironmentKind::Conda,
        "micromamba/envs/broken",
        "Python 3.10.4",
        Some("0.5.3"),
    );
    is(
        "mm",
        EnvironmentKind::Conda,
        "my mamba/envs/mm",
        &real,
        None,
    );
    let last = found.last().unwrap();
    assert_eq!(
        (last.name.as_str(), last.python.as_str()),
        ("system", PYTHON)
    );
    assert!(last.is_default);
    assert_eq!(found.len(), 9, "{found:#?}");
    let config = config_of(&far.connection, ODD).await.unwrap();
    assert_eq!(config.runicorn_version.as_deref(), Some("0.7.2"));
    let python = python_of(&far.connection, Some(ODD)).await.unwrap();
    assert_eq!(python.name, ODD);
    let failed = config_of(&far.connection, "3.9.1").await.unwrap_err();
    assert_eq!(
        failed.to_string(),
        "Failed to run Python in environment: 3.9.1"
    );
    assert!(far.is_unharmed());
}

#[tokio::test]
async fn an_environment_of_uv_is_one() {
    let found = program("uv").arg("--version").output();
    if !found.is_ok_and(|output| output.status.success()) {
        println!("skipped, not installed: uv (pip install uv)");
        return;
    }
    let fill = |home: &Path| {
        let mut uv = program("uv");
        uv.args(["venv", "--offline", "--no-config", "--python", PYTHON]);
        run(uv.arg(home.join("project/.venv")));
    };
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let found = detect(&far.connection).await.unwrap();
    let one = named(&found, "project");
    assert_eq!(one.kind, EnvironmentKind::Uv);
    assert_eq!(one.python_version, python_version());
}

#[tokio::test]
async fn an_interpreter_that_hangs_or_chatters_delays_and_spoils_nothing() {
    let fill = |home: &Path| {
        write_program(home.join("venv/bin/python"), "#!/bin/sh\nexec sleep 1000\n");
        write(
            home.join("venv/pyvenv.cfg"),
            "home = /usr/bin\r\nversion_info = 3.8.10.final.0\r\n",
        );
        write_program(
            home.join("envs/loud/bin/python"),
            "#!/bin/sh\nexec yes noise\n",
        );
        write(home.join("envs/loud/pyvenv.cfg"), "version = 3.7\n");
        venv(&home.join("envs/good"));
        let lib = fs::read_dir(home.join("envs/good/lib"))
            .unwrap()
            .next()
            .unwrap();
        let chatter = "import sys; print('P\\0noise\\0E')\n";
        write(
            lib.unwrap().path().join("site-packages/chatter.pth"),
            chatter,
        );
    };
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let found = detect(&far.connection).await.unwrap();
    assert_eq!(named(&found, "venv").python_version, "Python 3.8.10");
    assert_eq!(named(&found, "loud").python_version, "Python 3.7");
    assert_eq!(named(&found, "good").python_version, python_version());
    let left = far.sshd.session_processes();
    let sleeps = left.iter().filter(|pid| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with(b"sleep\x001000") || line.starts_with(b"yes")
    });
    assert_eq!(sleeps.count(), 0);
}

#[tokio::test]
async fn the_storage_root_is_the_one_that_the_sdk_there_would_use() {
    let fill = |home: &Path| {
        venv(&home.join("venv"));
        install(&home.join("venv"), "0.7.2", Some(&home.join("chosen")));
        fs::create_dir(home.join("chosen")).unwrap();
    };
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let config = config_of(&far.connection, "venv").await.unwrap();
    assert_eq!(config.default_storage_root, far.at("chosen"));
    assert!(config.storage_root_exists);
    let by_path = config_of(&far.connection, &far.at("venv/bin/python"))
        .await
        .unwrap();
    assert_eq!(by_path.runicorn_version.as_deref(), Some("0.7.2"));
    let system = config_of(&far.connection, "system").await.unwrap();
    assert_eq!(system.default_storage_root, far.at("runicorn_data"));
    assert!(!system.storage_root_exists);

    let options = SshdOptions::default().line("SetEnv RUNICORN_DIR=~/the$(touch${IFS}pwned)one");
    let far = FarSide::with(&options, |home| {
        fs::create_dir(home.join("the$(touch${IFS}pwned)one")).unwrap();
    })
    .await;
    let config = config_of(&far.connection, "system").await.unwrap();
    assert_eq!(
        config.default_storage_root,
        far.at("the$(touch${IFS}pwned)one")
    );
    assert!(config.storage_root_exists);
    assert!(far.is_unharmed());
}

#[tokio::test]
async fn what_cannot_start_a_viewer_is_said_with_its_reason() {
    let fill = |home: &Path| {
        venv(&home.join("envs/old"));
        install(&home.join("envs/old"), "0.5.3", None);
        venv(&home.join("envs/new"));
    };
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let refused = python_of(&far.connection, Some("old")).await.unwrap_err();
    assert_eq!(refused.code(), "RUNICORN_TOO_OLD");
    let refused = python_of(&far.connection, Some("nope")).await.unwrap_err();
    assert_eq!(refused.code(), "ENVIRONMENT_NOT_FOUND");
    let refused = python_of(&far.connection, Some("/no/such/python"))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), "ENVIRONMENT_NOT_FOUND");
    let refused = python_of(&far.connection, None).await;
    assert!(matches!(&refused, Err(RemoteError::RunicornMissing { python }) if python == PYTHON));
    let refused = python_of(&far.connection, Some("new")).await.unwrap_err();
    assert_eq!(refused.code(), "RUNICORN_NOT_INSTALLED");
    // Installed meanwhile: names may be remembered, what is in them is not.
    install(&far.home().join("envs/new"), "0.7.2", None);
    let found = python_of(&far.connection, Some("new")).await.unwrap();
    assert_eq!(found.runicorn_version.as_deref(), Some("0.7.2"));
    // Made meanwhile.
    venv(&far.home().join("envs/later"));
    assert!(config_of(&far.connection, "later").await.is_ok());
    // Gone meanwhile.
    fs::remove_dir_all(far.home().join("envs/new")).unwrap();
    let refused = python_of(&far.connection, Some("new")).await.unwrap_err();
    assert_eq!(refused.code(), "ENVIRONMENT_NOT_FOUND");
}

#[tokio::test]
async fn a_checkout_without_metadata_tells_its_version_by_its_file() {
    let fill = |home: &Path| {
        venv(&home.join("venv"));
        let lib = fs::read_dir(home.join("venv/lib")).unwrap().next().unwrap();
        let source = home.join("source/src");
        write(
            lib.unwrap().path().join("site-packages/checkout.pth"),
            &source.display().to_string(),
        );
        write(
            source.join("runicorn/__init__.py"),
            "raise SystemExit('imported')\n",
        );
        write(home.join("source/VERSION.txt"), "0.8.0.dev1\n");
        // In the home, where commands begin: no package of any interpreter.
        fs::create_dir(home.join("runicorn")).unwrap();
    };
    let far = FarSide::with(&SshdOptions::default(), fill).await;
    let found = detect(&far.connection).await.unwrap();
    assert_eq!(
        named(&found, "venv").runicorn_version.as_deref(),
        Some("0.8.0.dev1")
    );
    assert_eq!(named(&found, "system").runicorn_version, None);
}
