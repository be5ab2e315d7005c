import { adviseHugePages } from "@ringrank/webassembly";

/**
 * Memory of about `bytes`, and `readBy(streams)`, which returns functions that only read it: they combine its bytes
 * with xor, 16 at a time into four registers, and return a part of the result so that no read can be eliminated.
 *
 * Several streams are read in parallel, 64 bytes of each in turn, from as many parts of the memory. The length of a
 * part is not a multiple of 64 KiB: streams at such a distance compete for the same sets of a cache.
 */
export function readableMemory(bytes, { hugePages = false } = {}) {
  const pages = Math.ceil(bytes / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  if (hugePages) adviseHugePages(memory);

  /** @returns `read()`, and the number of bytes that it reads: several streams leave out a few KiB each */
  function readBy(streams) {
    const part = Math.floor(memory.buffer.byteLength / streams / pageBytes) * pageBytes;
    const distance = part - (streams === 1 ? 0 : apart);
    const module = new WebAssembly.Module(readKernel(streams, distance));
    const { read } = new WebAssembly.Instance(module, { memory: { memory } }).exports;
    return { read: () => read(0, distance), bytes: streams * distance };
  }

  return { bytes: new Uint8Array(memory.buffer), readBy };
}

const pageBytes = 65536;
/**
 * The offset between streams: an eighth of 64 KiB, which spreads eight streams over it, plus some cache lines, so that
 * they also differ modulo 4 KiB.
 */
const apart = pageBytes / 8 + 256;

/**
 * A module of `read(from, to)`, which reads from one multiple of 64 to another, and the same range in each following
 * part. It is assembled here since it is a single loop; it imports its memory as `memory.memory`.
 */
function readKernel(streams, distance) {
  const [load, xor, firstLane] = [0x00, 0x51, 0x1b].map((code) => [0xfd, code]);
  const get = (local) => [0x20, local];
  const set = (local) => [0x21, local];
  const [from, to, registers] = [0, 1, [2, 3, 4, 5]];

  const loads = Array.from({ length: streams }, (_, stream) =>
    registers.map((register, i) => {
      const offset = unsigned(stream * distance + 16 * i);
      // Aligned to 2^4 bytes.
      return [...get(register), ...get(from), ...load, 4, ...offset, ...xor, ...set(register)];
    }),
  ).flat(2);
  const advance = [...get(from), 0x41, 0xc0, 0x00 /* i32.const 64 */, 0x6a /* i32.add */, ...set(from)];
  const again = [...get(from), ...get(to), 0x49 /* i32.lt_u */, 0x0d, 0 /* br_if */];
  const combined = [
    ...get(registers[0]),
    ...registers.slice(1).flatMap((register) => [...get(register), ...xor]),
  ];
  const body = [
    ...[1, 4, 0x7b], // 4 locals of v128
    ...[0x03, 0x40, ...loads, ...advance, ...again, 0x0b], // loop
    ...[...combined, ...firstLane, 0, 0x0b],
  ];
  const name = (text) => [text.length, ...Buffer.from(text)];
  const section = (id, ...content) => [id, ...unsigned(content.length), ...content];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f), // (i32, i32) → i32
    ...section(2, 1, ...name("memory"), ...name("memory"), 2, 0, 1),
    ...section(3, 1, 0),
    ...section(7, 1, ...name("read"), 0, 0),
    ...section(10, 1, ...unsigned(body.length), ...body),
  ]);
}

/** LEB128. */
function unsigned(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}
