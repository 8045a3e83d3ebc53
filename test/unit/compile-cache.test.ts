import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limitCompileCache } from '../../infra/local/compile-cache.ts';

test('The compile cache is emptied if it has too many entries, and else kept', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'compile-cache-')), 'compile');
  limitCompileCache(3, folder);
  mkdirSync(join(folder, 'v24'), { recursive: true });
  for (const name of ['a', 'b']) writeFileSync(join(folder, 'v24', name), '');
  limitCompileCache(3, folder);
  expect(existsSync(join(folder, 'v24', 'a'))).toBe(true);
  writeFileSync(join(folder, 'v24', 'c'), '');
  limitCompileCache(3, folder);
  expect(existsSync(folder)).toBe(false);
});
