import { UsageError } from '../command.ts';

/**
 * Calls GitHub's REST API about this repository, with the workflow's token.
 *
 * @param path below the repository, such as `/issues`.
 * @throws UsageError if it does not succeed.
 */
export async function github<T>(path: string, body?: unknown): Promise<T> {
  const { GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_TOKEN } = process.env;
  const response = await fetch(`${GITHUB_API_URL}/repos/${GITHUB_REPOSITORY}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      accept: 'application/vnd.github+json',
      authorization: `Bearer ${GITHUB_TOKEN}`,
      'x-github-api-version': '2022-11-28',
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new UsageError(`GitHub responds with ${response.status} for ${path}.`);
  return (await response.json()) as T;
}
