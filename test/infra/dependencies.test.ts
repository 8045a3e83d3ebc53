import { describe, expect, test } from 'vitest';
import localManifest from '../../infra/local/package.json' with { type: 'json' };
import manifest from '../../package.json' with { type: 'json' };
import lock from '../../package-lock.json' with { type: 'json' };
import benchManifest from '../bench/package.json' with { type: 'json' };
import benchLock from '../bench/package-lock.json' with { type: 'json' };
import browserManifest from '../browser/package.json' with { type: 'json' };
import browserLock from '../browser/package-lock.json' with { type: 'json' };
import clientsManifest from '../clients/package.json' with { type: 'json' };
import clientsLock from '../clients/package-lock.json' with { type: 'json' };
import spreadsheetsManifest from '../spreadsheets/package.json' with { type: 'json' };
import spreadsheetsLock from '../spreadsheets/package-lock.json' with { type: 'json' };

/** A package as a lock file has it. */
interface Locked {
  readonly version: string;
  readonly integrity?: string;
  /** URL of the package. */
  readonly resolved?: string;
  /** Comes inside the archive of another. */
  readonly inBundle?: boolean;
  /** Is a folder of this repository. */
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}

/** The lists of dependencies in a manifest. */
interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Packages that a lock file installs, by their folder. */
function installed({ packages }: { packages: object }): [folder: string, Locked][] {
  return Object.entries(packages as Record<string, Locked>).filter(
    ([folder, { link }]) => folder.includes('node_modules/') && !link,
  );
}

const deployed = installed(lock).filter(([, { dev }]) => !dev);

describe.each<{ folder: string; manifest: Manifest; locked: Manifest; lock: { packages: object } }>(
  [
    { folder: '.', manifest, locked: lock.packages[''], lock },
    { folder: 'infra/local', manifest: localManifest, locked: lock.packages['infra/local'], lock },
    {
      folder: 'test/bench',
      manifest: benchManifest,
      locked: benchLock.packages[''],
      lock: benchLock,
    },
    {
      folder: 'test/browser',
      manifest: browserManifest,
      locked: browserLock.packages[''],
      lock: browserLock,
    },
    {
      folder: 'test/clients',
      manifest: clientsManifest,
      locked: clientsLock.packages[''],
      lock: clientsLock,
    },
    {
      folder: 'test/spreadsheets',
      manifest: spreadsheetsManifest,
      locked: spreadsheetsLock.packages[''],
      lock: spreadsheetsLock,
    },
  ],
)('of the package in $folder', ({ manifest: { dependencies, devDependencies }, ...its }) => {
  test('every dependency has one exact version, which the lock file has as well', () => {
    expect(its.locked).toMatchObject({ ...(dependencies && { dependencies }), devDependencies });
    const packages = Object.fromEntries(installed(its.lock));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
      expect(packages[`node_modules/${name}`]?.version, name).toBe(version);
    }
  });

  test('every installed package has a SHA-512 checksum in the lock file', () => {
    for (const [name, { integrity, inBundle }] of installed(its.lock)) {
      if (!inBundle) expect(integrity, name).toMatch(/^sha512-/);
    }
  });
});

test('no lock file names the registry that its packages came from', () => {
  for (const [name, { resolved }] of [
    lock,
    benchLock,
    browserLock,
    clientsLock,
    spreadsheetsLock,
  ].flatMap(installed)) {
    expect(resolved, name).toBeUndefined();
  }
});

test('no deployed package runs a script when it is installed', () => {
  expect(deployed.length).toBeGreaterThan(20);
  expect(deployed.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
});
