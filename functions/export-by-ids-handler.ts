import { exportByIds } from '../shared/exports/create-export.ts';
import type { FileFormat } from '../shared/formats/row-format.ts';
import { api } from '../shared/http/api.ts';
import type { Parameters, ParameterValues } from '../shared/http/validation.ts';
import type { exportByIdsRequest } from './export-by-ids-contract.ts';
import { fileResponse } from './export-responses.ts';

/**
 * Returns the handler of POST /customers/export/{format}.
 *
 * @param mediaType of the file, without parameters.
 * @param formatOf returns the file format with the options of a request.
 */
export function exportByIdsHandler<P extends Parameters>(
  request: ReturnType<typeof exportByIdsRequest<P>>,
  mediaType: string,
  formatOf: (options: ParameterValues<P>) => FileFormat,
) {
  return api(request, { produces: ['application/json', mediaType] }).handler(
    async (event, context) => {
      const format = formatOf(event.queryStringParameters);
      const file = await exportByIds(context.merchantId, event.body, format);
      return fileResponse(file, mediaType, context);
    },
  );
}
