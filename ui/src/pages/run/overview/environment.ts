/** The recorded environment, read with care: the file is passed through as it was written. Pure. */

export interface Environment {
  python: string;
  platform: string;
  host: string;
  git: { commit: string; branch: string; message: string; changed: number | null; dirty: boolean } | null;
  packages: { name: string; version: string }[];
  variables: [string, string][];
}

type Loose = Record<string, unknown>;

function loose(value: unknown): Loose {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Loose) : {};
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** `numpy==1.26`, `numpy 1.26`, `pkg @ file:///…`, or `{name, version}`. */
export function readPackage(item: unknown): { name: string; version: string } {
  if (typeof item !== "string") {
    const parts = loose(item);
    return { name: text(parts.name), version: text(parts.version) };
  }
  const match = /^\s*([^\s=@<>!~]+)\s*(?:={2,3}|@|[<>!~]=?)?\s*(.*)$/.exec(item);
  return { name: match?.[1] ?? item, version: match?.[2]?.trim() ?? "" };
}

function readPackages(...lists: unknown[]): { name: string; version: string }[] {
  const found = lists.flatMap((list) => (Array.isArray(list) ? list.map(readPackage) : []));
  return found.filter((item) => item.name !== "").sort((one, other) => one.name.localeCompare(other.name));
}

export function readEnvironment(value: unknown): Environment {
  const all = loose(value);
  const details = loose(all.platform_details);
  const git = loose(all.git_info);
  return {
    python: text(all.python_version),
    platform: text(all.platform),
    host: text(details.node),
    git:
      all.git_info === null || all.git_info === undefined
        ? null
        : {
            commit: text(git.commit),
            branch: text(git.branch),
            message: text(git.last_commit_message),
            changed: typeof git.changed_files_count === "number" ? git.changed_files_count : null,
            dirty: git.has_changes === true,
          },
    packages: readPackages(all.pip_packages, all.conda_packages),
    variables: Object.entries(loose(all.env_variables)).map(([name, item]) => [name, text(item)]),
  };
}
