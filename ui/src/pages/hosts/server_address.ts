/** Reads what people type to name a server: `me@server:22`, or the ssh command that they use. Pure. */

export interface ServerAddress {
  /** Empty when none was given. */
  username: string;
  host: string;
  port: number;
  /** `-i` of an ssh command. */
  keyPath: string;
}

const wordsOf = (text: string): string[] => text.trim().split(/\s+/).filter(Boolean);
const badHost = /[@/\\,'"`$;|&<>\s]|^-|^$/;

function portOf(text: string): number | null {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port >= 1 && port <= 65535 ? port : null;
}

interface Found {
  target: string;
  port: string;
  user: string;
  key: string;
}

/** Takes an ssh command apart; options that take a value and do not matter here are passed over. */
function fromCommand(words: readonly string[]): Found {
  const found: Found = { target: "", port: "", user: "", key: "" };
  const valued: Record<string, keyof Found> = { "-p": "port", "-l": "user", "-i": "key" };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const member = valued[word.slice(0, 2)];
    if (member && word.length > 2) found[member] = word.slice(2);
    else if (member || /^-[bcDEeFIJLmOoQRSWw]$/.test(word)) {
      at += 1;
      if (member) found[member] = words[at] ?? "";
    } else if (!word.startsWith("-")) {
      found.target = word;
      break;
    }
  }
  return found;
}

/** `[::1]:2222`, `::1`, `server:2222`, `server`. */
function splitPort(text: string): [host: string, port: string] {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text);
  if (bracketed) return [bracketed[1] ?? "", bracketed[2] ?? ""];
  const colons = text.split(":").length - 1;
  if (colons !== 1) return [text, ""];
  const [host = "", port = ""] = text.split(":");
  return [host, port === "" ? "?" : port];
}

/** Null: it names no server. */
export function readAddress(text: string): ServerAddress | null {
  const words = wordsOf(text.trim().replace(/^ssh:\/\//, ""));
  const isCommand = words[0] === "ssh";
  if (words.length === 0 || (!isCommand && words.length > 1)) return null;
  const found = isCommand
    ? fromCommand(words.slice(1))
    : { target: words[0] ?? "", port: "", user: "", key: "" };
  const at = found.target.lastIndexOf("@");
  const username = at < 0 ? found.user : found.target.slice(0, at);
  const [host, written] = splitPort(found.target.slice(at + 1).replace(/\/$/, ""));
  const port = portOf(found.port || written || "22");
  if (port === null || badHost.test(host) || /[\s/'"`$;|&<>]|^-/.test(username)) return null;
  return { username, host, port, keyPath: found.key };
}

/** The command that does the same in a terminal. */
export function sshCommand(host: {
  name: string;
  source: string;
  username: string;
  host: string;
  port: number;
}): string {
  if (host.source === "ssh_config") return `ssh ${host.name}`;
  return `ssh ${host.port === 22 ? "" : `-p ${host.port} `}${host.username}@${host.host}`;
}
