/** Starts the page: preferences and address first, so that the first frame is already the right one. */
import { mount } from "svelte";
import App from "./App.svelte";
import { part } from "./ahead";
import { preferences } from "./state/preferences.svelte";
import { printing } from "./state/printing.svelte";
import { route } from "./state/route.svelte";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/print.css";

preferences.begin();
printing.begin();
route.begin();

/** The frame without the page would be drawn for nothing when the page is nearly there. */
const AHEAD_MILLIS = 150;

function start(): void {
  const target = document.getElementById("app");
  if (target) mount(App, { target });
}

if (part === null) start();
else void Promise.race([part, new Promise((done) => setTimeout(done, AHEAD_MILLIS))]).then(start);
