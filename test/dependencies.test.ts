import { expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import lock from '../package-lock.json' with { type: 'json' };

/** A package as the lock file has it. */
interface Locked {
  readonly version: string;
  readonly integrity?: string;
  /** Comes inside the archive of another. */
  readonly inBundle?: boolean;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

const { '': root, ...packages } = lock.packages as unknown as Record<string, Locked>;
const deployed = Object.entries(packages).filter(([, { dev }]) => !dev);

test('every dependency has one exact version, which the lock file has as well', () => {
  expect(root).toMatchObject({
    dependencies: manifest.dependencies,
    devDependencies: manifest.devDependencies,
  });
  const asked = { ...manifest.dependencies, ...manifest.devDependencies };
  for (const [name, version] of Object.entries(asked)) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    expect(packages[`node_modules/${name}`]?.version, name).toBe(version);
  }
  for (const [name, { integrity, inBundle }] of Object.entries(packages)) {
    if (!inBundle) expect(integrity, name).toMatch(/^sha512-/);
  }
});

test('nothing that is deployed runs a script when it is installed', () => {
  expect(deployed.length).toBeGreaterThan(20);
  expect(deployed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
});
