/** The words of the Compare page, in English. Fetched with the page; its shape is the type of every other language. */

export const compareEn = {
  title: "Compare",
  count: "{n} run|{n} runs",
  tabsLabel: "Parts of the comparison",
  tabs: { charts: "Charts", values: "Values", changed: "What changed" },
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
      outside: "{n} drawn point outside the range|{n} drawn points outside the range",
      keys: "ArrowLeft ArrowRight ArrowUp ArrowDown + - 0 Escape",
      more: "and {n} more",
    },
  },
  values: {
    columns: "Columns",
    find: "Find columns",
    kinds: { config: "configuration", summary: "summary", last: "last value" },
    hint: "Drag along an axis to keep the runs that pass there; a click takes the range away.",
    parallelSummary: "Parallel coordinates: {axes} columns, {n} of {all} runs within the chosen ranges",
    scatterSummary: "Scatter plot: {y} over {x}, {n} runs",
    log: "log",
    clearBrush: "Clear the range of {name}",
    clearAll: "Clear the ranges",
    within:
      "{n} of {all} runs lie within the chosen ranges; the others are left out everywhere on this page.",
    lowest: "Lowest {name}",
    highest: "Highest {name}",
    across: "Across",
    up: "Up",
    noPoints: "No run has both values.",
    none: "No values to set against each other",
    noneDetail:
      "These runs recorded no configuration, summary or metrics. A run records them with run.log_config(…), run.summary(…) and run.log(…).",
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
