/** Starts the page: preferences and address first, so that the first frame is already the right one. */
import { mount } from "svelte";
import App from "./App.svelte";
import { beginEarly } from "./api/early";
import { firstRequests } from "./first_requests";
import { pages } from "./routes";
import { preferences } from "./state/preferences.svelte";
import { printing } from "./state/printing.svelte";
import { route } from "./state/route.svelte";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/print.css";

preferences.begin();
printing.begin();
route.begin();
beginEarly(firstRequests(location.pathname, route.query));
// The page's own part is fetched meanwhile; what fails here is said where the page is shown.
if (route.place.page) void Promise.resolve(pages[route.place.page]()).catch(() => undefined);

const target = document.getElementById("app");
if (target) mount(App, { target });
