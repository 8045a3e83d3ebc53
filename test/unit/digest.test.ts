import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { FIELDS } from '../../shared/domain/fields.ts';
import { DIGEST_ROWS } from '../../shared/formats/digest.ts';
import { plainRow } from '../../shared/formats/row-format.ts';

// The test vector of the API guide.

const CUSTOMER: Readonly<Record<string, string>> = {
  mexcParamvaluesetsid: '1',
  date: '2026-01-31T09:00:00.000Z',
  customerid: 'K1',
  name: 'Björk AB',
};
const HASH = '8881f1efa975e68c78eace31ebedb8b9db30e16716c769da4354c021721a22a0';
const BYTES = 83;

test('The canonical form of the test vector has 83 bytes and the documented hash', () => {
  const form = plainRow(
    DIGEST_ROWS,
    FIELDS.map(({ name }) => CUSTOMER[name] ?? ''),
  );
  expect(Buffer.byteLength(form)).toBe(BYTES);
  expect(createHash('sha256').update(form).digest('hex')).toBe(HASH);
});

test('The form as the guide describes it gives the documented hash', () => {
  const cells = Object.entries(CUSTOMER).map(([name, value]) => `${name}\u001f${value}\u001e`);
  const form = `${cells.join('')}\u001d`;
  expect(createHash('sha256').update(form).digest('hex')).toBe(HASH);
});

const PYTHON = `
import hashlib, json, sys
customer = json.load(sys.stdin)
form = "".join(name + "\\x1f" + value + "\\x1e" for name, value in customer.items()) + "\\x1d"
encoded = form.encode("utf-8")
print(len(encoded), hashlib.sha256(encoded).hexdigest())
`;
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.warn('python3 is missing: the test vector is not computed in Python.');

test.skipIf(!hasPython)('Python computes the documented hash of the test vector', () => {
  const { stdout } = spawnSync('python3', ['-c', PYTHON], { input: JSON.stringify(CUSTOMER) });
  expect(stdout.toString().trim()).toBe(`${BYTES} ${HASH}`);
});
