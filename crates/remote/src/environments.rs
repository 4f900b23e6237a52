//! Stands in until the real one is merged.

use crate::connection::Connection;
use crate::error::RemoteResult;
use crate::info::{Environment, EnvironmentKind};
use crate::script::Script;

pub(crate) async fn python_of(
    connection: &Connection,
    environment: Option<&str>,
) -> RemoteResult<Environment> {
    let python = match environment {
        Some(path) if path.starts_with('/') => format!("{path}/bin/python"),
        _ => "python3".to_owned(),
    };
    let text = "\"$1\" -c 'import importlib.metadata as m; print(m.version(\"runicorn\"))'";
    let out = Script::new("finding Python", text)
        .arg(&python)
        .run(connection)
        .await?;
    Ok(Environment {
        name: environment.unwrap_or("system").to_owned(),
        kind: EnvironmentKind::System,
        python_version: "Python 3".to_owned(),
        python,
        is_default: true,
        runicorn_version: Some(out.stdout.trim().to_owned()).filter(|text| !text.is_empty()),
    })
}
