//! System packages: apt on Debian and Ubuntu, exact commands to type everywhere else.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::programs::{capture, find, program, run, succeeds};

/// One reason to need packages, and what they are called on each system.
pub(crate) struct Need {
    /// Why, for people.
    what: &'static str,
    /// Debian and Ubuntu packages. `a|b` is met by either; the first is installed.
    apt: &'static [&'static str],
    /// Whether a system without apt has it.
    is_met: fn() -> bool,
    /// What to type, by system.
    by_hand: ByHand,
}

struct ByHand {
    fedora: &'static str,
    arch: &'static str,
    macos: &'static str,
    windows: &'static str,
}

/// A C compiler, and Python to make environments with.
pub(crate) const BUILD: Need = Need {
    what: "building",
    apt: &["build-essential|gcc", "pkg-config|pkgconf", "python3-venv"],
    is_met: || super::python::interpreter().is_some() && (cfg!(windows) || find("cc").is_some()),
    by_hand: ByHand {
        fedora: "sudo dnf install gcc pkgconf-pkg-config python3",
        arch: "sudo pacman -S --needed base-devel python",
        macos: "xcode-select --install && brew install python",
        windows: "winget install Microsoft.VisualStudio.2022.BuildTools Python.Python.3.12",
    },
};

/// The webview of the desktop window.
pub(crate) const WEBVIEW: Need = Need {
    what: "the desktop window",
    apt: &["libwebkit2gtk-4.1-dev"],
    is_met: || {
        !cfg!(target_os = "linux")
            || succeeds(program("pkg-config").args(["--exists", "webkit2gtk-4.1"]))
    },
    by_hand: ByHand {
        fedora: "sudo dnf install webkit2gtk4.1-devel",
        arch: "sudo pacman -S --needed webkit2gtk-4.1",
        macos: "",
        windows: "winget install Microsoft.EdgeWebView2Runtime",
    },
};

/// Browsers, their drivers, a display without a screen, and the fonts of the screenshots.
pub(crate) const BROWSERS: Need = Need {
    what: "the browser and window tests",
    apt: &[
        "xvfb",
        "webkit2gtk-driver",
        "chromium|chromium-browser|google-chrome-stable",
        "dbus-x11",
        "fonts-dejavu-core",
        "fonts-noto-cjk",
    ],
    is_met: || {
        !cfg!(target_os = "linux")
            || ["Xvfb", "WebKitWebDriver", "dbus-run-session"]
                .iter()
                .all(|name| find(name).is_some())
    },
    by_hand: ByHand {
        fedora: "sudo dnf install xorg-x11-server-Xvfb webkit2gtk-driver chromium dbus-daemon dejavu-sans-fonts google-noto-sans-cjk-fonts",
        arch: "sudo pacman -S --needed xorg-server-xvfb webkit2gtk-4.1 chromium dbus ttf-dejavu noto-fonts-cjk",
        macos: "brew install --cask chromium",
        windows: "winget install Hibbiki.Chromium",
    },
};

/// An SSH server and client, login shells of all kinds, and a keyring without a desktop.
pub(crate) const OTHER_MACHINES: Need = Need {
    what: "the tests of other machines",
    apt: &[
        "openssh-server",
        "openssh-client",
        "netcat-openbsd",
        "gnome-keyring",
        "dbus",
        "zsh",
        "fish",
        "tcsh",
    ],
    is_met: || {
        !cfg!(target_os = "linux")
            || (find("ssh").is_some()
                && Path::new("/usr/sbin/sshd").exists()
                && find("gnome-keyring-daemon").is_some())
    },
    by_hand: ByHand {
        fedora: "sudo dnf install openssh-server openssh-clients gnome-keyring dbus-daemon zsh fish tcsh",
        arch: "sudo pacman -S --needed openssh gnome-keyring dbus zsh fish tcsh",
        macos: "brew install openssh fish",
        windows: "",
    },
};

/// Installs what is missing, or fails with the commands that would.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    if find("apt-get").is_some() && find("dpkg-query").is_some() {
        return ensure_by_apt(needs);
    }
    let missing: Vec<&Need> = needs.iter().filter(|need| !(need.is_met)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = missing
        .iter()
        .map(|need| format!("    {}    # {}", need.command(), need.what))
        .collect();
    bail!(
        "something is missing on this system; install it with\n\n{}\n",
        lines.join("\n")
    );
}

fn ensure_by_apt(needs: &[Need]) -> Result<()> {
    let wanted = needs.iter().flat_map(|need| need.apt);
    let missing: Vec<&str> = wanted
        .filter(|names| !names.split('|').any(is_installed))
        .filter_map(|names| names.split('|').next())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!(
        "sudo apt-get install -y --no-install-recommends {}",
        missing.join(" ")
    );
    if !may_install() {
        bail!(
            "system packages are missing, and neither root nor sudo is at hand to install them:\n\n    {by_hand}\n"
        );
    }
    let reasons = needs
        .iter()
        .map(|need| need.what)
        .collect::<Vec<_>>()
        .join(", ");
    println!("installing {} (for {reasons})", missing.join(" "));
    run(apt().arg("update"))?;
    run(apt()
        .args(["install", "-y", "--no-install-recommends"])
        .args(&missing))
}

fn is_installed(package: &str) -> bool {
    capture(program("dpkg-query").args(["-W", "-f=${Status}", package]))
        .is_ok_and(|status| status.ends_with("ok installed"))
}

fn is_root() -> bool {
    capture(program("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0")
}

fn may_install() -> bool {
    is_root() || find("sudo").is_some()
}

fn apt() -> Command {
    let mut command = if is_root() {
        program("env")
    } else {
        program("sudo")
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    command
}

impl Need {
    fn command(&self) -> &'static str {
        if cfg!(windows) {
            return self.by_hand.windows;
        }
        if cfg!(target_os = "macos") {
            return self.by_hand.macos;
        }
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        if release.contains("arch") {
            self.by_hand.arch
        } else {
            self.by_hand.fedora
        }
    }
}
