//! Writes a placeholder page when the UI was not built, so that the server can always embed one.

use std::path::Path;

const PLACEHOLDER: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Runicorn Desktop</title></head>
<body><h1>The page was not built</h1>
<p>Build it with <code>cargo xtask run</code>, or <code>npm ci &amp;&amp; npm run build</code> in <code>ui/</code>, then build the server again.
The API is here all the same: see <a href="/docs">/docs</a>.</p></body></html>
"#;

fn main() -> std::io::Result<()> {
    let dist = Path::new("../../ui/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let index = dist.join("index.html");
    if !index.exists() {
        std::fs::create_dir_all(dist)?;
        std::fs::write(index, PLACEHOLDER)?;
    }
    Ok(())
}
