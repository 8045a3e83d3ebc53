import { createRequire } from 'node:module';

// Has MemoryLevel keep texts as they are. dynalite writes and reads JSON, which would be encoded as
// UTF-8 and decoded each time: 15 % of the CPU time of its thread with large items. Its keys are
// ASCII, whose order is the same. dynalite takes the class when it is loaded, so that this comes first.

const memory = createRequire(import.meta.resolve('dynalite'))('memory-level');
memory.MemoryLevel = class extends memory.MemoryLevel {
  constructor(options: object) {
    super({ ...options, storeEncoding: 'utf8' });
  }
};
