import { CSV_TYPE } from '../../shared/formats/csv.ts';
import { exportByIdsContract, exportByIdsRequest } from '../export-by-ids-contract.ts';
import { csvDescriptions, csvParameters } from '../export-options.ts';

export const request = exportByIdsRequest(csvParameters);

export const contract = () =>
  exportByIdsContract(request, {
    name: 'csv',
    title: 'CSV',
    mediaType: CSV_TYPE,
    options: csvDescriptions(),
  });
