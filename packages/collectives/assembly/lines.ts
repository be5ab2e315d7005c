/**
 * Cache lines that another core has read have to be asked back from it before they are written, which takes a hundred
 * nanoseconds or so each. A core asks for as many at once as it has stores in flight, some 60. So it first makes one
 * store a line, of a block of lines, and only then writes the block: 8 KiB that another core had read were written in
 * 1.9 µs instead of 2.4 (two cores of an AMD EPYC that share no cache). Several blocks at once win nothing: what is
 * asked for leaves the first cache again before it is written.
 */
export const blockBytes: usize = 64 * 64;

/** What `bytes` at `at` held is lost; all of them have to be written. At least 4. */
@inline
export function acquireLines(at: usize, bytes: usize): void {
  const last = at + bytes - 4;
  for (; at < last; at += 64) store<u32>(at, 0);
  store<u32>(last, 0);
}

/** To lines that this core has already, or has asked for; `bytes` is a multiple of 4. */
@inline
export function copyLines(to: usize, from: usize, bytes: usize): void {
  const end = from + bytes;
  for (const last = from + (bytes & ~63); from < last; from += 64, to += 64) {
    const first = v128.load(from);
    const second = v128.load(from, 16);
    const third = v128.load(from, 32);
    const fourth = v128.load(from, 48);
    v128.store(to, first);
    v128.store(to, second, 16);
    v128.store(to, third, 32);
    v128.store(to, fourth, 48);
  }
  for (; from < end; from += 4, to += 4) store<u32>(to, load<u32>(from));
}
