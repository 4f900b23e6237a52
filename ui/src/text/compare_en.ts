/** The words of the Compare page, in English. Fetched with the page; its shape is the type of every other language. */

export const compareEn = {
  title: "Compare",
  count: "{n} run|{n} runs",
  tabsLabel: "Parts of the comparison",
  tabs: { charts: "Charts", changed: "What changed" },
  choose: {
    title: "Choose the runs to compare",
    detail:
      "On the Runs page tick two or more runs with Space or a click, then press C. Their curves stand in the same charts here, and what differs in their configuration stands in one table.",
    go: "Go to the runs",
  },
  limit: "The first {n} runs are compared; {left} more in this address are left out.",
  list: {
    label: "Compared runs",
    show: "Show {name}",
    remove: "Take {name} out of the comparison",
    all: "Show all",
    none: "Hide all",
    gone: "No run here has this id",
    failed: "Not loaded: {detail}",
    again: "Load {name} again",
    add: "Add or change runs, on the Runs page (Esc)",
  },
  gone: {
    title: "None of these runs is here",
    detail: "They may have been deleted or moved to another storage, or the link is wrong.",
  },
  charts: {
    lines: "{n} run|{n} runs",
    linesOf: "{n} of {all} runs",
    allHidden: "Every run of this chart is hidden",
    noneTitle: "No metrics yet",
    noneDetail: "None of these runs has logged a number.",
    chart: {
      summary: "runs: {lines}, points drawn: {points}, from {low} to {high}",
      nothing: "no points here",
      hidden: "{n} not above 0",
      keys: "ArrowLeft ArrowRight ArrowUp ArrowDown + - 0 Escape",
      more: "and {n} more",
    },
  },
  changed: {
    sections: { config: "Configuration", summary: "Summary", environment: "Environment" },
    key: "Name",
    search: "Find names and values",
    equal: "{n} equal value|{n} equal values",
    differing: "{n} differs|{n} differ",
    allEqual: "Nothing differs here.",
    absent: "not recorded",
    none: "Nothing to compare",
    noneDetail:
      "These runs recorded no configuration, summary or environment. A run records them with run.log_config(…) and run.summary(…).",
    noneFound: "Nothing holds “{search}”.",
    clear: "Clear the search",
    onlyOne: "One run alone differs from nothing. Add another one on the Runs page.",
    mark: "{value}, differs",
  },
};

/** What a language must provide. */
export type CompareText = typeof compareEn;
