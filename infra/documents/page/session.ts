import { store, stored } from './stored.ts';

const STORED_TOKEN = 'token';

/** The token of the page's calls. */
export interface Session {
  /** Whether the reader pastes the token. */
  readonly isPasted: boolean;
  /** Whether the reader has to be asked for one. */
  isMissing(): boolean;
  /** Keeps a token until the tab is closed. */
  paste(token: string): void;
  forget(): void;
  /** @throws Error if there is none. */
  token(): Promise<string>;
  /**
   * Notes that the API does not take a token. Calls can be under way with one that has been replaced.
   *
   * @returns whether to send the call again, with another token; or to ask for one, which is done once.
   */
  refuse(token: string): 'again' | 'ask' | 'asked';
}

/**
 * Returns the session. On the local stack, which names a path for it, the token is one of the sample
 * merchant. Elsewhere the reader pastes one; a sign-in at the issuer would take the place of that.
 */
export function createSession(): Session {
  const path = document.querySelector<HTMLMetaElement>('meta[name="token-path"]')?.content;
  return path ? localSession(path) : pastedSession();
}

function localSession(path: string): Session {
  let token: Promise<string> | undefined;
  return {
    isPasted: false,
    isMissing: () => false,
    paste: () => {},
    forget: () => {},
    token: () => {
      token ??= fetch(path, { cache: 'no-store' })
        .then((response) => response.json())
        .then((body) => body.token);
      // The next call tries again.
      token.catch(() => {
        token = undefined;
      });
      return token;
    },
    refuse: () => {
      token = undefined;
      return 'again';
    },
  };
}

function pastedSession(): Session {
  let token = stored('sessionStorage', STORED_TOKEN);
  const keep = (value: string | undefined) => {
    token = value;
    store('sessionStorage', STORED_TOKEN, value);
  };
  return {
    isPasted: true,
    isMissing: () => token === undefined,
    paste: keep,
    forget: () => keep(undefined),
    token: async () => {
      if (token === undefined) throw new Error('There is no token.');
      return token;
    },
    refuse: (refused) => {
      if (token !== refused) return token === undefined ? 'asked' : 'again';
      keep(undefined);
      return 'ask';
    },
  };
}
