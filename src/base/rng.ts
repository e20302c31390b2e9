/**
 * Seeded random numbers. Randomness is an argument everywhere: the same seed gives the same bytes on every machine.
 * Generator: xoshiro128** (Blackman & Vigna 2018), seeded through splitmix32.
 */
export interface Rng {
  /** 32 random bits, as an unsigned integer. */
  uint32(): number;
  /** Uniform in [0, 1), 24 bits, so exact in float32 too. */
  uniform(): number;
  /** Uniform integer in [0, n), without modulo bias. */
  below(n: number): number;
}

export function createRng(seed: number | string): Rng {
  let h = typeof seed === "string" ? hash32(seed) : seed >>> 0;
  const split = (): number => {
    h = (h + 0x9e3779b9) >>> 0;
    let z = h;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let a = split();
  let b = split();
  let c = split();
  let d = split() | 1;
  const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
  const uint32 = (): number => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return result;
  };
  const uniform = (): number => (uint32() >>> 8) / 0x1000000;
  const rng: Rng = {
    uint32,
    uniform,
    below(n) {
      const limit = 0x100000000 - (0x100000000 % n);
      for (;;) {
        const x = uint32();
        if (x < limit) return x % n;
      }
    },
  };
  return rng;
}

/** Seed for one tensor: depends on the run's seed and the tensor's name, not on the order of work. */
export function seedFor(seed: number, name: string): number {
  return hash32(`${seed}\0${name}`);
}

/** FNV-1a over UTF-16 code units, 32 bits. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
