// The glyphs data set: ten digits, drawn as pen strokes (strokes.mjs), then bent, tilted, shaded, scratched, blurred and
// made noisy. Every image depends only on (seed, split, index). Runs in Node and in browsers.
//
// The bytes are the same on every engine: coordinates and grey levels use only + − × ÷ √ and floor on doubles, which
// IEEE 754 rounds in one way; a rotation comes from tan(angle / 2), so that there is no sine or cosine to disagree about.
import { strokes } from "./strokes.mjs";

/** @typedef {"train" | "test" | "calibration"} Split  which stream of random numbers: the splits share no image */

const splits = { train: 1, test: 2, calibration: 3 };
const CLASSES = strokes.length;

/**
 * Renders `count` images. A longer run begins with the images of a shorter one, and each ten images in a row hold each
 * digit once, in random order.
 * @param {{ seed: number, count: number, size?: number, split?: Split }} options  `size` in pixels, 32; `split`, "test"
 * @returns {{ images: Uint8Array, labels: Uint8Array }} images [count, size, size] row by row, labels [count] of 0…9
 */
export function renderGlyphs({ seed, count, size = 32, split = "test" }) {
  const images = new Uint8Array(count * size * size);
  const labels = new Uint8Array(count);
  for (let first = 0; first < count; first += CLASSES) {
    const order = shuffled(CLASSES, createRandom(seed, -splits[split], first));
    for (let i = first; i < Math.min(first + CLASSES, count); i++) {
      labels[i] = order[i - first];
      images.set(renderGlyph(labels[i], size, createRandom(seed, splits[split], i)), i * size * size);
    }
  }
  return { images, labels };
}

/** @typedef {() => number} Random  uniform in [0, 1) */
/** @typedef {number[]} Segments  x0, y0, x1, y1, … in pixels: the straight pieces of a stroke */

/** @param {number} label @param {number} size @param {Random} random */
function renderGlyph(label, size, random) {
  const between = (/** @type {number} */ low, /** @type {number} */ high) => low + (high - low) * random();
  const ways = strokes[label];
  const path = ways[Math.floor(random() * ways.length)];
  const segments = flatten(path, randomAffine(size, between), () => between(-4.5, 4.5));

  // paper: a grey level with a gradient; ink: darker or lighter by `contrast`
  const contrast = between(0.15, 0.75);
  const dark = between(0, 1 - contrast);
  const inkIsLight = random() < 0.5;
  const paper = inkIsLight ? dark : dark + contrast;
  const ink = inkIsLight ? dark + contrast : dark;
  const slopeX = between(-0.3, 0.3);
  const slopeY = between(-0.3, 0.3);
  const pixels = new Float64Array(size * size);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) pixels[y * size + x] = paper + slopeX * (x / size - 0.5) + slopeY * (y / size - 0.5);
  }

  draw(pixels, size, segments, between(0.017, 0.055) * size, ink);

  // distractors: specks, and scratches that may cross the digit, in the ink or the paper or anything between
  for (let specks = Math.floor(random() * 6); specks > 0; specks--) {
    const x = between(0, size);
    const y = between(0, size);
    draw(pixels, size, [x, y, x, y], between(0.012, 0.04) * size, between(paper, ink));
  }
  for (let scratches = Math.floor(random() * 4); scratches > 0; scratches--) {
    const x = between(0, size);
    const y = between(0, size);
    const scratch = [x, y, x + between(-0.4, 0.4) * size, y + between(-0.4, 0.4) * size];
    draw(pixels, size, scratch, between(0.012, 0.03) * size, between(paper, ink));
  }

  blur(pixels, size, between(0, 0.24));
  const noise = between(0, 0.13);
  const image = new Uint8Array(size * size);
  for (let i = 0; i < image.length; i++) {
    // four uniforms: near enough to a bell curve, of standard deviation 0.58 · noise
    const level = pixels[i] + noise * (random() + random() + random() + random() - 2);
    image[i] = Math.floor(255 * clamp(level) + 0.5);
  }
  return image;
}

/**
 * From the 100 × 100 box of strokes.mjs to pixels: scale, shear, rotate by up to ±20°, shift.
 * @param {number} size @param {(low: number, high: number) => number} between
 */
