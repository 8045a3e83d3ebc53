import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
// The package's main module loads the parsers of four headers.
import preferredMediaTypes from 'negotiator/lib/mediaType.js';
import type { HttpEvent } from './event.ts';
import { Problem } from './problem-details.ts';

/** Lambda's context with the negotiated media type. */
export interface NegotiationContext extends Context {
  preferredMediaType: string;
}

/**
 * Other names of media types: `text/xml` is an alias of `application/xml` (RFC 7303, section 9.2).
 * Newline-delimited JSON and JSON Lines are one format.
 */
const ALIASES: Readonly<Record<string, string>> = {
  'application/xml': 'text/xml',
  'application/jsonl': 'application/x-ndjson',
};

/**
 * Middleware that puts the media type which the caller prefers into the context (`Accept`, RFC
 * 9110, section 12.5.1). Responds 406 if the caller accepts none.
 *
 * @param produces media types that the endpoint produces, the default one first.
 */
export function contentNegotiation(
  produces: readonly string[],
): MiddlewareObj<HttpEvent, unknown, Error, NegotiationContext> {
  const named = new Map(
    produces.flatMap((type) => [type, ALIASES[type] ?? type].map((name) => [name, type])),
  );
  return {
    before: ({ event, context }) => {
      const accept = withoutParameters(event.headers.accept) || undefined;
      const [name = ''] = preferredMediaTypes(accept, [...named.keys()]);
      const preferred = named.get(name);
      if (preferred === undefined) {
        const detail = `must allow ${produces.join(' or ')}`;
        throw new Problem(406, `Accept ${detail}.`, { faults: [{ header: 'Accept', detail }] });
      }
      context.preferredMediaType = preferred;
    },
  };
}

/**
 * A caller that accepts a media type in one form, such as a charset, accepts it. An empty list
 * means the same as none.
 */
function withoutParameters(accept: string | undefined): string | undefined {
  return accept?.replace(/;(?!\s*q=)[^,;]*/gi, '').replace(/^[\s,]*$/, '');
}
