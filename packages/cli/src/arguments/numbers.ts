import { InvalidArgumentError } from "commander";

/** A number as written; the library checks whether it makes sense. */
export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
}

const units: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** Bytes: `800000000`, `800MB` (powers of 1000), `1.5GiB` (powers of 1024). */
export function parseBytes(text: string): number {
  const [, number = "", unit = ""] = /^([\d.]+)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const scale = units[unit === "" ? "B" : unit.toUpperCase()];
  const bytes = Math.floor(Number(number) * (scale ?? Number.NaN));
  if (number === "" || Number.isNaN(bytes)) {
    throw new InvalidArgumentError("Expected bytes, such as 800000000, 800MB or 1.5GiB.");
  }
  return bytes;
}

/** Token ids: `2,128028`. The library checks whether they exist. */
export function parseIds(text: string): readonly number[] {
  const ids = text.split(",");
  if (ids.every((id) => /^\s*\d+\s*$/.test(id))) return ids.map(Number);
  throw new InvalidArgumentError("Expected token ids, such as 2,128028.");
}

/** Collects an option that may be given more than once. */
export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}
