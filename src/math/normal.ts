import type { Rng } from "#base/rng";
import { logarithm } from "#math/logarithm";

/** One standard normal number, by the ratio of uniforms (Kinderman & Monahan 1977): accept v/u when v² ≤ −4u² ln u. */
export function normal(rng: Rng): number {
  for (;;) {
    const u = 1 - rng.uniform();
    const x = ((rng.uniform() * 2 - 1) * Math.sqrt(2 / Math.E)) / u;
    if (x * x <= -4 * logarithm(u)) return x;
  }
}
