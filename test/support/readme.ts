import { readFileSync } from "node:fs";
import { root } from "./run-program.js";

export const readme: string = readFileSync(`${root}README.md`, "utf8");

/** The contents of README.md's fenced blocks in a language. */
export function codeBlocks(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms");
  return [...readme.matchAll(fence)].map(([, code]) => code!);
}

/** The files that a document links to, as written: relative to it, without fragments. */
export function linkedFiles(markdown: string): string[] {
  return [...markdown.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target!);
}

/** The headings in the same document to which it links, as written. */
export function linkedHeadings(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(#([^)]+)\)/g)].map(([, heading]) => heading!);
}

/** The headings of other documents to which a document links, as written: a file relative to it, and the heading. */
export function headingsLinkedElsewhere(markdown: string): [file: string, heading: string][] {
  const links = markdown.matchAll(/\]\((?!https?:)([^)#]+)#([^)]+)\)/g);
  return Array.from(links, ([, file, heading]) => [file!, heading!]);
}

/** The fragments that GitHub generates for a document's headings, to be used in links. */
export function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** README.md's library example: its first JavaScript block. */
export function libraryExample(): string {
  const [example] = codeBlocks("js");
  if (example === undefined) throw new Error("README.md has no block of js");
  return example;
}
