const MIB = 1024 * 1024;

/** Bytes that an execution environment with 1,024 MB keeps of the snapshots that it has read. */
const PACKED_BYTES = 64 * MIB;
const UNPACKED_BYTES = 128 * MIB;

/** What is kept of snapshots between calls: texts as they were read, and unpacked columns. */
export class SnapshotMemory {
  readonly packed: KeptBytes;
  readonly unpacked: KeptBytes;

  constructor(packedBytes = PACKED_BYTES, unpackedBytes = UNPACKED_BYTES) {
    this.packed = new KeptBytes(packedBytes);
    this.unpacked = new KeptBytes(unpackedBytes);
  }
}

/** What has parts that may be forgotten. */
interface Owner {
  /** The same for all that are read one after the other. */
  readonly group: unknown;
  /** Forgets what was kept in this memory. */
  forget(memory: KeptBytes): void;
}

/** Counts the bytes that are kept for owners, and has those forget that were used longest ago. */
export class KeptBytes {
  readonly #limit: number;
  #bytes = 0;
  /** The one that was used longest ago comes first. */
  readonly #byOwner = new Map<Owner, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Says that what is kept for the owner is used now. */
  use(owner: Owner): void {
    const bytes = this.#byOwner.get(owner);
    if (bytes === undefined) return;
    this.#byOwner.delete(owner);
    this.#byOwner.set(owner, bytes);
  }

  /**
   * Returns whether the owner may keep so many bytes more. Others forget theirs for it, but none of
   * its own group: a snapshot that does not fit would otherwise lose each frame before its next use.
   */
  keep(owner: Owner, bytes: number): boolean {
    for (const [oldest, oldBytes] of this.#byOwner) {
      if (this.#bytes + bytes <= this.#limit || oldest.group === owner.group) break;
      this.#byOwner.delete(oldest);
      this.#bytes -= oldBytes;
      oldest.forget(this);
    }
    if (this.#bytes + bytes > this.#limit) return false;
    this.#bytes += bytes;
    this.#byOwner.set(owner, (this.#byOwner.get(owner) ?? 0) + bytes);
    return true;
  }
}
