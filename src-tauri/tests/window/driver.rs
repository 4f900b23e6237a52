//! A plain `WebDriver` client for the window of the real app.

use std::{fs, net::TcpListener, path::Path};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Duration, Instant, sleep},
};

use crate::{
    programs::{PATIENCE, Running, program, wait_until},
    screen::{STAY, Screen, app_under_test},
};

/// One session with one window.
pub(crate) struct Driver {
    client: Client,
    session: String,
    /// The app's process.
    app: u64,
    front: Running,
}

impl Driver {
    /// Starts the app under the driver and waits for its window.
    pub(crate) async fn start(screen: &Screen) -> Self {
        Self::start_with(screen, &[]).await
    }

    /// The same with arguments for the app.
    pub(crate) async fn start_with(screen: &Screen, arguments: &[&str]) -> Self {
        let [port, native_port] = [free_port(), free_port()].map(|port| port.to_string());
        let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/tauri-driver");
        let tool = if tool.exists() {
            tool
        } else {
            "tauri-driver".into()
        };
        let mut command = program(tool);
        command.args(["--port", &port, "--native-port", &native_port]);
        let mut front = Running::start(screen.surround(&mut command));
        answers(&native_port).await;
        answers(&port).await;
        let app = app_under_test().into_string().unwrap();
        let arguments = [&["--port", "0", STAY], arguments].concat();
        let options = json!({"application": app, "args": arguments});
        let wanted = json!({"capabilities": {"alwaysMatch": {"browserName": "wry", "tauri:options": options}}});
        // A new session waits for the window, which waits for a busy machine.
        let client = Client::builder().timeout(2 * PATIENCE).build().unwrap();
        let base = format!("http://127.0.0.1:{port}/session");
        let asked = client.post(&base).json(&wanted).send().await;
        let answer = asked.unwrap_or_else(|error| panic!("{error:?}:\n{}", front.said()));
        let answer = value_of("a new session", answer).await;
        let session = format!("{base}/{}", answer["sessionId"].as_str().unwrap());
        let port_file = fs::read(screen.state().join("port.json")).unwrap();
        let told: Value = serde_json::from_slice(&port_file).unwrap();
        let driver = Self {
            client,
            session,
            app: told["pid"].as_u64().unwrap(),
            front,
        };
        driver
            .post("timeouts", json!({"script": PATIENCE.as_millis()}))
            .await;
        let loaded = "return location.protocol === 'http:' && document.readyState === 'complete'";
        driver.wait_for("the page", loaded).await;
        driver
    }

    /// Runs a function body in the page and gives what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", json!({"script": script, "args": []}))
            .await
    }

    /// Goes to a path of our own server and waits until it is loaded.
    pub(crate) async fn go(&self, path: &str) {
        let origin = self.run("return location.origin").await;
        let url = format!("{}{path}", origin.as_str().unwrap());
        self.post("url", json!({ "url": url })).await;
    }

    /// Clicks an element as a person does; a window that a script alone asks for is never opened.
    pub(crate) async fn click(&self, selector: &str) {
        self.click_found("css selector", selector).await;
    }

    /// Waits for an element of this kind (an `XPath` step) that says these words and can be used, and clicks it.
    pub(crate) async fn click_text(&self, kind: &str, words: &str) {
        let path = format!("//{kind}[not(@disabled)][.//text()[normalize-space()='{words}']]");
        let is_there = format!(
            "return document.evaluate({}, document, null, XPathResult.BOOLEAN_TYPE, null).booleanValue",
            Value::from(path.as_str())
        );
        self.wait_for(words, &is_there).await;
        self.click_found("xpath", &path).await;
    }

    async fn click_found(&self, using: &str, value: &str) {
        let wanted = json!({"using": using, "value": value});
        let found = self.post("element", wanted).await;
        let id = found.as_object().unwrap().values().next().unwrap();
        self.post(
            &format!("element/{}/click", id.as_str().unwrap()),
            json!({}),
        )
        .await;
    }

    /// Waits until a function body in the page returns something true, and gives that. Asked from outside again and
    /// again, because a script that waits inside ends with an error when its page goes.
    pub(crate) async fn wait_for(&self, what: &str, script: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.run(script).await;
            if !matches!(found, Value::Null | Value::Bool(false)) {
                return found;
            }
            if Instant::now() > end {
                let text = self.run("return document.body.innerText").await;
                panic!(
                    "{what} never came; the page says:\n{}",
                    text.as_str().unwrap_or_default()
                );
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What a promise in the page comes to: `{"value"}` or `{"refused"}`.
    pub(crate) async fn settle(&self, promise: &str) -> Value {
        let script = format!(
            "const done = arguments[0];
             Promise.resolve().then(() => {promise}).then((value) => done({{value: value ?? null}}), (error) => done({{refused: String(error)}}));"
        );
        self.post("execute/async", json!({"script": script, "args": []}))
            .await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        call(
            path,
            self.client
                .post(format!("{}/{path}", self.session))
                .json(&body),
        )
        .await
    }

    /// Ends the session and with it the app; a start before that is over would hand over to the app that ends.
    pub(crate) async fn end(self) {
        call("the end", self.client.delete(&self.session)).await;
        // Killed, it is a zombie at once, but it holds its place on the bus until its last thread is gone.
        wait_until("the end of the app", || {
            let state = fs::read_to_string(format!("/proc/{}/stat", self.app)).unwrap_or_default();
            let threads = fs::read_dir(format!("/proc/{}/task", self.app));
            let is_over = threads.map_or(0, Iterator::count) <= 1 && !state.contains(") S ");
            is_over.then_some(())
        });
    }
}

impl Drop for Driver {
    /// Asked to end, `tauri-driver` ends the driver below it too; killed, it would leave that behind.
    fn drop(&mut self) {
        drop(program("kill").arg(self.front.id().to_string()).status());
        drop(self.front.child.wait());
    }
}

async fn call(what: &str, request: reqwest::RequestBuilder) -> Value {
    value_of(what, request.send().await.unwrap()).await
}

async fn value_of(what: &str, answer: reqwest::Response) -> Value {
    let body: Value = answer.json().await.unwrap();
    let value = body["value"].clone();
    assert!(value.get("error").is_none(), "{what}: {value}");
    value
}

/// Waits until somebody listens there; a program that says nothing gives no other sign.
async fn answers(port: &str) {
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect(format!("127.0.0.1:{port}"))
        .await
        .is_err()
    {
        assert!(Instant::now() < end, "nobody listens on {port}");
        sleep(Duration::from_millis(20)).await;
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
