/** NumPy archives (.npz): several arrays by name. */
import { type ByteSource, bytesSource } from "#base/bytes";
import { LowbitError } from "#base/errors";
import type { Limits } from "#base/limits";
import { readNpy } from "#data/npy/npy";
import { openZip } from "#data/npy/zip";
import type { Tensor } from "#model/tensor";

export interface Npz {
  /** Names of the arrays, without ".npy". */
  readonly names: readonly string[];
  /** One array, unpacked now. Throws `npy/*`, `npz/*`. */
  read(name: string): Promise<Tensor>;
}

export async function openNpz(source: ByteSource, limits: Limits): Promise<Npz> {
  const members = await openZip(source, limits);
  const arrays = new Map([...members].map(([file, member]) => [file.replace(/\.npy$/, ""), member]));
  if (arrays.size !== members.size)
    throw new LowbitError("npz/malformed", `${source.name} has two arrays of one name`, { at: { file: source.name } });
  return {
    names: [...arrays.keys()],
    async read(name) {
      const member = arrays.get(name);
      if (member === undefined)
        throw new LowbitError("npz/malformed", `${source.name} has no array ${name}`, {
          at: { file: source.name, tensor: name },
          hint: `it has ${[...arrays.keys()].join(", ")}`,
        });
      return readNpy(bytesSource(await member.read(), `${source.name}/${member.name}`), limits);
    },
  };
}
