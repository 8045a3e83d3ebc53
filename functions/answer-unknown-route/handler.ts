import { endpoint } from '../../shared/http/endpoint.ts';
import { Problem } from '../../shared/http/problem-details.ts';
import { ROUTES } from '../../shared/routes.ts';

/** What no route answers: 405 where the path exists under other methods, else 404. */
export const handler = endpoint(async ({ method, rawPath }) => {
  const fitting = ROUTES.filter(({ path }) => matchesPath(path, rawPath));
  if (fitting.length === 0) throw new Problem(404, `There is nothing at ${rawPath}.`);
  // A path that a route names is that route's, also where it would do for another's parameter.
  const named = fitting.filter(({ path }) => path === rawPath);
  const routes = named.length > 0 ? named : fitting;
  const allow = [...new Set(routes.map((route) => route.method))].join(', ');
  throw new Problem(405, `${method} is not a method of ${rawPath}; it has ${allow}.`, {
    headers: { allow },
  });
});

function matchesPath(template: string, path: string): boolean {
  const segments = path.split('/');
  const expected = template.split('/');
  return (
    segments.length === expected.length &&
    expected.every((part, index) =>
      // A parameter is never empty.
      part.startsWith('{') ? segments[index] !== '' : part === segments[index],
    )
  );
}
