/** A short description of a value that was received, for a message. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) {
    const name: unknown = value.constructor?.name;
    return `an object (${typeof name === "string" ? name : "null"})`;
  }
  return typeof value === "function" ? "a function" : String(value);
}
