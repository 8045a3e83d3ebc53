/** A route of the gateway. */
export interface GatewayRoute {
  readonly method: string;
  /** `{name}` is a path parameter: one segment that is not empty. */
  readonly path: string;
  readonly function: string;
  readonly scope: string;
}

/** The route that a request takes, if any, and its path parameters. */
interface Match {
  readonly route?: GatewayRoute;
  readonly pathParameters: Readonly<Record<string, string>>;
}

/**
 * Makes what finds the route of a request. Where several fit, the one that names a segment comes
 * before the one that has a parameter there.
 */
export function routeFinder(routes: readonly GatewayRoute[]) {
  const ordered = routes.toSorted((a, b) => (sortKey(a.path) < sortKey(b.path) ? -1 : 1));
  return (method: string | undefined, path: string): Match => {
    for (const route of ordered) {
      const pathParameters = route.method === method && matchPath(route.path, path);
      if (pathParameters) return { route, pathParameters };
    }
    return { pathParameters: {} };
  };
}

/** Parameters come after every name. */
function sortKey(path: string): string {
  return path.replaceAll(/\{[^}]*\}/g, '\uffff');
}

function matchPath(template: string, path: string): Record<string, string> | undefined {
  const parts = template.split('/');
  const segments = path.split('/');
  if (parts.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const segment = segments[index] as string;
    const [, name] = /^\{(.*)\}$/.exec(part) ?? [];
    if (name && segment) parameters[name] = segment;
    else if (part !== segment) return undefined;
  }
  return parameters;
}