function randomAffine(size, between) {
  const t = between(-0.1763, 0.1763); // tan(angle / 2): ±20°
  const cos = (1 - t * t) / (1 + t * t);
  const sin = (2 * t) / (1 + t * t);
  const shear = between(-0.3, 0.3);
  const scaleX = (between(0.55, 1.0) * size) / 100;
  const scaleY = (between(0.55, 1.0) * size) / 100;
  const shiftX = size * (0.5 + between(-0.1, 0.1));
  const shiftY = size * (0.5 + between(-0.1, 0.1));
  return (/** @type {number} */ x, /** @type {number} */ y) => {
    const v = scaleY * (y - 50);
    const u = scaleX * (x - 50) + shear * v;
    return [cos * u - sin * v + shiftX, sin * u + cos * v + shiftY];
  };
}

const CURVE_PIECES = 8;

/**
 * An SVG path as straight segments; every point it names is moved by the pen's wobble, then by `affine`.
 * @param {string} path @param {(x: number, y: number) => number[]} affine @param {() => number} wobble
 * @returns {Segments}
 */
function flatten(path, affine, wobble) {
  /** @type {Segments} */
  const segments = [];
  let x = 0;
  let y = 0;
  const lineTo = (/** @type {number} */ toX, /** @type {number} */ toY) => {
    segments.push(x, y, toX, toY);
    x = toX;
    y = toY;
  };
  for (const [, command, numbers] of path.matchAll(/([MLC])([\d ]+)/g)) {
    const named = numbers.trim().split(" ").map(Number);
    const points = [];
    for (let i = 0; i < named.length; i += 2) points.push(...affine(named[i] + wobble(), named[i + 1] + wobble()));
    if (command === "M") [x, y] = points;
    else if (command === "L") lineTo(points[0], points[1]);
    else {
      const [startX, startY] = [x, y];
      const [x1, y1, x2, y2, x3, y3] = points;
      for (let piece = 1; piece <= CURVE_PIECES; piece++) {
        const t = piece / CURVE_PIECES;
        const s = 1 - t;
        const [a, b, c, d] = [s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t]; // Bernstein: a cubic Bézier
        lineTo(a * startX + b * x1 + c * x2 + d * x3, a * startY + b * y1 + c * y2 + d * y3);
      }
    }
  }
  return segments;
}

/**
 * Paints round-capped segments of a radius in pixels; a pixel is covered by how far its centre lies within the edge.
 * @param {Float64Array} pixels @param {number} size @param {Segments} segments @param {number} radius @param {number} level
 */
function draw(pixels, size, segments, radius, level) {
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const distance = Math.sqrt(nearestSquared(segments, x + 0.5, y + 0.5));
      const cover = clamp(radius - distance + 0.5);
      pixels[y * size + x] += cover * (level - pixels[y * size + x]);
    }
  }
}

/** @param {Segments} segments @param {number} x @param {number} y */
function nearestSquared(segments, x, y) {
  let nearest = Infinity;
  for (let i = 0; i < segments.length; i += 4) {
    const px = x - segments[i];
    const py = y - segments[i + 1];
    const dx = segments[i + 2] - segments[i];
    const dy = segments[i + 3] - segments[i + 1];
    const length = dx * dx + dy * dy;
    const along = length > 0 ? clamp((px * dx + py * dy) / length) : 0;
    const ex = px - along * dx;
    const ey = py - along * dy;
    nearest = Math.min(nearest, ex * ex + ey * ey);
  }
  return nearest;
}

/**
 * [b, 1 − 2b, b] along the rows, then along the columns; the border repeats.
 * @param {Float64Array} pixels @param {number} size @param {number} b
 */
function blur(pixels, size, b) {
  for (const [step, line] of [
    [1, size],
    [size, 1],
  ]) {
    for (let start = 0; start < size * line; start += line) {
      let before = pixels[start];
      for (let i = 0; i < size; i++) {
        const at = start + i * step;
        const here = pixels[at];
        const after = i + 1 < size ? pixels[at + step] : here;
        pixels[at] = b * before + (1 - 2 * b) * here + b * after;
        before = here;
      }
    }
  }
}

/** @param {number} x */
const clamp = (x) => (x < 0 ? 0 : x > 1 ? 1 : x);

/** @param {number} n @param {Random} random */
function shuffled(n, random) {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/**
 * sfc32 (Doty-Humphrey, PractRand): three seed words and a counter, so (seed, stream, index) never collide.
 * @param {number} seed @param {number} stream @param {number} index @returns {Random}
 */
export function createRandom(seed, stream, index) {
  let [a, b, c, counter] = [seed | 0, stream | 0, index | 0, 1];
  const next = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x100000000;
  };
  for (let warmUp = 0; warmUp < 15; warmUp++) next();
  return next;
}
