import { ENDPOINTS, ROUTES } from './endpoints.ts';

const names = (headers: object[]) => headers.flatMap((each) => Object.keys(each));
const sorted = <T extends string>(values: readonly T[]) => [...new Set(values)].toSorted();

/** What pages of the allowed origins may send and read (CORS), by the endpoints' contracts. */
export const CORS = {
  methods: sorted(ROUTES.map(({ method }) => method)),
  requestHeaders: sorted([
    'Accept',
    'Authorization',
    'Content-Type',
    ...names(ENDPOINTS.map(({ request }) => request.headers ?? {})),
  ]),
  responseHeaders: sorted(
    names(
      ENDPOINTS.flatMap(({ responses }) =>
        Object.values(responses).map(({ headers = {} }) => headers),
      ),
    ),
  ),
  /** How long a browser keeps the response to a preflight; Chromium keeps none longer. */
  maxAgeS: 7_200,
} as const;
