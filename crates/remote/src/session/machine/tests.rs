//! Decisions of a session, one at a time.

use super::*;

struct Bench {
    machine: Machine,
    start: Instant,
}

impl Bench {
    /// A session that works.
    fn running() -> Self {
        let start = Instant::now();
        let mut bench = Self {
            machine: Machine::new(Times::default(), start),
            start,
        };
        assert_eq!(bench.status(), SessionStatus::Connecting);
        assert_eq!(bench.at(0.0, Event::Launched), Act::Beat);
        assert_eq!(bench.status(), SessionStatus::Running);
        bench
    }

    fn at(&mut self, secs: f64, event: Event<'_>) -> Act {
        let now = self.start + Duration::from_secs_f64(secs);
        self.machine.on(event, now)
    }

    fn status(&self) -> SessionStatus {
        self.machine.status(Phase::Starting).0
    }

    fn wait_of(&self, secs: f64, act: Act) -> f64 {
        match act {
            Act::Wait(until) => (until - self.start).as_secs_f64() - secs,
            other => panic!("{other:?} is no wait"),
        }
    }
}

fn refused() -> RemoteError {
    RemoteError::Authentication {
        host: "h".to_owned(),
        username: "u".to_owned(),
        tried: Vec::new(),
        offered: Vec::new(),
    }
}

fn unreachable() -> RemoteError {
    RemoteError::Refused {
        host: "h".to_owned(),
        port: 22,
        detail: "connection refused".to_owned(),
    }
}

#[test]
fn five_silent_seconds_are_degraded_and_an_answer_heals() {
    let mut bench = Bench::running();
    assert_eq!(bench.at(4.0, Event::Beat), Act::Beat);
    assert_eq!(bench.status(), SessionStatus::Running);
    let until = bench.machine.slow_at().unwrap() - bench.start;
    assert_eq!(until, Duration::from_secs(5));
    assert_eq!(bench.at(5.0, Event::Silent), Act::Nothing);
    assert_eq!(bench.status(), SessionStatus::Degraded);
    assert_eq!(bench.at(6.0, Event::Beat), Act::Beat);
    assert_eq!(bench.status(), SessionStatus::Degraded);
    assert_eq!(bench.at(6.5, Event::Answer(Far::Up)), Act::Nothing);
    assert_eq!(bench.status(), SessionStatus::Running);
}

#[test]
fn fifteen_silent_seconds_cut_the_link() {
    let mut bench = Bench::running();
    assert_eq!(bench.at(14.0, Event::Beat), Act::Beat);
    assert_eq!(bench.at(15.0, Event::Beat), Act::CutAndLink);
    assert_eq!(bench.status(), SessionStatus::Reconnecting);
}

#[test]
fn the_back_off_grows_to_fifteen_seconds_and_has_no_end() {
    let mut bench = Bench::running();
    assert_eq!(bench.at(1.0, Event::LinkEnded), Act::Link);
    let mut waits = Vec::new();
    for _ in 0..40 {
        let act = bench.at(1.0, Event::LinkFailed(&unreachable()));
        waits.push(bench.wait_of(1.0, act));
        assert_eq!(bench.at(1.0, Event::RetryDue), Act::Link);
    }
    let expected = [0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0];
    for (wait, expected) in waits.iter().zip(expected) {
        assert!((wait - expected).abs() < 1e-6, "{waits:?}");
    }
    assert!(waits[39] > 14.99);
    assert_eq!(bench.status(), SessionStatus::Reconnecting);
    assert_eq!(bench.machine.error().unwrap().0, "CONNECTION_REFUSED");
}

#[test]
fn a_link_that_is_back_takes_the_session_up_and_forgets_the_failures() {
    let mut bench = Bench::running();
    bench.at(1.0, Event::LinkEnded);
    bench.at(1.0, Event::LinkFailed(&unreachable()));
    bench.at(2.0, Event::RetryDue);
    assert_eq!(bench.at(2.0, Event::Linked), Act::Attach);
    assert_eq!(bench.at(2.0, Event::Attached(Far::Up)), Act::Beat);
    assert_eq!(bench.status(), SessionStatus::Running);
    assert_eq!(bench.machine.reconnects(), 1);
    assert!(bench.machine.error().is_none());
    bench.at(3.0, Event::LinkEnded);
    let act = bench.at(3.0, Event::LinkFailed(&unreachable()));
    assert!((bench.wait_of(3.0, act) - 0.2).abs() < 1e-6);
}

#[test]
fn waking_up_tries_at_once_and_asks_a_living_link_to_prove_itself() {
    let mut bench = Bench::running();
    assert_eq!(bench.at(10.0, Event::Answer(Far::Up)), Act::Nothing);
    assert_eq!(bench.at(11.0, Event::Woken), Act::Beat);
    assert_eq!(bench.at(15.0, Event::Beat), Act::Beat);
    assert_eq!(bench.at(16.1, Event::Beat), Act::CutAndLink);
    bench.at(17.0, Event::LinkFailed(&unreachable()));
    assert_eq!(bench.at(17.1, Event::Woken), Act::Link);
}

