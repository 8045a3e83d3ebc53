import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDataFile, writeDataFile } from '../../infra/local/data-folder.ts';

test('A file of the data folder has its old or its new content, also while it is written', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'data-'));
  const texts = ['a'.repeat(2_000), 'b'.repeat(1_000)];
  await writeDataFile(folder, 'customers-to-add', texts[0] as string);
  for (let round = 0; round < 50; round += 1) {
    const writing = texts.map((text) => writeDataFile(folder, 'customers-to-add', text));
    const reading = Array.from({ length: 10 }, () => readDataFile(folder, 'customers-to-add'));
    for (const text of await Promise.all(reading)) expect(texts).toContain(text);
    await Promise.all(writing);
  }
  expect(readdirSync(folder)).toEqual(['customers-to-add']);
  rmSync(folder, { recursive: true });
});
