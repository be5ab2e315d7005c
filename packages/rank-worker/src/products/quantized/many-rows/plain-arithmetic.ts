import { blockSize, blocksOf } from "../blocks.js";
import { runsWithin } from "../scale-runs.js";
import { scaleAt } from "../scales.js";
import { columnsOf, type GroupArithmetic, mostOverMean } from "./group-arithmetic.js";
import { type Panel, panelColumns, panelsOf } from "./panels.js";

/** The largest magnitude of a weight as an integer, and the byte that means 0. */
const most = 127;
const zero = 128;

/** The kernels' work in plain code: used if their memory has no room, and as the reference in tests. */
export function plainArithmetic(bits: 4 | 8): GroupArithmetic {
  return {
    activations(x, width, { firstBlock, blocks }, { values, rests, scales, order }) {
      const rows = x.length / width;
      const first = firstBlock * blockSize;
      const elements = Math.min(blocks * blockSize, width - first);
      const parts = Array.from({ length: rows }, (_, row) =>
        x.subarray(row * width + first, row * width + first + elements),
      );
      const isTwice = parts.map((part) => largestOf(part) > mostOverMean * rootMeanSquare(part));
      const all = [...parts.keys()];
      const twice = all.filter((row) => isTwice[row]);
      order.set([...twice, ...all.filter((row) => !isTwice[row]).reverse()]);
      const panels = panelsOf(columnsOf(rows));
      const restPanels = panelsOf(columnsOf(twice.length));
      const placeOf = (k: number, column: number, panels: readonly Panel[]) => {
        const { first, columns } = panels[Math.floor(column / panelColumns)]!;
        return first * blocks * blockSize + k * columns + (column - first);
      };
      const offset = values instanceof Uint8Array ? zero : 0;
      values.fill(offset);
      rests.fill(offset);
      scales.fill(0);
      for (let column = 0; column < rows; column++) {
        const part = parts[order[column]!]!;
        const largest = largestOf(part);
        const inverse = largest === 0 ? 0 : Math.fround(127 / largest);
        scales[column] = largest / 127;
        for (const [k, activation] of part.entries()) {
          const value = Math.fround(activation * inverse);
          const nearest = nearestEven(value) || 0;
          values[placeOf(k, column, panels)] = offset + nearest;
          if (column >= twice.length) continue;
          rests[placeOf(k, column, restPanels)] =
            offset + nearestEven(Math.fround(Math.fround(value - nearest) * 254));
        }
      }
      return twice.length;
    },

    weights({ width, values, scales, scaleRuns }, first, { firstBlock, blocks }, out, outScales) {
      const rowBlocks = blocksOf(width);
      const centre = 2 ** (bits - 1);
      // The largest weight represents 128, whatever its bits, so that its fraction has 16 bits.
      const unit = bits === 4 ? 16 : 1;
      const elements = blocks * blockSize;
      const rowScales = runsWithin(scaleRuns, first, out.length / elements, rowBlocks).flatMap(
        ({ rows, at, step }) =>
          Array.from({ length: rows }, (_, row) => at + (row * rowBlocks + firstBlock) * step).map((start) =>
            Float32Array.from({ length: blocks }, (_, block) => scaleAt(scales, start + block * step)),
          ),
      );
      for (const [row, ofGroup] of rowScales.entries()) {
        const at = (first + row) * rowBlocks + firstBlock;
        const largest = largestOf(ofGroup);
        outScales[row] = Math.fround(largest * centre) / most;
        const factor = largest === 0 ? 0 : Math.fround((most * 2 ** 15) / (unit * centre) / largest);
        for (let k = 0; k < elements; k++) {
          const element = at * blockSize + k;
          const value =
            bits === 8 ? values[element]! : (values[element >> 1]! >> (element % 2 === 0 ? 0 : 4)) & 15;
          const fraction = nearestEven(Math.fround(ofGroup[Math.floor(k / blockSize)]! * factor));
          out[row * elements + k] = zero + ((unit * (value - centre) * fraction + 2 ** 14) >> 15);
        }
      }
    },

    begin(group, bias, to) {
      const { columns, count } = group;
      for (const row of columns.rows.subarray(0, columns.count)) {
        for (let i = 0; i < count; i++) to.out[row * to.outWidth + i] = bias?.[i] ?? 0;
      }
      this.add(group, 1, to);
    },

    add({ sums, scales, columns, count }, factor, { out, outWidth }) {
      const stride = columnsOf(columns.count);
      for (let i = 0; i < count; i++) {
        for (let column = 0; column < columns.count; column++) {
          const scale = factor * columns.scales[column]! * scales[i]!;
          out[columns.rows[column]! * outWidth + i]! += scale * sums[i * stride + column]!;
        }
      }
    },
  };
}

/** NaN if there is one. */
function largestOf(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function rootMeanSquare(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

/** The nearest integer; halves are rounded to even. */
export function nearestEven(x: number): number {
  const whole = Math.round(x);
  return whole - x === 0.5 && whole % 2 !== 0 ? whole - 1 : whole;
}