#[test]
fn a_refusal_waits_for_a_person_and_a_person_is_heard() {
    let mut bench = Bench::running();
    bench.at(1.0, Event::LinkEnded);
    assert_eq!(bench.at(1.0, Event::LinkFailed(&refused())), Act::Nothing);
    assert_eq!(bench.status(), SessionStatus::Disconnected);
    assert!(bench.machine.is_hopeless());
    for event in [Event::RetryDue, Event::Woken, Event::Beat] {
        assert_eq!(bench.at(2.0, event), Act::Nothing);
    }
    assert_eq!(bench.at(3.0, Event::Reconnect), Act::Link);
    bench.at(3.0, Event::LinkFailed(&refused()));
    assert_eq!(bench.at(4.0, Event::LinkBack), Act::Attach);
}

#[test]
fn a_refusal_at_a_jump_host_is_a_refusal() {
    let mut bench = Bench::running();
    bench.at(1.0, Event::LinkEnded);
    let jump = RemoteError::Jump {
        hop: "j".to_owned(),
        source: Box::new(refused()),
    };
    bench.at(1.0, Event::LinkFailed(&jump));
    assert_eq!(bench.status(), SessionStatus::Disconnected);
}

#[test]
fn a_dead_viewer_is_started_three_times_in_ten_minutes_and_then_is_a_trouble() {
    let mut bench = Bench::running();
    for round in 0..3 {
        let secs = f64::from(round) * 60.0;
        let down = Event::Answer(Far::Down("9".to_owned()));
        assert_eq!(bench.at(secs, down), Act::Launch);
        assert_eq!(bench.status(), SessionStatus::Reconnecting);
        assert_eq!(bench.at(secs, Event::Launched), Act::Beat);
    }
    let down = Event::Answer(Far::Down("9".to_owned()));
    assert_eq!(bench.at(200.0, down), Act::Nothing);
    assert_eq!(bench.status(), SessionStatus::Degraded);
    let (code, sentence) = bench.machine.error().unwrap();
    assert_eq!(code, "VIEWER_FAILED");
    assert!(sentence.ends_with("status 9"), "{sentence}");
    assert_eq!(bench.at(201.0, Event::Reconnect), Act::Link);
    bench.at(201.0, Event::Linked);
    let down = Event::Attached(Far::Down(String::new()));
    assert_eq!(bench.at(201.0, down), Act::Launch);
}

#[test]
fn deaths_that_are_long_ago_do_not_count() {
    let mut bench = Bench::running();
    for round in 0..10 {
        let secs = f64::from(round) * 300.0;
        let down = Event::Answer(Far::Down("9".to_owned()));
        assert_eq!(bench.at(secs, down), Act::Launch, "round {round}");
        bench.at(secs, Event::Launched);
    }
}

#[test]
fn a_viewer_that_left_with_its_lease_is_started_without_a_count() {
    let mut bench = Bench::running();
    for _ in 0..10 {
        bench.at(1.0, Event::LinkEnded);
        bench.at(1.0, Event::Linked);
        assert_eq!(bench.at(1.0, Event::Attached(Far::Gone)), Act::Launch);
        bench.at(1.0, Event::Launched);
    }
    assert_eq!(bench.status(), SessionStatus::Running);
}

#[test]
fn a_restart_that_fails_with_the_link_waits_for_the_link() {
    let mut bench = Bench::running();
    bench.at(1.0, Event::Answer(Far::Down("1".to_owned())));
    let lost = RemoteError::LinkLost("h".to_owned());
    let act = bench.at(1.0, Event::LaunchFailed(&lost));
    assert!((bench.wait_of(1.0, act) - 0.2).abs() < 1e-6);
    assert_eq!(bench.status(), SessionStatus::Reconnecting);
}

#[test]
fn a_first_start_that_fails_is_the_end() {
    let start = Instant::now();
    let mut machine = Machine::new(Times::default(), start);
    let lost = RemoteError::LinkLost("h".to_owned());
    let failed = Event::LaunchFailed(&lost);
    assert_eq!(machine.on(failed, start), Act::GiveUp);
    assert_eq!(machine.status(Phase::Starting).0, SessionStatus::Stopped);
    assert_eq!(machine.on(Event::Reconnect, start), Act::Nothing);
}

#[test]
fn what_comes_late_changes_nothing() {
    let mut bench = Bench::running();
    bench.at(1.0, Event::LinkEnded);
    for event in [
        Event::Answer(Far::Down(String::new())),
        Event::Beat,
        Event::LinkEnded,
        Event::LineEnded,
        Event::Launched,
        Event::Attached(Far::Up),
    ] {
        assert_eq!(bench.at(1.0, event), Act::Nothing);
    }
    assert_eq!(bench.status(), SessionStatus::Reconnecting);
}

#[test]
fn the_lease_is_counted_in_whole_ticks() {
    let times = Times::default();
    assert_eq!(times.ticks(), (3, 15));
    let short = Times {
        lease: Duration::from_secs(4),
        ..times
    };
    assert_eq!(short.ticks(), (1, 4));
}
