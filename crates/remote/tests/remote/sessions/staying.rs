//! A session stays what it is while viewers die and links break.

use std::time::Duration;

use runicorn_remote::{RemoteError, SessionStatus, Times};

use crate::support::app::{
    App, bundled, eventually, far_processes, nothing_left, packed_viewer, short_lease, times,
    viewers,
};
use crate::support::relay::Relay;
use crate::support::sshd::{Sshd, end};

/// Rounds of killing over there; enough to meet most moments.
const FAR_ROUNDS: usize = 50;
/// Apps that are killed. Each unpacks a viewer first.
const APPS: usize = 20;

#[tokio::test]
async fn a_viewer_that_was_killed_is_started_again_in_the_same_session() {
    let Some(viewer) = packed_viewer("a killed viewer") else {
        return;
    };
    let sshd = Sshd::start();
    let app = App::knowing(&[&sshd], &viewer);
    let before = app.start(bundled(&sshd)).await.unwrap();
    let id = &before.session_id;
    let connector = app.remote.connector(id).unwrap();
    end(before.remote_pid.unwrap());
    let after = app
        .wait_for(id, "started again", |info| {
            info.status == SessionStatus::Running && info.remote_pid != before.remote_pid
        })
        .await;
    assert_eq!((after.reconnects, after.error), (0, None));
    assert!(connector.is_ready());
    let health = app.health(id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_viewer_that_dies_again_and_again_is_a_trouble_until_a_person_asks() {
    let Some(viewer) = packed_viewer("a viewer that dies again") else {
        return;
    };
    let sshd = Sshd::start();
    let app = App::knowing(&[&sshd], &viewer);
    let mut info = app.start(bundled(&sshd)).await.unwrap();
    let id = info.session_id.clone();
    for _ in 0..3 {
        let dead = info.remote_pid;
        end(dead.unwrap());
        info = app
            .wait_for(&id, "started again", |info| {
                info.status == SessionStatus::Running && info.remote_pid != dead
            })
            .await;
    }
    end(info.remote_pid.unwrap());
    let troubled = app
        .wait_for(&id, "in trouble", |info| {
            info.error.is_some() && info.status == SessionStatus::Degraded
        })
        .await;
    assert_eq!(troubled.error.unwrap().0, "VIEWER_FAILED");
    let closed = app.remote.connector(&id).unwrap().connect().await;
    assert!(matches!(closed.err(), Some(RemoteError::LinkLost(_))));
    app.remote.reconnect_session(&id).await.unwrap();
    app.wait_for_running(&id).await;
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_cut_link_is_made_again_and_the_same_viewer_goes_on() {
    let Some(viewer) = packed_viewer("a cut link") else {
        return;
    };
    let sshd = Sshd::start();
    let relay = Relay::to_port(sshd.port()).await;
    let app = App::knowing(&[&sshd], &viewer);
    let mut request = bundled(&sshd);
    request.target = app.behind(&relay, &sshd);
    let before = app.start(request).await.unwrap();
    let id = &before.session_id;
    let connector = app.remote.connector(id).unwrap();

    relay.cut();
    app.wait_for(id, "reconnecting", |info| {
        info.status == SessionStatus::Reconnecting
    })
    .await;
    assert!(!connector.is_ready());
    // Who asks meanwhile waits, and gets a stream.
    let waiting = tokio::spawn({
        let connector = connector.clone();
        async move { connector.connect().await.map(drop) }
    });
    relay.heal();
    app.remote.wake();
    let after = app.wait_for_running(id).await;
    assert_eq!(after.remote_pid, before.remote_pid);
    assert!(after.reconnects >= 1);
    waiting.await.unwrap().unwrap();
    let health = app.health(id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_silent_link_is_degraded_then_cut_then_made_again() {
    let Some(viewer) = packed_viewer("a silent link") else {
        return;
    };
    let sshd = Sshd::start();
    let relay = Relay::to_port(sshd.port()).await;
    let impatient = Times {
        degraded: Duration::from_millis(500),
        cut: Duration::from_secs(3),
        ..times()
    };
    let app = App::with(&[&sshd], impatient, vec![viewer]);
    let mut request = bundled(&sshd);
    request.target = app.behind(&relay, &sshd);
    let before = app.start(request).await.unwrap();
    let id = &before.session_id;
    relay.stall();
    app.wait_for(id, "degraded", |info| {
        info.status == SessionStatus::Degraded
    })
    .await;
    app.wait_for(id, "reconnecting", |info| {
        info.status == SessionStatus::Reconnecting
    })
    .await;
    relay.heal();
    let after = app.wait_for_running(id).await;
    assert_eq!(after.remote_pid, before.remote_pid);
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_slow_link_works() {
    let Some(viewer) = packed_viewer("a slow link") else {
        return;
    };
    let sshd = Sshd::start();
    let relay = Relay::to_port(sshd.port()).await;
    relay.delay(Duration::from_millis(250));
    let app = App::knowing(&[&sshd], &viewer);
    let mut request = bundled(&sshd);
    request.target = app.behind(&relay, &sshd);
    let info = app.start(request).await.unwrap();
    let measured = app
        .wait_for(&info.session_id, "measured", |info| {
            info.latency_millis.is_some()
        })
        .await;
    assert!(measured.latency_millis.unwrap() >= 500.0, "{measured:?}");
    let health = app.health(&info.session_id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_server_that_was_rebooted_gets_a_new_viewer_for_the_same_session() {
    let Some(viewer) = packed_viewer("a rebooted server") else {
        return;
    };
    let mut sshd = Sshd::start();
    let app = App::knowing(&[&sshd], &viewer);
    let before = app.start(bundled(&sshd)).await.unwrap();
    let id = &before.session_id;
    sshd.stop();
    app.wait_for(id, "reconnecting", |info| {
        info.status == SessionStatus::Reconnecting
    })
    .await;
    sshd.start_again();
    let after = app
        .wait_for(id, "back", |info| {
            info.status == SessionStatus::Running && info.remote_pid != before.remote_pid
        })
        .await;
    assert_eq!(after.session_id, before.session_id);
    let health = app.health(id).await;
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_server_that_lets_us_in_no_more_waits_for_a_person() {
    let Some(viewer) = packed_viewer("a server that refuses") else {
        return;
    };
    let sshd = Sshd::start();
    let app = App::knowing(&[&sshd], &viewer);
    let info = app.start(bundled(&sshd)).await.unwrap();
    let id = &info.session_id;
    let keys = std::fs::read(sshd.authorized_keys()).unwrap();
    std::fs::write(sshd.authorized_keys(), "").unwrap();
    sshd.end_sessions();
    let refused = app
        .wait_for(id, "disconnected", |info| {
            info.status == SessionStatus::Disconnected
        })
        .await;
    assert_eq!(refused.error.unwrap().0, "AUTHENTICATION_FAILED");
    let closed = app.remote.connector(id).unwrap().connect().await;
    assert!(closed.is_err());
    std::fs::write(sshd.authorized_keys(), keys).unwrap();
    // A person connects again; the session notices by itself.
    app.remote
        .connections()
        .connect(sshd.target(), sshd.credentials())
        .await
        .unwrap();
    let back = app.wait_for_running(id).await;
    assert_eq!(back.session_id, info.session_id);
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn a_lease_that_ran_out_during_a_long_cut_costs_the_viewer_and_not_the_session() {
    let Some(viewer) = packed_viewer("a long cut") else {
        return;
    };
    let sshd = Sshd::start();
    let relay = Relay::to_port(sshd.port()).await;
    let app = App::with(&[&sshd], short_lease(), vec![viewer]);
    let mut request = bundled(&sshd);
    request.target = app.behind(&relay, &sshd);
    let before = app.start(request).await.unwrap();
    relay.cut();
    nothing_left(&sshd).await;
    relay.heal();
    let after = app
        .wait_for(&before.session_id, "back", |info| {
            info.status == SessionStatus::Running && info.remote_pid != before.remote_pid
        })
        .await;
    assert!(after.reconnects >= 1);
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn whatever_is_killed_on_the_far_side_the_session_comes_back_and_nothing_stays() {
    let Some(viewer) = packed_viewer("killing on the far side") else {
        return;
    };
    let sshd = Sshd::start();
    let patient = Times {
        restarts: usize::MAX,
        ..times()
    };
    let app = App::with(&[&sshd], patient, vec![viewer]);
    let info = app.start(bundled(&sshd)).await.unwrap();
    let id = &info.session_id;
    for round in 0..FAR_ROUNDS {
        let victims = far_processes(&sshd);
        // Another process each time: viewer, keeper, guard, its sleep, the shell of the line; now and then all of them.
        let chosen: Vec<u32> = match round % 6 {
            5 => victims.iter().map(|(pid, _)| *pid).collect(),
            index => victims
                .get(index % victims.len().max(1))
                .map(|(pid, _)| *pid)
                .into_iter()
                .collect(),
        };
        chosen.iter().copied().for_each(end);
        eventually("dead", || {
            let mut left = far_processes(&sshd);
            left.retain(|(pid, _)| chosen.contains(pid));
            if left.is_empty() { Ok(()) } else { Err(left) }
        })
        .await;
        eventually("healed", || {
            let now = app.remote.session(id).unwrap();
            let alive = viewers(&sshd);
            let is_whole = now.status == SessionStatus::Running
                && alive == [now.remote_pid.unwrap()]
                && far_processes(&sshd).len() >= 4;
            if is_whole {
                Ok(())
            } else {
                Err((round, now.status, alive))
            }
        })
        .await;
        let health = app.health(id).await;
        assert!(
            health.starts_with("HTTP/1.1 200"),
            "round {round}: {health}"
        );
    }
    app.remote.shutdown().await;
    nothing_left(&sshd).await;
}

#[tokio::test]
async fn however_often_an_app_is_killed_nothing_stays_there() {
    let Some(viewer) = packed_viewer("killing apps") else {
        return;
    };
    let sshd = Sshd::start();
    for round in 0..APPS {
        let app = App::with(&[&sshd], short_lease(), vec![viewer.clone()]);
        if round % 2 == 0 {
            app.start(bundled(&sshd)).await.unwrap();
        } else {
            // At some moment of a start.
            let moment = Duration::from_millis(40 * round as u64);
            drop(tokio::time::timeout(moment, app.start(bundled(&sshd))).await);
        }
        drop(app);
    }
    nothing_left(&sshd).await;
}
