import type { Engine } from "#kernels/engine";
import { quantizeBlocks, type Region } from "#kernels/quantizeBlocks/reference";
import { blocksModule, columnsAtOnce } from "#kernels/quantizeBlocks/wasm";

/** Values that are worked on at once: they stay in a core's second cache between the passes. */
const tileValues = 65536;

/** Bytes between rows in scratch beyond their own: rows a power of two apart would share a few sets of the cache. */
const rowGap = 64;

/** The kernel on an engine; see reference.ts. */
export function fastQuantizeBlocks(engine: Engine): typeof quantizeBlocks {
  return (w, layout, scheme, out, region) => {
    const { k, n, transposed } = layout;
    const { bits, size, symmetric } = scheme;
    const blocks = Math.ceil(k / size);
    const whole = Math.floor(k / size);
    const unfit = !transposed && (n < columnsAtOnce || out.codes.byteOffset % 4 !== 0);
    if (region !== undefined || whole === 0 || size > 4096 || unfit)
      return quantizeBlocks(w, layout, scheme, out, region);
    const { relaxed } = engine;
    const form = `${bits} bits ${symmetric ? "symmetric" : "asymmetric"}`;
    const kernel = engine.load(`quantizeBlocks ${form}`, blocksModule({ bits, symmetric, relaxed }));
    const blockBytes = (size * bits) / 8;

    /** Scratch for the parameters of `count` blocks. */
    const roomForParameters = (count: number) => {
      const padded = Math.max(4, count);
      const [lows, highs, scales, inverses, zeros] = Array.from({ length: 5 }, () =>
        engine.roomFor(Float32Array, padded),
      );
      return {
        lows: lows.byteOffset,
        highs: highs.byteOffset,
        inverses: inverses.byteOffset,
        scales,
        zeros,
        /** All from the ranges; tells whether the reference must do it. */
        set: () => {
          lows.fill(0, count);
          highs.fill(0, count);
          const { byteOffset } = scales;
          return kernel.parameters(
            lows.byteOffset,
            highs.byteOffset,
            padded,
            byteOffset,
            inverses.byteOffset,
            zeros.byteOffset,
          );
        },
      };
    };

    /** Blocks `first` and following, which follow one another in W, from `start` on, and in what is filled. */
    const neighbours = (first: number, count: number, start: number): boolean => {
      engine.clear();
      const codes = out.codes.subarray(first * blockBytes, (first + count) * blockBytes);
      const from = engine.enter(w.subarray(start, start + count * size));
      const to = engine.target(codes);
      const { lows, highs, inverses, scales, zeros, set } = roomForParameters(count);
      if (kernel.ranges(from, size, count, lows, highs) + set() !== 0) return false;
      kernel.codes(from, size, count, inverses, zeros.byteOffset, to);
      engine.leave(codes, to);
      out.scales.set(scales.subarray(0, count), first);
      if (!symmetric) out.zeros.set(zeros.subarray(0, count), first);
      return true;
    };

    /** Blocks of columns that lie beside one another. */
    const columns = ({ firstBlock, endBlock, firstColumn, endColumn }: Region): boolean => {
      engine.clear();
      const [high, wide] = [endBlock - firstBlock, endColumn - firstColumn];
      const stride = 4 * wide + rowGap;
      const from = engine.roomFor(Float32Array, (high * size * stride) / 4);
      const words = (high * blockBytes) / 4;
      const codes = engine.roomFor(Uint32Array, wide * words);
      const { lows, highs, inverses, scales, zeros, set } = roomForParameters(wide);
      for (let r = 0; r < high * size; r++) {
        const start = (firstBlock * size + r) * n;
        from.set(w.subarray(start + firstColumn, start + endColumn), (r * stride) / 4);
      }
      for (let b = 0; b < high; b++) {
        const block = from.byteOffset + b * size * stride;
        if (kernel.columnRanges(block, stride, size, wide, lows, highs) + set() !== 0) return false;
        const to = codes.byteOffset + b * blockBytes;
        kernel.columnCodes(block, stride, size, wide, inverses, zeros.byteOffset, to, high * blockBytes);
        const first = firstColumn * blocks + firstBlock + b;
        for (let c = 0; c < wide; c++) out.scales[first + c * blocks] = scales[c];
        if (symmetric) continue;
        for (let c = 0; c < wide; c++) out.zeros[first + c * blocks] = zeros[c];
      }
      const target = new Uint32Array(out.codes.buffer, out.codes.byteOffset, out.codes.length / 4);
      for (let c = 0, at = 0; c < wide; c++) {
        const to = (((firstColumn + c) * blocks + firstBlock) * blockBytes) / 4;
        for (let i = 0; i < words; i++) target[to + i] = codes[at++];
      }
      return true;
    };

    const plain = (part: Region): void => quantizeBlocks(w, layout, scheme, out, part);
    if (whole < blocks) plain({ firstBlock: whole, endBlock: blocks, firstColumn: 0, endColumn: n });
    if (transposed) {
      // without a short last block, all columns are one stream of blocks
      const [lines, line] = whole === blocks ? [1, n * blocks] : [n, whole];
      const most = Math.max(1, Math.floor(tileValues / size));
      for (let l = 0; l < lines; l++) {
        for (let b = 0; b < line; b += most) {
          const count = Math.min(most, line - b);
          if (neighbours(l * blocks + b, count, l * k + b * size)) continue;
          for (let c = l + Math.floor(b / blocks), end = l + Math.ceil((b + count) / blocks); c < end; c++)
            plain({ firstBlock: 0, endBlock: whole, firstColumn: c, endColumn: c + 1 });
        }
      }
      return;
    }
    const high = Math.min(whole, Math.max(1, Math.floor(128 / size)));
    const wide = Math.max(columnsAtOnce, Math.floor(tileValues / (high * size)));
    for (let b = 0; b < whole; b += high) {
      for (let c = 0; c < n; c += wide) {
        // the last columns are as many as a kernel takes
        const firstColumn = Math.min(c, n - columnsAtOnce);
        const part = {
          firstBlock: b,
          endBlock: Math.min(whole, b + high),
          firstColumn,
          endColumn: Math.min(n, c + wide),
        };
        if (!columns(part)) plain(part);
      }
    }
  };
}
