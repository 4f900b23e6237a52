//! Our own viewer: sent once, reached, ended without a trace.

use std::fs;
use std::time::Duration;

use runicorn_remote::{
    Ended, Phase, RemoteEvent, SessionStatus, StartViewer, Transport, ViewerBuild, ViewerKind,
    ViewerWish,
};

use crate::support::app::{
    App, bundled, eventually, far_processes, nothing_left, packed_viewer, short_lease, times,
    viewers,
};
use crate::support::sshd::{Sshd, SshdOptions};

#[tokio::test]
async fn our_viewer_is_sent_once_reached_and_ended_without_a_trace() {
    let Some(viewer) = packed_viewer("the bundled viewer") else {
        return;
    };
    let sshd = Sshd::start();
    let app = App::knowing(&[&sshd], &viewer);
    let packed_bytes = fs::metadata(&viewer.path).unwrap().len();
    let first = app.start(bundled(&sshd)).await.unwrap();
    assert_eq!(first.status, SessionStatus::Running);
    assert_eq!(first.phase, Phase::Running);
    assert_eq!(first.viewer, ViewerKind::Bundled);
    assert_eq!((first.transport, first.remote_port), (Transport::Socket, 0));
    assert_eq!(first.installed_bytes, packed_bytes);
    assert_eq!(viewers(&sshd), [first.remote_pid.unwrap()]);
    assert!(first.remote_version.is_some());
    assert_eq!(first.session_id.len(), 8);

    let health = app.health(&first.session_id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    let seen = app
        .wait_for(&first.session_id, "measured", |info| {
            info.latency_millis.is_some()
        })
        .await;
    assert_eq!(seen.received_bytes, health.len() as u64);
    assert!(seen.sent_bytes > 0);

    let report = app.remote.stop_session(&first.session_id).await.unwrap();
    assert_eq!(report.viewer_pid, first.remote_pid);
    assert_eq!(report.ended, Ended::Asked);
    // The shells of the last questions may take an instant longer than their answers.
    nothing_left(&sshd).await;
    assert!(app.remote.sessions().is_empty());

    let second = app.start(bundled(&sshd)).await.unwrap();
    assert_eq!(second.installed_bytes, 0);
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn two_apps_and_two_sessions_at_once_do_not_meet() {
    let Some(viewer) = packed_viewer("two apps") else {
        return;
    };
    let sshd = Sshd::start();
    let apps = [
        App::knowing(&[&sshd], &viewer),
        App::knowing(&[&sshd], &viewer),
    ];
    let starts = apps.iter().flat_map(|app| {
        ["one", "two"].map(|name| {
            let mut request = bundled(&sshd);
            request.remote_root = format!("{}/{name}", request.remote_root);
            app.start(request)
        })
    });
    let sessions: Vec<_> = futures_util::future::join_all(starts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(viewers(&sshd).len(), 4);
    let [_, second, third, fourth] = &sessions[..] else {
        panic!("{sessions:?}");
    };
    apps[0]
        .remote
        .stop_session(&sessions[0].session_id)
        .await
        .unwrap();
    for (app, session) in [(&apps[0], second), (&apps[1], third), (&apps[1], fourth)] {
        let health = app.health(&session.session_id).await;
        assert!(health.starts_with("HTTP/1.1 200"), "{health}");
        assert!(viewers(&sshd).contains(&session.remote_pid.unwrap()));
    }
    // Nobody may touch what is another's.
    assert!(
        apps[1]
            .remote
            .stop_session(&second.session_id)
            .await
            .is_err()
    );
    for app in &apps {
        app.remote.shutdown().await;
    }
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_start_that_nobody_waits_for_any_more_leaves_nothing() {
    let Some(viewer) = packed_viewer("a dropped start") else {
        return;
    };
    let sshd = Sshd::start();
    let app = App::knowing(&[&sshd], &viewer);
    for stage in [
        Phase::Checking,
        Phase::Installing,
        Phase::Starting,
        Phase::Forwarding,
    ] {
        let mut events = app.remote.events();
        // Boxed, so that it is gone when it is dropped.
        let mut starting = Box::pin(app.start(bundled(&sshd)));
        loop {
            tokio::select! {
                done = &mut starting => {
                    // It was faster than we looked.
                    let info = done.unwrap();
                    app.remote.stop_session(&info.session_id).await.unwrap();
                    break;
                }
                event = events.recv() => {
                    let is_session = matches!(event, Ok(RemoteEvent::Session { .. }));
                    if is_session && app.remote.sessions().first().is_some_and(|info| info.phase == stage) {
                        break;
                    }
                }
            }
        }
        drop(starting);
        eventually("forgotten", || {
            let sessions = app.remote.sessions();
            if sessions.is_empty() {
                Ok(())
            } else {
                Err(sessions)
            }
        })
        .await;
        nothing_left(&sshd).await;
    }
}

#[tokio::test]
async fn an_app_that_dies_leaves_an_empty_far_side_when_its_lease_is_over() {
    let Some(viewer) = packed_viewer("an app that dies") else {
        return;
    };
    let sshd = Sshd::start();
    let app = App::with(&[&sshd], short_lease(), vec![viewer]);
    let info = app.start(bundled(&sshd)).await.unwrap();
    let connector = app.remote.connector(&info.session_id).unwrap();
    drop(app);
    assert_eq!(viewers(&sshd).len(), 1, "it lives as long as its lease");
    eventually("closed", || {
        if connector.is_ready() {
            Err("a way through")
        } else {
            Ok(())
        }
    })
    .await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn what_a_crashed_app_left_unguarded_is_swept_by_the_next_start() {
    let Some(viewer) = packed_viewer("sweeping") else {
        return;
    };
    let sshd = Sshd::start();
    let app = App::knowing(&[&sshd], &viewer);
    app.start(bundled(&sshd)).await.unwrap();
    let keepers: Vec<u32> = far_processes(&sshd)
        .into_iter()
        .filter(|(_, line)| line.contains("runicorn-desktop-keeper") || line.starts_with("sleep"))
        .map(|(pid, _)| pid)
        .collect();
    drop(app);
    for pid in keepers {
        crate::support::sshd::end(pid);
    }
    let orphan = viewers(&sshd);
    assert_eq!(orphan.len(), 1, "nobody is left to end it");
    let next = App::knowing(&[&sshd], &viewer);
    let info = next.start(bundled(&sshd)).await.unwrap();
    eventually("swept", || {
        let left = viewers(&sshd);
        if left == [info.remote_pid.unwrap()] {
            Ok(())
        } else {
            Err(left)
        }
    })
    .await;
    next.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_viewer_that_cannot_start_says_why_and_leaves_nothing() {
    let sshd = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("viewer");
    let text = "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\nprintf 'no \\033[31mroot\\033[0m here\\n' >&2\nexit 5\n";
    fs::write(&program, text).unwrap();
    let build = ViewerBuild {
        platform: format!("{}-linux", std::env::consts::ARCH),
        path: program,
        is_gzip: false,
    };
    let app = App::with(&[&sshd], times(), vec![build]);
    let failed = app.start(bundled(&sshd)).await.unwrap_err();
    assert_eq!(failed.code(), "VIEWER_FAILED");
    let said = failed.to_string();
    assert!(
        said.contains("status 5") && said.ends_with("no root here"),
        "{said}"
    );
    assert!(app.remote.sessions().is_empty());
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_program_that_does_not_run_there_is_never_trusted() {
    let sshd = Sshd::start();
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("viewer");
    fs::write(&program, "#!/nowhere/loader\n").unwrap();
    let build = ViewerBuild {
        platform: format!("{}-linux", std::env::consts::ARCH),
        path: program,
        is_gzip: false,
    };
    let app = App::with(&[&sshd], times(), vec![build]);
    let failed = app.start(bundled(&sshd)).await.unwrap_err();
    assert_eq!(failed.code(), "PLATFORM_UNSUPPORTED", "{failed}");
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn without_a_viewer_for_the_platform_the_wish_decides() {
    let sshd = Sshd::start();
    let other = ViewerBuild {
        platform: "sparc-sunos".to_owned(),
        path: "/nowhere".into(),
        is_gzip: true,
    };
    let app = App::with(&[&sshd], times(), vec![other]);
    let failed = app.start(bundled(&sshd)).await.unwrap_err();
    assert_eq!(failed.code(), "PLATFORM_UNSUPPORTED");
    let auto = StartViewer {
        viewer: ViewerWish::Auto,
        ..bundled(&sshd)
    };
    let failed = app.start(auto).await.unwrap_err();
    let is_about_python = ["RUNICORN_NOT_INSTALLED", "PYTHON_NOT_FOUND"].contains(&failed.code());
    assert!(is_about_python, "{} {failed}", failed.code());
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn names_with_control_characters_never_reach_a_shell() {
    let sshd = Sshd::start();
    let app = App::with(&[&sshd], times(), Vec::new());
    for (root, environment) in [("/a\nb", None), ("/a", Some("x\ny")), ("/a\u{1b}[0m", None)] {
        let request = StartViewer {
            remote_root: root.to_owned(),
            environment: environment.map(str::to_owned),
            ..bundled(&sshd)
        };
        let refused = app.start(request).await.unwrap_err();
        assert_eq!(refused.code(), "INVALID_INPUT");
    }
}

#[tokio::test]
async fn a_noisy_login_shell_and_a_hostile_root_change_nothing() {
    let Some(viewer) = packed_viewer("a noisy login shell") else {
        return;
    };
    let sshd = Sshd::with(&SshdOptions {
        shell: Some("/bin/bash".into()),
        ..SshdOptions::default()
    });
    fs::write(
        sshd.home().join(".bashrc"),
        "echo welcome; echo warning >&2; printf '\\033[2J'; read -t 0.01 x\n",
    )
    .unwrap();
    let app = App::knowing(&[&sshd], &viewer);
    let mut request = bundled(&sshd);
    request.remote_root += "/$(touch pwned)`touch pwned`';touch pwned;'\"";
    let info = app.start(request).await.unwrap();
    let health = app.health(&info.session_id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
    assert!(!sshd.home().join("pwned").exists());
}

#[tokio::test]
async fn a_far_side_that_never_stops_talking_is_an_error_in_time() {
    let sshd = Sshd::with(&SshdOptions {
        shell: Some("/usr/bin/yes".into()),
        ..SshdOptions::default()
    });
    let app = App::with(&[&sshd], times(), Vec::new());
    let started = tokio::time::timeout(Duration::from_mins(2), app.start(bundled(&sshd))).await;
    assert!(started.unwrap().is_err());
    assert!(app.remote.sessions().is_empty());
}

#[tokio::test]
async fn the_log_of_a_viewer_comes_clean() {
    let Some(viewer) = packed_viewer("a viewer's log") else {
        return;
    };
    let sshd = Sshd::start();
    let app = App::knowing(&[&sshd], &viewer);
    let info = app.start(bundled(&sshd)).await.unwrap();
    let folder = sshd
        .home()
        .join(".cache/runicorn-desktop/sessions")
        .join(&info.session_id);
    let mut log = fs::read(folder.join("log")).unwrap();
    log.extend_from_slice(b"one\n\x1b[31mtwo\x07\x1b[0m\n\xff\n");
    fs::write(folder.join("log"), log).unwrap();
    let text = app.remote.viewer_log(&info.session_id, 2).await.unwrap();
    assert_eq!(text, "two\n\u{fffd}");
    let missing = app.remote.viewer_log("00000000", 2).await.unwrap_err();
    assert_eq!(missing.code(), "SESSION_NOT_FOUND");
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}
