/** `name`, or with as many `·` behind it as make it a name that is not taken. */
export function freshName(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? freshName(`${name}·`, taken) : name;
}
