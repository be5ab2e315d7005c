// AssemblyScript: what TypeScript's syntax says, compiled to WebAssembly by scripts/build.mjs.
//
// Attention of one new token per sequence over its cached rows (https://arxiv.org/abs/1706.03762), for all heads of a
// rank. src/attention/row-attention.ts fills the block of arguments, policy/src/program/program.ts (AttentionOfOneRow)
// says what is computed; tests compare every result with ONNX Runtime's operators.
//
// One head of keys and values serves `group` queries (https://arxiv.org/abs/2305.13245), so whatever is read of the
// cache is used for as many of them as registers hold: the cache is read from memory once.

/** The block of arguments: 32-bit words, pointers and strides in bytes. */
@unmanaged
class Arguments {
  batch: u32;
  keyValueHeads: u32;
  group: u32;
  lanes: u32;
  past: u32;
  query: usize;
  queryRow: usize;
  queryHead: usize;
  key: usize;
  keyRow: usize;
  keyHead: usize;
  value: usize;
  valueRow: usize;
  valueHead: usize;
  pastKeys: usize;
  pastValues: usize;
  presentKeys: usize;
  presentValues: usize;
  context: usize;
  scale: f32;
  rotaryLanes: u32;
  interleaved: u32;
  cos: usize;
  sin: usize;
  scratch: usize;
  addends: u32;
  // Then for each addend: pointer, bytes from sequence to sequence, bytes from head to head.
}

export function attend(args: Arguments): void {
  const lanes = args.lanes;
  const group = <usize>args.group;
  const rowBytes = <usize>lanes << 2;
  const headBytes = <usize>args.past * rowBytes;
  // Scores of a query, the new key's among them, in whole vectors.
  const scoreBytes = ((<usize>args.past + 4) & ~3) << 2;
  const queries = args.scratch;
  const scores = queries + group * rowBytes;

  for (let row: usize = 0; row < args.batch; row++) {
    for (let head: usize = 0; head < args.keyValueHeads; head++) {
      const at = row * args.keyValueHeads + head;
      const presentKey = args.presentKeys + at * rowBytes;
      const presentValue = args.presentValues + at * rowBytes;
      const pastKeys = args.pastKeys + at * headBytes;
      const pastValues = args.pastValues + at * headBytes;
      const context = args.context + at * group * rowBytes;

      turn(presentKey, args.key + row * args.keyRow + head * args.keyHead, row, 1, args);
      memory.copy(presentValue, args.value + row * args.valueRow + head * args.valueHead, rowBytes);
      for (let one: usize = 0; one < group; one++) {
        const query = args.query + row * args.queryRow + head * args.queryHead + one * rowBytes;
        turn(queries + one * rowBytes, query, row, args.scale, args);
      }

      score(scores, scoreBytes, queries, group, pastKeys, args.past, rowBytes);
      score(scores + (<usize>args.past << 2), scoreBytes, queries, group, presentKey, 1, rowBytes);
      for (let one: usize = 0; one < group; one++) {
        const ofQuery = scores + one * scoreBytes;
        addAll(ofQuery, row, head * group + one, args);
        softmax(ofQuery, args.past + 1, scoreBytes);
      }

      memory.fill(context, 0, group * rowBytes);
      for (let first: usize = 0; first < args.past; first += tileRows) {
        const rows = min(tileRows, <usize>args.past - first);
        mix(context, scores + (first << 2), scoreBytes, group, pastValues + first * rowBytes, rows, rowBytes);
      }
      mix(context, scores + (<usize>args.past << 2), scoreBytes, group, presentValue, 1, rowBytes);
    }
  }
}

/** Rows of values that stay in the nearest cache while all lanes of all queries are summed over them. */
const tileRows: usize = 32;

/** One head's lanes, times `scale`, turned by the rotary position embedding (https://arxiv.org/abs/2104.09864). */
function turn(out: usize, from: usize, row: usize, scale: f32, args: Arguments): void {
  const half = <usize>args.rotaryLanes >> 1;
  const cos = args.cos + row * (half << 2);
  const sin = args.sin + row * (half << 2);
  // (i, i + half), or neighbours (2i, 2i + 1).
  const step: usize = args.interleaved ? 8 : 4;
  const partner: usize = args.interleaved ? 4 : half << 2;
  for (let pair: usize = 0; pair < half; pair++) {
    const at = pair * step;
    const a = load<f32>(from + at);
    const b = load<f32>(from + at + partner);
    const c = load<f32>(cos + (pair << 2));
    const s = load<f32>(sin + (pair << 2));
    store<f32>(out + at, (a * c - b * s) * scale);
    store<f32>(out + at + partner, (b * c + a * s) * scale);
  }
  for (let lane = <usize>args.rotaryLanes; lane < args.lanes; lane++) {
    store<f32>(out + (lane << 2), load<f32>(from + (lane << 2)) * scale);
  }
}

