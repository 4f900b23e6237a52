/** The keys of the whole window in groups, and which groups a page has. Each page declares its own. */
import { chartKeys } from "./components/keys/chart_keys";
import type { GroupName, KeyGroups } from "./components/keys/key_lines";
import { tableKeys } from "./components/keys/table_keys";
import { frameKeys } from "./frame/frame_keys";
import { assetsKeys } from "./pages/assets/page_keys";
import { compareKeys } from "./pages/compare/page_keys";
import { hostsKeys } from "./pages/hosts/page_keys";
import { binKeys } from "./pages/recycle_bin/page_keys";
import { imageKeys, logKeys, runKeys } from "./pages/run/page_keys";
import { runsKeys } from "./pages/runs/page_keys";
import type { PageName } from "./state/places";

const ofPage: Record<PageName, readonly GroupName[]> = {
  runs: ["runs", "table"],
  run: ["run", "charts", "log", "images"],
  compare: ["compare", "charts", "images"],
  assets: ["assets", "table"],
  gpus: [],
  hosts: ["hosts", "table"],
  recycle_bin: ["recycle_bin", "table"],
  settings: [],
};

export const keyGroups: KeyGroups = {
  groups: {
    runs: runsKeys,
    table: tableKeys,
    run: runKeys,
    charts: chartKeys,
    log: logKeys,
    images: imageKeys,
    compare: compareKeys,
    assets: assetsKeys,
    hosts: hostsKeys,
    recycle_bin: binKeys,
    everywhere: frameKeys,
  },
  ofPage: (page) => [...(ofPage[page as PageName] ?? []), "everywhere"],
};
