/** What people keep beside their runs: views of the run table, and notes. */
import { type Api, segment } from "./client";
import type { components } from "./schema";

export type RunView = components["schemas"]["RunView"];
type ViewsAnswer = components["schemas"]["RunViewsAnswer"];
type NotesAnswer = components["schemas"]["RunNotesAnswer"];

const viewPath = (name: string) => `/api/run-views/${segment(name)}`;

export const runViews = async (api: Api): Promise<RunView[]> =>
  (await api.get<ViewsAnswer>("/api/run-views")).views;

export const keepRunView = async (api: Api, name: string, query: string): Promise<RunView[]> =>
  (await api.put<ViewsAnswer>(viewPath(name), { query })).views;

export const dropRunView = async (api: Api, name: string): Promise<RunView[]> =>
  (await api.remove<ViewsAnswer>(viewPath(name))).views;

/** Texts by run id. */
export type RunNotes = ReadonlyMap<string, string>;

const notesOf = (answer: NotesAnswer): RunNotes =>
  new Map(Object.entries(answer.notes).map(([id, note]) => [id, note.text ?? ""]));

export const runNotes = async (api: Api): Promise<RunNotes> =>
  notesOf(await api.get<NotesAnswer>("/api/run-notes"));

/** An empty text takes the note away. */
export const keepRunNote = async (api: Api, id: string, text: string): Promise<RunNotes> =>
  notesOf(await api.put<NotesAnswer>(`/api/run-notes/${segment(id)}`, { text }));
