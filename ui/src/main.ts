/** Starts the page: preferences and address first, so that the first frame is already the right one. */
import { mount } from "svelte";
import App from "./App.svelte";
import { preferences } from "./state/preferences.svelte";
import { route } from "./state/route.svelte";
import "./styles/tokens.css";
import "./styles/base.css";

preferences.begin();
route.begin();

const target = document.getElementById("app");
if (target) mount(App, { target });
