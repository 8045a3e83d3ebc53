import { readFile } from 'node:fs/promises';
import type scalarPlugin from '@scalar/fastify-api-reference';

/** Path at which the plugin serves its script. */
const SCRIPT_PATH = '/reference/js/scalar.js';

/**
 * Returns Scalar's script for browsers, after its licence. It is taken from the plugin for Fastify, which has it in one
 * piece: the package `@scalar/api-reference` would install 341 others.
 *
 * @throws Error if a version of the plugin serves its script otherwise.
 */
export async function scalarScript(): Promise<string> {
  const { default: plugin }: { default: unknown } = await import('@scalar/fastify-api-reference');
  let script: unknown;
  const fastify = {
    route: ({ url, handler }: { url: string; handler: (...args: unknown[]) => void }) => {
      if (url !== SCRIPT_PATH) return;
      const reply = { header: () => reply, send: (body: unknown) => (script = body) };
      handler(undefined, reply);
    },
  };
  (plugin as typeof scalarPlugin)(fastify as never, { configuration: { url: '/' } }, () => {});
  if (typeof script !== 'string') {
    throw new Error(`@scalar/fastify-api-reference serves no script at ${SCRIPT_PATH}`);
  }
  const entry = import.meta.resolve('@scalar/fastify-api-reference');
  const license = await readFile(new URL('../LICENSE', entry), 'utf8');
  return `/*!\nScalar API Reference\n\n${license}*/\n${script}`;
}
