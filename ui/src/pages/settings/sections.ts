/** The parts of the settings, in their order and as the address names them. Pure. */

export const SECTIONS = ["storage", "look", "notifications", "shortcuts", "about"] as const;
export type Section = (typeof SECTIONS)[number];

export const sectionOf = (text: string): Section => SECTIONS.find((section) => section === text) ?? "storage";
