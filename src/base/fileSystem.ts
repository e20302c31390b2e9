/**
 * The few file operations that a safe write needs, as a port: the real one is `fileSystem.node`, the one of the tests can lose power
 * at any operation. Operations reject with errors that carry the system's `code` ("ENOSPC", …).
 */
export interface FsPort {
  /** Creates a file that must not exist yet. */
  create(path: string): Promise<WritableFile>;
  /** Replaces `to` if it exists, at once. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Names in a directory. */
  list(directory: string): Promise<readonly string[]>;
  /** Makes creations, renames and removals in a directory survive a power cut. */
  syncDirectory(directory: string): Promise<void>;
  /** A name for this process that no other has, in letters, digits and hyphens. */
  readonly owner: string;
  /** False only when the process of that name certainly runs no more. */
  isAlive(owner: string): Promise<boolean>;
}

export interface WritableFile {
  /** Appends; returns how many bytes were taken, which may be fewer than given. */
  write(bytes: Uint8Array): Promise<number>;
  /** Makes the content survive a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
