/** The Settings page in English. */

export const settingsEn = {
  sections: {
    storage: "Storage folder",
    look: "Look and language",
    notifications: "Notifications",
    shortcuts: "Keyboard",
    about: "About and diagnostics",
  },
  sectionsLabel: "Parts of the settings",
  storage: {
    shown: "Shown now",
    recent: "Recent folders",
    none: "No other folder was shown yet.",
    show: "Show {path}",
    choose: "Choose another folder…",
    shared: "The Python SDK reads the same setting: what is chosen here is where new runs are recorded.",
    source: {
      files: "Runs are read from their files.",
      database: "Runs are read from the SDK's database and files.",
    },
  },
  look: {
    hint: "Every change takes effect at once and stays in this browser or window.",
  },
  shortcuts: { find: "Find a key", none: "No key does that." },
  about: {
    version: "Version",
    address: "Address",
    state: "State folder",
    python: "SDK configuration",
    window: "Window",
    windowYes: "desktop app",
    windowNo: "browser",
    api: "API reference",
    apiHint: "Every route of this server, to read and to try",
    logs: "What the viewer said",
    log: "Log",
    copy: "Copy for a report",
    copied: "Copied {n} lines",
    empty: "Nothing was said yet.",
    noLog: "This viewer keeps no log file.",
  },
};
