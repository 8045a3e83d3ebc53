import type { FormatChoice } from '../shared/domain/export.ts';
import { exportByFilter } from '../shared/exports/export-by-filter.ts';
import type { FileFormat } from '../shared/formats/row-format.ts';
import { api } from '../shared/http/api.ts';
import { filterOfQuery, filterParameters } from '../shared/http/filter-parameters.ts';
import type { Parameters, ParameterValues } from '../shared/http/validation.ts';
import type { exportByFilterRequest } from './export-by-filter-contract.ts';
import { exportResponse, headResponse, isHead } from './export-responses.ts';

/**
 * Returns the handler of GET /customers/export/{format}.
 *
 * @param mediaType of the file, without parameters.
 * @param formatOf returns the file format with the options of a request.
 */
export function exportByFilterHandler<P extends Parameters>(
  request: ReturnType<typeof exportByFilterRequest<P>>,
  mediaType: string,
  formatOf: (options: ParameterValues<P>) => FileFormat,
) {
  return api(request, { produces: ['application/json', mediaType] }).handler(
    async (event, context) => {
      if (isHead(event)) return headResponse(context);
      const query = event.queryStringParameters;
      const options = Object.fromEntries(
        Object.entries(query).filter(([name]) => !(name in filterParameters)),
      );
      const format = formatOf(options as ParameterValues<P>);
      const result = await exportByFilter(
        context.merchantId,
        filterOfQuery(query),
        { format, choice: { name: format.extension, ...options } as FormatChoice },
        context.getRemainingTimeInMillis(),
      );
      return exportResponse(result, mediaType, context);
    },
  );
}