/** `scores[query][row] = query · key[row]`. */
function score(
  scores: usize,
  scoreBytes: usize,
  queries: usize,
  group: usize,
  keys: usize,
  rows: usize,
  rowBytes: usize,
): void {
  const blocks = group & ~3;
  for (let row: usize = 0; row < rows; row++) {
    const key = keys + row * rowBytes;
    const out = scores + (row << 2);
    for (let query: usize = 0; query < blocks; query += 4) {
      const first = queries + query * rowBytes;
      let a = f32x4.splat(0);
      let b = f32x4.splat(0);
      let c = f32x4.splat(0);
      let d = f32x4.splat(0);
      for (let lane: usize = 0; lane < rowBytes; lane += 16) {
        const k = v128.load(key + lane);
        const q = first + lane;
        a = f32x4.add(a, f32x4.mul(k, v128.load(q)));
        b = f32x4.add(b, f32x4.mul(k, v128.load(q + rowBytes)));
        c = f32x4.add(c, f32x4.mul(k, v128.load(q + 2 * rowBytes)));
        d = f32x4.add(d, f32x4.mul(k, v128.load(q + 3 * rowBytes)));
      }
      const sums = sumEach(a, b, c, d);
      const at = out + query * scoreBytes;
      store<f32>(at, f32x4.extract_lane(sums, 0));
      store<f32>(at + scoreBytes, f32x4.extract_lane(sums, 1));
      store<f32>(at + 2 * scoreBytes, f32x4.extract_lane(sums, 2));
      store<f32>(at + 3 * scoreBytes, f32x4.extract_lane(sums, 3));
    }
  }
  for (let query = blocks; query < group; query++) {
    scoreOne(scores + query * scoreBytes, queries + query * rowBytes, keys, rows, rowBytes);
  }
}

function scoreOne(out: usize, query: usize, keys: usize, rows: usize, rowBytes: usize): void {
  let row: usize = 0;
  for (; row + 4 <= rows; row += 4) {
    const first = keys + row * rowBytes;
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (let lane: usize = 0; lane < rowBytes; lane += 16) {
      const q = v128.load(query + lane);
      const k = first + lane;
      a = f32x4.add(a, f32x4.mul(q, v128.load(k)));
      b = f32x4.add(b, f32x4.mul(q, v128.load(k + rowBytes)));
      c = f32x4.add(c, f32x4.mul(q, v128.load(k + 2 * rowBytes)));
      d = f32x4.add(d, f32x4.mul(q, v128.load(k + 3 * rowBytes)));
    }
    v128.store(out + (row << 2), sumEach(a, b, c, d));
  }
  for (; row < rows; row++) {
    const key = keys + row * rowBytes;
    let a = f32x4.splat(0);
    for (let lane: usize = 0; lane < rowBytes; lane += 16) {
      a = f32x4.add(a, f32x4.mul(v128.load(query + lane), v128.load(key + lane)));
    }
    store<f32>(out + (row << 2), f32x4.extract_lane(sumEach(a, a, a, a), 0));
  }
}

/** The sums of the lanes of each. */
@inline
function sumEach(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}

/** Adds every addend's row for this sequence and head. */
function addAll(scores: usize, row: usize, head: usize, args: Arguments): void {
  const keys = <usize>args.past + 1;
  let addend = changetype<usize>(args) + offsetof<Arguments>();
  for (let one: u32 = 0; one < args.addends; one++, addend += 12) {
    const from = load<usize>(addend) + row * load<usize>(addend, 4) + head * load<usize>(addend, 8);
    let key: usize = 0;
    for (; key + 4 <= keys; key += 4) {
      const at = key << 2;
      v128.store(scores + at, f32x4.add(v128.load(scores + at), v128.load(from + at)));
    }
    for (; key < keys; key++) {
      const at = key << 2;
      store<f32>(scores + at, load<f32>(scores + at) + load<f32>(from + at));
    }
  }
}

/** In place; what pads the last vector becomes 0. */
function softmax(scores: usize, count: usize, bytes: usize): void {
  const end = scores + bytes;
  for (let at = scores + (count << 2); at < end; at += 4) store<f32>(at, -f32.MAX_VALUE);
  let most = v128.load(scores);
  for (let at = scores + 16; at < end; at += 16) most = f32x4.max(most, v128.load(at));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
  most = f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
  let sum = f32x4.splat(0);
  for (let at = scores; at < end; at += 16) {
    const share = exponential(f32x4.sub(v128.load(at), most));
    v128.store(at, share);
    sum = f32x4.add(sum, share);
  }
  // Where nothing is seen, the padding is as large as any score, and must not count.
  for (let at = scores + (count << 2); at < end; at += 4) {
    sum = f32x4.sub(sum, f32x4.replace_lane(f32x4.splat(0), 0, load<f32>(at)));
    store<f32>(at, 0);
  }
  const total = f32x4.extract_lane(sumEach(sum, sum, sum, sum), 0);
  const inverse = f32x4.splat(1 / total);
  for (let at = scores; at < end; at += 16) v128.store(at, f32x4.mul(v128.load(at), inverse));
}

