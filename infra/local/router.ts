/** A route of the gateway. */
export interface GatewayRoute {
  readonly method: string;
  /** May contain path parameters: `{name}` matches one segment that is not empty, `{name+}` several. */
  readonly path: string;
  readonly function: string;
  /** Scope that it requires, if any. */
  readonly scope?: string;
  /** Whether it needs no token. */
  readonly isPublic?: boolean;
}

/** The route that a request matches, if any, and its path parameters. */
interface Match {
  readonly route?: GatewayRoute;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/**
 * Creates a function that finds the route of a request. If several match, a literal segment takes
 * precedence over a parameter.
 */
export function createRouter(routes: readonly GatewayRoute[]) {
  const ordered = routes.toSorted((a, b) => (sortKey(a.path) < sortKey(b.path) ? -1 : 1));
  return (method: string | undefined, path: string): Match => {
    for (const route of ordered) {
      const pathParameters = route.method === method && matchPath(route.path, path);
      if (pathParameters) return { route, pathParameters };
    }
    return { pathParameters: {} };
  };
}

/** Returns a key that sorts parameters after literal segments. */
function sortKey(path: string): string {
  return path.replaceAll(/\{[^}]*\}/g, '\uffff');
}

/** Returns the segments of a path; the last of `count` has all that is left, slashes included. */
function segmentsOf(path: string, count = Number.POSITIVE_INFINITY): string[] {
  const segments = path.split('/');
  return segments.length <= count
    ? segments
    : [...segments.slice(0, count - 1), segments.slice(count - 1).join('/')];
}

function matchPath(template: string, path: string): Record<string, string> | undefined {
  const parts = template.split('/');
  const segments = segmentsOf(path, template.endsWith('+}') ? parts.length : undefined);
  if (parts.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] as string;
    const [, name] = /^\{(.*?)\+?\}$/.exec(part) ?? [];
    if (name && segment) parameters[name] = segment;
    else if (part !== segment) return undefined;
  }
  return parameters;
}
