//! How the app starts, ends, is killed and starts again.

use std::{
    fs,
    net::{TcpListener, TcpStream},
};

use serde_json::Value;

use crate::{
    programs::{Running, program},
    screen::{STAY, Screen},
    x_window::{CONTROL, XWindow},
};

/// X key symbols.
const KEY_Q: u32 = 0x71;

/// Waits until the app serves, and gives its port.
fn port_of(app: &mut Running) -> u16 {
    let ready: Value = serde_json::from_str(&app.line_with("\"ready\":true")).unwrap();
    u16::try_from(ready["port"].as_u64().unwrap()).unwrap()
}

/// Waits until the page is on the screen.
fn painted(app: &mut Running) {
    app.line_with("the frame has painted");
}

fn is_free(port: u16) -> bool {
    match TcpStream::connect(("127.0.0.1", port)) {
        Ok(_) => false,
        Err(error) => {
            println!("port {port}: {error}");
            true
        }
    }
}

#[test]
fn closing_the_window_ends_the_process_and_frees_the_port() {
    let screen = Screen::new();
    let mut app = screen.app(&["--port", "0", STAY]);
    let port = port_of(&mut app);
    painted(&mut app);
    assert!(!is_free(port));
    XWindow::titled(screen.display(), "Runicorn").close();
    assert!(app.ended_well());
    assert!(is_free(port));
    assert!(
        !screen.state().join("port.json").exists(),
        "the port file stays behind"
    );
}

#[test]
fn the_quit_key_ends_the_process() {
    let screen = Screen::new();
    let mut app = screen.app(&["--port", "0", STAY]);
    painted(&mut app);
    XWindow::titled(screen.display(), "Runicorn").type_key(&[CONTROL], KEY_Q);
    assert!(app.ended_well());
}

#[test]
fn a_terminate_signal_is_a_clean_end() {
    let screen = Screen::new();
    let mut app = screen.app(&["--port", "0", STAY]);
    let port = port_of(&mut app);
    painted(&mut app);
    assert!(
        program("kill")
            .arg(app.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    assert!(app.ended_well());
    assert!(is_free(port));
    assert!(
        !screen.state().join("port.json").exists(),
        "the port file stays behind"
    );
}

#[test]
fn a_second_start_ends_at_once_and_the_first_comes_to_the_front() {
    let screen = Screen::new();
    let mut first = screen.app(&["--port", "0", STAY]);
    let port = port_of(&mut first);
    painted(&mut first);
    let mut second = screen.app(&["--port", "0", STAY]);
    assert!(second.ended_well());
    assert!(
        !second.said().contains("\"ready\":true"),
        "the second start served too:\n{}",
        second.said()
    );
    first.line_with("brought to the front");
    assert!(
        !is_free(port),
        "the first start serves no more:\n{}",
        first.said()
    );
}

#[test]
fn killed_at_any_moment_the_app_starts_again_as_if_nothing_happened() {
    let screen = Screen::new();
    let moments = [
        "\"ready\":true",
        "first byte of the page",
        "the frame has painted",
    ];
    for moment in moments {
        let mut app = screen.app(&["--port", "0", STAY]);
        app.line_with(moment);
        app.child.kill().unwrap();
        assert!(!app.ended_well());
    }
    let mut app = screen.app(&["--port", "0", STAY]);
    let port = port_of(&mut app);
    painted(&mut app);
    let told: Value =
        serde_json::from_slice(&fs::read(screen.state().join("port.json")).unwrap()).unwrap();
    assert_eq!(told["port"], port);
    XWindow::titled(screen.display(), "Runicorn").close();
    assert!(app.ended_well());
}

#[test]
fn a_taken_port_moves_the_app_to_a_free_one() {
    let screen = Screen::new();
    // Either we hold the usual port now, or somebody else already does.
    let _holder = TcpListener::bind(("127.0.0.1", 23300));
    let mut app = screen.app(&[STAY]);
    let port = port_of(&mut app);
    assert_ne!(port, 23300);
    painted(&mut app);
}

#[test]
fn a_start_that_fails_says_why_in_a_window_of_its_own() {
    let screen = Screen::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut app = screen.app(&["--port", &port, STAY]);
    app.line_with(&format!("port {port} is taken"));
    // The only window that there is: no page was ever opened.
    XWindow::titled(screen.display(), "Runicorn").close();
    assert!(!app.ended_well());
    assert!(!app.said().contains("\"ready\":true"), "{}", app.said());
}

#[test]
fn the_window_opens_again_as_large_as_it_was_left() {
    let screen = Screen::new();
    let mut app = screen.app(&["--port", "0", STAY]);
    painted(&mut app);
    let window = XWindow::titled(screen.display(), "Runicorn");
    window.resize(1111, 777);
    window.close();
    assert!(app.ended_well());
    let mut app = screen.app(&["--port", "0", STAY]);
    painted(&mut app);
    assert_eq!(
        XWindow::titled(screen.display(), "Runicorn").size(),
        (1111, 777)
    );
}

#[test]
fn a_window_that_stays_blank_starts_again_once_drawing_safely_and_remembers_it() {
    let screen = Screen::new();
    let mut app = screen.app(&["--port", "0"]);
    // Renderers that hang, as a broken graphics driver makes them: the page's own, and one that WebKit keeps ready.
    app.line_with("first byte of the page");
    let renderers = children_called(app.id(), "WebKitWebProcess");
    signal("-STOP", &renderers);
    app.line_with("starting again without the graphics card");
    painted(&mut app);
    signal("-KILL", &renderers);
    assert_safe(&app, &screen);
    XWindow::titled(screen.display(), "Runicorn").close();
    assert!(app.ended_well());

    let mut app = screen.app(&["--port", "0"]);
    painted(&mut app);
    assert_safe(&app, &screen);
    assert!(!app.said().contains("stays blank"), "{}", app.said());
}

fn assert_safe(app: &Running, screen: &Screen) {
    let environment = fs::read(format!("/proc/{}/environ", app.id())).unwrap();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    assert!(environment.contains("WEBKIT_DISABLE_DMABUF_RENDERER=1"));
    let remembered: Value =
        serde_json::from_slice(&fs::read(screen.state().join("desktop.json")).unwrap()).unwrap();
    assert_eq!(remembered["safe_rendering"], true);
}

/// The ids of the children with this name.
fn children_called(parent: u32, name: &str) -> Vec<String> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
    let is_called = |id: &&str| {
        fs::read_to_string(format!("/proc/{id}/comm"))
            .is_ok_and(|comm| name.starts_with(comm.trim()))
    };
    let called: Vec<String> = children
        .split_whitespace()
        .filter(is_called)
        .map(str::to_owned)
        .collect();
    assert!(!called.is_empty(), "no {name} below {parent}: {children}");
    called
}

fn signal(name: &str, processes: &[String]) {
    let sent = program("kill").arg(name).args(processes).status().unwrap();
    assert!(sent.success());
}