/**
 * eˣ for x ≤ 0, to about one unit in the last place: x = n·ln 2 + r with |r| ≤ ln 2 / 2, eʳ by the polynomial of Cephes
 * (https://www.netlib.org/cephes, expf), times 2ⁿ. 0 where that would be no normal number; NaN stays.
 */
@inline
function exponential(x: v128): v128 {
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  const high = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
  const r = f32x4.sub(high, f32x4.mul(n, f32x4.splat(-2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  const result = f32x4.mul(p, power);
  return v128.andnot(result, f32x4.lt(x, f32x4.splat(-87)));
}

/** `context[query] += Σ_row share[query][row] · value[row]`. */
function mix(
  context: usize,
  shares: usize,
  scoreBytes: usize,
  group: usize,
  values: usize,
  rows: usize,
  rowBytes: usize,
): void {
  const blocks = group & ~3;
  const end = rows << 2;
  for (let query: usize = 0; query < blocks; query += 4) {
    const share = shares + query * scoreBytes;
    const out = context + query * rowBytes;
    let lane: usize = 0;
    for (; lane + 32 <= rowBytes; lane += 32) {
      let at = out + lane;
      let a0 = v128.load(at);
      let a1 = v128.load(at, 16);
      at += rowBytes;
      let b0 = v128.load(at);
      let b1 = v128.load(at, 16);
      at += rowBytes;
      let c0 = v128.load(at);
      let c1 = v128.load(at, 16);
      at += rowBytes;
      let d0 = v128.load(at);
      let d1 = v128.load(at, 16);
      let value = values + lane;
      for (let row: usize = 0; row < end; row += 4, value += rowBytes) {
        const v0 = v128.load(value);
        const v1 = v128.load(value, 16);
        let p = v128.load_splat<f32>(share + row);
        a0 = f32x4.add(a0, f32x4.mul(p, v0));
        a1 = f32x4.add(a1, f32x4.mul(p, v1));
        p = v128.load_splat<f32>(share + row + scoreBytes);
        b0 = f32x4.add(b0, f32x4.mul(p, v0));
        b1 = f32x4.add(b1, f32x4.mul(p, v1));
        p = v128.load_splat<f32>(share + row + 2 * scoreBytes);
        c0 = f32x4.add(c0, f32x4.mul(p, v0));
        c1 = f32x4.add(c1, f32x4.mul(p, v1));
        p = v128.load_splat<f32>(share + row + 3 * scoreBytes);
        d0 = f32x4.add(d0, f32x4.mul(p, v0));
        d1 = f32x4.add(d1, f32x4.mul(p, v1));
      }
      v128.store(at, d0);
      v128.store(at, d1, 16);
      at -= rowBytes;
      v128.store(at, c0);
      v128.store(at, c1, 16);
      at -= rowBytes;
      v128.store(at, b0);
      v128.store(at, b1, 16);
      at -= rowBytes;
      v128.store(at, a0);
      v128.store(at, a1, 16);
    }
    for (let one: usize = 0; one < 4; one++) {
      mixOne(out + one * rowBytes, share + one * scoreBytes, values, end, rowBytes, lane);
    }
  }
  for (let query = blocks; query < group; query++) {
    mixOne(context + query * rowBytes, shares + query * scoreBytes, values, end, rowBytes, 0);
  }
}

/** For one query, the lanes from byte `lane` on. */
function mixOne(out: usize, share: usize, values: usize, end: usize, rowBytes: usize, lane: usize): void {
  for (; lane + 64 <= rowBytes; lane += 64) {
    const at = out + lane;
    let a = v128.load(at);
    let b = v128.load(at, 16);
    let c = v128.load(at, 32);
    let d = v128.load(at, 48);
    let value = values + lane;
    for (let row: usize = 0; row < end; row += 4, value += rowBytes) {
      const p = v128.load_splat<f32>(share + row);
      a = f32x4.add(a, f32x4.mul(p, v128.load(value)));
      b = f32x4.add(b, f32x4.mul(p, v128.load(value, 16)));
      c = f32x4.add(c, f32x4.mul(p, v128.load(value, 32)));
      d = f32x4.add(d, f32x4.mul(p, v128.load(value, 48)));
    }
    v128.store(at, a);
    v128.store(at, b, 16);
    v128.store(at, c, 32);
    v128.store(at, d, 48);
  }
  for (; lane < rowBytes; lane += 16) {
    let a = v128.load(out + lane);
    let value = values + lane;
    for (let row: usize = 0; row < end; row += 4, value += rowBytes) {
      a = f32x4.add(a, f32x4.mul(v128.load_splat<f32>(share + row), v128.load(value)));
    }
    v128.store(out + lane, a);
  }
}
