/** The part of a writable stream that decides on colours. */
export interface StyledStream {
  readonly isTTY?: boolean | undefined;
}

const sgr = { bold: 1, dim: 2, red: 31, yellow: 33 } as const;

/** Whether the stream goes to a terminal that supports escape sequences; one that calls itself dumb would show them. */
export function followsEscapes({ isTTY }: StyledStream): boolean {
  return isTTY === true && process.env.TERM !== "dumb";
}

/** Text in an ANSI style, or unchanged if the stream is not a terminal or `NO_COLOR` is set. https://no-color.org */
export function styled(stream: StyledStream, style: keyof typeof sgr, text: string): string {
  if (!followsEscapes(stream) || (process.env.NO_COLOR ?? "") !== "") return text;
  return `\u001b[${sgr[style]}m${text}\u001b[0m`;
}

/** A table with its first line in bold. */
export function withBoldHeader(stream: StyledStream, table: string): string {
  const [header = "", ...rows] = table.split("\n");
  return [styled(stream, "bold", header), ...rows].join("\n");
}
