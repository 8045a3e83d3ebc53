import middy from '@middy/core';
import { required } from '../../shared/environment.ts';
import { compression } from '../../shared/http/compression.ts';
import { contentNegotiation } from '../../shared/http/content-negotiation.ts';
import type { HttpEvent, HttpResponse } from '../../shared/http/event.ts';
import { merchantContext } from '../../shared/http/merchant-context.ts';
import { Problem, problemDetails } from '../../shared/http/problem-details.ts';

/** Method and path of each route. */
const ROUTES = required('routes')
  .split(',')
  .map((route) => route.split(' ') as [method: string, path: string]);

const { before: requireMerchant } = merchantContext();
const merchantOfToken: ReturnType<typeof merchantContext> = {
  before: (request) =>
    request.event.requestContext.authorizer ? requireMerchant?.(request) : undefined,
};

/**
 * The `$default` route, for requests that match no other: 405 if the path has other methods, else
 * 404. A deployment with CORS has each OPTIONS here, without a token.
 */
export const handler = middy<HttpEvent, HttpResponse>()
  .use(problemDetails())
  .use(compression())
  .use(merchantOfToken)
  .use(contentNegotiation(['application/json']))
  .handler(async ({ rawPath, requestContext }) => {
    const matching = ROUTES.filter(([, path]) => matchesPath(path, rawPath));
    if (matching.length === 0) throw new Problem(404, `There is nothing at ${rawPath}.`);
    // A literal path takes precedence over one with a parameter.
    const literal = matching.filter(([, path]) => path === rawPath);
    const routes = literal.length > 0 ? literal : matching;
    const allow = [...new Set(routes.map(([method]) => method))].join(', ');
    const { method } = requestContext.http;
    throw new Problem(405, `${method} is not a method of ${rawPath}; it has ${allow}.`, {
      headers: { allow },
    });
  });

function matchesPath(template: string, path: string): boolean {
  const segments = path.split('/');
  const expected = template.split('/');
  // A greedy parameter takes all that is left.
  const isLong = template.endsWith('+}') && segments.length > expected.length;
  return (
    (isLong || segments.length === expected.length) &&
    expected.every((part, index) =>
      // A path parameter is never empty.
      part.startsWith('{') ? segments[index] !== '' : part === segments[index],
    )
  );
}
