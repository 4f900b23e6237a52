//! What the installers are made from. CI makes none, since that takes a release build; `cargo xtask dist` does.

use serde_json::Value;

use super::{expect_none, read, root};

fn config() -> Value {
    serde_json::from_str(&read(&root().join("tauri.conf.json"))).unwrap()
}

fn words(list: &Value) -> Vec<String> {
    let words = list.as_array().into_iter().flatten();
    words
        .map(|word| word.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_kind_of_installer_is_configured() {
    let config = config();
    assert_eq!(
        words(&config["bundle"]["targets"]),
        ["deb", "rpm", "appimage", "msi", "dmg"]
    );
    let manifest = read(&root().join("Cargo.toml"));
    let binary = config["mainBinaryName"].as_str().unwrap();
    assert!(manifest.contains(&format!("[[bin]]\nname = \"{binary}\"")));
    // Without a publisher the packages say that they are made by a part of the identifier.
    assert!(config["bundle"]["publisher"].is_string());
}

#[test]
fn the_files_of_the_installers_are_there() {
    let config = config();
    let bundle = &config["bundle"];
    let mut wanted = words(&bundle["icon"]);
    wanted.extend(bundle["licenseFile"].as_str().map(str::to_owned));
    for kind in ["deb", "rpm"] {
        let files = bundle["linux"][kind]["files"].as_object().unwrap();
        assert!(!files.is_empty(), "{kind} has no licence in it");
        wanted.extend(files.values().map(|file| file.as_str().unwrap().to_owned()));
    }
    wanted.retain(|file| !root().join(file).is_file());
    expect_none("files of the installers that are not there", &wanted);
}

#[test]
fn the_packages_name_the_webview() {
    let linux = config()["bundle"]["linux"].clone();
    assert!(words(&linux["rpm"]["depends"]).contains(&"webkit2gtk4.1".to_owned()));
    // The bundler itself names WebKitGTK and GTK in a deb; named here, they would stand there twice.
    assert!(linux["deb"].get("depends").is_none());
}
