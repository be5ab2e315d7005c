import { existsSync, readFileSync } from "node:fs";

const list = "/proc/buddyinfo";

const pageBytes = 4096;

/** Pages of a block, as a power of two, from which on it is as good as any: 2 MB, what a huge page takes. */
const longEnough = 9;

/** Bytes of free memory in blocks shorter than 2 MB; 0 where the system does not tell. */
export function scatteredBytes(text = existsSync(list) ? readFileSync(list, "utf8") : "") {
  let bytes = 0;
  for (const [, counts] of text.matchAll(/^Node\s+\d+, zone\s+\S+\s+(.*)$/gm)) {
    for (const [order, count] of counts.trim().split(/\s+/).slice(0, longEnough).entries()) {
      bytes += Number(count) * pageBytes * 2 ** order;
    }
  }
  return bytes;
}
