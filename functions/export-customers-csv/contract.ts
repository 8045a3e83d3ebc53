import { CSV_TYPE } from '../../shared/formats/csv.ts';
import { exportByFilterContract, exportByFilterRequest } from '../export-by-filter-contract.ts';
import { csvDescriptions, csvParameters } from '../export-options.ts';

export const request = exportByFilterRequest(csvParameters);

export const contract = () =>
  exportByFilterContract(request, {
    name: 'csv',
    title: 'CSV',
    mediaType: CSV_TYPE,
    options: csvDescriptions(),
  });
