import { XLSX_TYPE } from '../../shared/formats/xlsx.ts';
import { exportByIdsContract, exportByIdsRequest } from '../export-by-ids-contract.ts';
import { columnDescriptions, columnParameters } from '../export-options.ts';

export const request = exportByIdsRequest(columnParameters);

export const contract = () =>
  exportByIdsContract(request, {
    name: 'xlsx',
    title: 'XLSX',
    mediaType: XLSX_TYPE,
    options: columnDescriptions(),
  });
