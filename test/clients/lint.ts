/** Lints the OpenAPI document with Redocly and Spectral; any finding is an error. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const PACKAGES = join(import.meta.dirname, 'node_modules');
const DOCUMENT = join(import.meta.dirname, '../../shared/openapi.json');
const config = (name: string) => join(import.meta.dirname, name);

const LINTERS = {
  Redocly: ['@redocly/cli/bin/cli.js', 'lint', DOCUMENT, '--config', config('redocly.yaml')],
  Spectral: [
    '@stoplight/spectral-cli/dist/index.js',
    'lint',
    DOCUMENT,
    '--ruleset',
    config('spectral.yaml'),
    '--fail-severity=hint',
  ],
};

for (const [name, [script = '', ...args]] of Object.entries(LINTERS)) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(PACKAGES, script), ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
  );
  if (status === 0) continue;
  console.error(`${name}:\n${stdout}${stderr}`);
  process.exitCode = 1;
}
