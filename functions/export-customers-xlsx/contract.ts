import { XLSX_TYPE } from '../../shared/formats/xlsx.ts';
import { exportByFilterContract, exportByFilterRequest } from '../export-by-filter-contract.ts';
import { columnDescriptions, columnParameters } from '../export-options.ts';

export const request = exportByFilterRequest(columnParameters);

export const contract = () =>
  exportByFilterContract(request, {
    name: 'xlsx',
    title: 'XLSX',
    mediaType: XLSX_TYPE,
    options: columnDescriptions(),
  });
