import { join } from 'node:path';

const replacement = (file: string) => join(import.meta.dirname, file);

/**
 * How esbuild makes one file of a function. Without a source map: it would be several times the
 * code's size and slow every cold start, and the same commit makes the same file, so that a place
 * in a logged stack can be looked up later.
 */
export const BUNDLE = {
  format: 'esm',
  mainFields: ['module', 'main'],
  target: 'node24',
  minify: true,
  /** What a cold start does without; in `npm run bench` each stands for itself. */
  alias: {
    // An import of these from a module makes Node read all they export, which loads what they have
    // kept for later: `http` brings a whole fetch client, `process` its three streams.
    'node:fs': replacement('fs.cjs'),
    'node:fs/promises': replacement('fs-promises.cjs'),
    'node:http': replacement('http.cjs'),
    'node:process': replacement('process.cjs'),
    'node:util': replacement('util.cjs'),
    '@aws-sdk/credential-provider-node': replacement('credentials.ts'),
    '@smithy/core/event-streams': replacement('event-streams.ts'),
  },
} as const;

/**
 * Options of Node for functions that write exports: their garbage is pages of a megabyte, of which
 * little enough is there at a time for a small young generation, and whose memory comes free only
 * when that is collected. With it an export's memory stays the same however long it takes.
 */
export const EXPORT_NODE_OPTIONS = '--max-semi-space-size=4';
