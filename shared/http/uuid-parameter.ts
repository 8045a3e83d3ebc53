import * as v from 'valibot';
import { checked, single } from './validation.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Returns a path parameter with an id that the register has made. */
export function uuidParameter(what: string) {
  return single(() =>
    v.pipe(
      v.string(),
      checked((text) => UUID.test(text), `must be the id of ${what}, a UUID`, {
        format: 'uuid',
        pattern: UUID.source,
      }),
    ),
  );
}
