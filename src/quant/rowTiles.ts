/**
 * A matrix too large to be quantized at once is quantized in tiles of whole rows, where its rows do not share anything: then the tiles
 * are, one below the other, what the whole would be.
 */
import type { Affine } from "#quant/affine";
import type { Decoding, Lookup, Scales } from "#quant/decoding";
import type { Granularity } from "#quant/granularity";
import type { QTensor } from "#quant/qtensor";

/** Whether quantizing a row had to look at no other. */
export function rowsAreIndependent({ decoding, rotation }: Pick<QTensor, "decoding" | "rotation">): boolean {
  if (rotation !== undefined) return false;
  switch (decoding.kind) {
    case "affine":
      return withinRows(decoding.granularity) && scalesWithinRows(decoding.storedScale);
    case "lookup":
      return (
        (decoding.dtype !== undefined || withinRows(decoding.tableGranularity)) && scalesWithinRows(decoding.scale)
      );
    case "codebook":
      return false;
    case "ggml":
      return true;
  }
}

function withinRows(granularity: Granularity): boolean {
  const rowAxis = granularity.per === "channel" ? 0 : 1;
  return "axis" in granularity && (granularity.axis === rowAxis || granularity.axis === rowAxis - 2);
}

function scalesWithinRows(scale: Scales | null | undefined): boolean {
  if (scale === null || scale === undefined) return true;
  return withinRows(scale.granularity) && scalesWithinRows(scale.outer);
}

/** The decoding of tiles as one. All are of one kind, and their rows independent. */
export function joinDecodings(tiles: readonly Decoding[]): Decoding {
  const [first] = tiles;
  if (tiles.length === 1 || first.kind === "ggml") return first;
  if (first.kind === "affine") return joinAffines(tiles as readonly Affine[]);
  return joinLookups(tiles as readonly Lookup[]);
}

function joinAffines(tiles: readonly Affine[]): Affine {
  const [first] = tiles;
  const scale = joined(tiles.map((tile) => tile.scale));
  const zeroPoint = new Int32Array(scale.length);
  let at = 0;
  for (const tile of tiles) {
    if (tile.zeroPoint !== null) zeroPoint.set(tile.zeroPoint, at);
    at += tile.scale.length;
  }
  return {
    ...first,
    scale,
    zeroPoint: tiles.some((tile) => tile.zeroPoint !== null) ? zeroPoint : null,
    ...(first.storedScale === undefined
      ? {}
      : { storedScale: joinScales(tiles.map(({ storedScale }) => storedScale as Scales)) }),
  };
}

function joinLookups(tiles: readonly Lookup[]): Lookup {
  const [first] = tiles;
  return {
    ...first,
    tables: first.dtype === undefined ? joined(tiles.map(({ tables }) => tables)) : first.tables,
    scale: first.scale === null ? null : joinScales(tiles.map(({ scale }) => scale as Scales)),
  };
}

/** Tiles of one scheme have the same levels. */
function joinScales(tiles: readonly Scales[]): Scales {
  const [first] = tiles;
  const values = joined(tiles.map((tile) => tile.values));
  return first.outer === undefined
    ? { ...first, values }
    : { ...first, values, outer: joinScales(tiles.map(({ outer }) => outer as Scales)) };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
