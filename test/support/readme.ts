import { readFileSync } from "node:fs";
import { root } from "./run-program.js";

export const readme: string = readFileSync(`${root}README.md`, "utf8");

/** The contents of README.md's fenced blocks in a language. */
export function codeBlocks(language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms");
  return [...readme.matchAll(fence)].map(([, code]) => code!);
}

/** Files that a document links to, as it writes them: relative to it, without what is named inside them. */
export function linkedFiles(markdown: string): string[] {
  return [...markdown.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target!);
}

/** Headings of itself that a document links to, as it writes them. */
export function linkedHeadings(markdown: string): string[] {
  return [...markdown.matchAll(/\]\(#([^)]+)\)/g)].map(([, heading]) => heading!);
}

/** Headings of other documents that a document links to, as it writes them: a file relative to it, and the heading. */
export function headingsLinkedElsewhere(markdown: string): [file: string, heading: string][] {
  const links = markdown.matchAll(/\]\((?!https?:)([^)#]+)#([^)]+)\)/g);
  return Array.from(links, ([, file, heading]) => [file!, heading!]);
}

/** What links to a document's headings have to say, as GitHub makes it of them. */
export function headingsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** README.md's library example: its first JavaScript. */
export function libraryExample(): string {
  const [example] = codeBlocks("js");
  if (example === undefined) throw new Error("README.md has no block of js");
  return example;
}
